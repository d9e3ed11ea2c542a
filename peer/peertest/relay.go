package peertest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Relay is a signaling server for one device and its viewers: docs/protocol.md,
// section 6, as far as a Host and its Conns depend on it. It checks nothing.
type Relay struct {
	delay time.Duration // of links; set once
	tasks sync.WaitGroup

	mu       sync.Mutex
	refuses  bool              // guarded by mu, as all below
	device   *relayDevice      // linked now; nil: none
	known    *signal.Device    // as presence tells it; nil: never seen
	session  uint64            // of the newest device link
	streams  []json.RawMessage // describe signals of the newest session
	epoch    string            // of streams
	revision uint64            // up to which they are whole
	told     []uint32          // numbers of the streams that the device has described, to itself or to Conns, each time
	kept     map[uint32]keptFrame
	role     string          // of viewers
	servers  []signal.Server // TURN servers that both ends of a Conn are told
	viewers  map[*relayViewer]bool
	media    map[*Medium]bool
	rate     map[bool]int  // of devices' links, and of viewers', in bytes per second; guarded by mu
	shared   int           // Data frames that came without a conn number
	asked    time.Duration // keep alive of the newest device link
}

type relayDevice struct {
	link  *Carrier
	name  string
	said  bool // bye
	last  uint64
	conns map[uint64]*relayConn // by number on this link
}

type relayViewer struct {
	link  *Carrier
	conns map[uint64]*relayConn // by the viewer's number
}

type relayConn struct {
	id     string
	viewer *relayViewer
	number uint64 // on the viewer's link
	bound  uint64 // on the device's link; 0: not
	routes map[uint32]bool
}

type keptFrame struct {
	body []byte
	at   time.Time
}

var errRefused = errors.New("connection refused")

// NewRelay makes a relay whose links have that delay, one way.
func NewRelay(delay time.Duration) *Relay {
	return &Relay{delay: delay, viewers: map[*relayViewer]bool{}, media: map[*Medium]bool{}, kept: map[uint32]keptFrame{}, asked: keepAlive, rate: map[bool]int{}}
}

// keepAlive is that of links, unless a device asks for another one.
const keepAlive = 3 * time.Second

// keepAliveOf is the keep alive of a link.
func (r *Relay) keepAliveOf(device bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if device {
		return r.asked
	}
	return keepAlive
}

// Tell has both ends of a Conn told of TURN servers, from the next open on.
func (r *Relay) Tell(servers ...signal.Server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers = servers
}

// Narrow has links of devices, or those of viewers, carry so many bytes a second, each way, from the next one on.
func (r *Relay) Narrow(device bool, rate int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rate[device] = rate
}

// Grant sets the role of viewers, from the next link on: none, unless it is called.
func (r *Relay) Grant(role string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.role = role
}

// Dial makes a link for a device, or for a viewer: with the JSON of the open
// that rides in its request, which may be nil. The returned medium can be cut.
func (r *Relay) Dial(device bool, open []byte) (*Carrier, *Medium, error) {
	return r.DialOn(ladder.WS, device, open)
}

// DialOn is Dial on another rung: the same, but for its name.
func (r *Relay) DialOn(rung ladder.Rung, device bool, open []byte) (*Carrier, *Medium, error) {
	time.Sleep(2 * r.delay) // connect
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refuses {
		return nil, nil, errRefused
	}
	near, far, m := Pair(Config{Rung: rung, Stream: true, Delay: r.delay, Rate: r.rate[device]})
	r.media[m] = true
	r.tasks.Go(func() {
		r.serve(device, far, open)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.media, m)
	})
	return near, m, nil
}

// Stop breaks all links and refuses new ones; Start lets them in again, with
// nothing remembered but that the device exists: a server that was killed.
func (r *Relay) Stop() {
	r.mu.Lock()
	r.refuses = true
	for m := range r.media {
		m.Break(errReset)
	}
	r.mu.Unlock()
	r.tasks.Wait()
}

// Start undoes Stop.
func (r *Relay) Start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses, r.streams, r.epoch, r.revision = false, nil, "", 0
	clear(r.kept)
}

// Described are the numbers of the streams that the device has described since it was asked last, as often as it did.
func (r *Relay) Described() []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.told
	r.told = nil
	return told
}

// Shared is how many frames of data the device has sent for all.
func (r *Relay) Shared() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shared
}

// Routed is how many streams are copied to viewers, summed over them.
func (r *Relay) Routed() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.device != nil {
		for _, c := range r.device.conns {
			n += len(c.routes)
		}
	}
	return n
}

func (r *Relay) serve(device bool, link *Carrier, open []byte) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	heard := time.Now()
	r.mu.Lock()
	var receive func(wire.Frame)
	var leave func()
	if device {
		receive, leave = r.newDevice(link)
	} else {
		receive, leave = r.newViewer(link, open)
	}
	r.mu.Unlock()
	var mu sync.Mutex
	watch := func() { // as the server does
		for ctx.Err() == nil {
			keepAlive := r.keepAliveOf(device)
			mu.Lock()
			silent := time.Since(heard) > keepAlive*3/2
			mu.Unlock()
			if silent {
				link.Close(wire.CodeByName("silent"), "nothing came")
			}
			tell(link, wire.AppendProbe(nil, wire.Hop{}, wire.Probe{Heard: true}), wire.Setpoint, true)
			select {
			case <-ctx.Done():
			case <-time.After(max(keepAlive/3, keepAlive-10*time.Second)):
			}
		}
	}
	var watching sync.WaitGroup
	watching.Go(watch)
	_ = link.Run(ctx, func(packet []byte) {
		mu.Lock()
		heard = time.Now()
		mu.Unlock()
		for f, err := range wire.Frames(packet) {
			if err != nil {
				continue
			}
			r.mu.Lock()
			receive(f)
			r.mu.Unlock()
		}
	})
	cancel()
	watching.Wait()
	r.mu.Lock()
	leave()
	r.mu.Unlock()
}

func tell(link *Carrier, bytes []byte, class wire.Class, control bool) {
	link.Send(carrier.Frame{Bytes: bytes, Class: class, Control: control})
}

func tellSignal(link *Carrier, conn uint64, m signal.Message) {
	body, err := m.Append(nil)
	if err != nil {
		panic(err)
	}
	tell(link, wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{Conn: conn}, body), wire.Signal, false)
}

// forward sends a frame on under another conn number.
func forward(link *Carrier, f wire.Frame, conn uint64) {
	hop := f.Hop
	hop.Conn, hop.Store = conn, false
	out := carrier.Frame{Bytes: wire.AppendFrame(nil, f.Type, hop, f.Body), Class: wire.Signal, Conn: conn}
	if f.Type == wire.TypeData {
		h, _, err := wire.ParseData(f.Body)
		if err != nil {
			return
		}
		out.Class, out.Stream = h.Class, h.Stream
		if h.Deadline > 0 {
			out.Deadline = time.Now().Add(time.Duration(h.Deadline) * time.Millisecond)
		}
	}
	out.Control = f.Type != wire.TypeData && f.Type != wire.TypeSignal
	link.Send(out)
}
