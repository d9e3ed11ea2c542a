package peer

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// world is a device, its viewers and a server in memory, for tests under
// testing/synctest.
type world struct {
	t      *testing.T
	relay  *peertest.Relay
	ether  *peertest.Ether
	turn   *peertest.Ether // of turned connections; used where the relay tells of servers
	device *device         // the present run of it
	size   int             // of a sample's payload, in bytes
	rests  bool            // the device is one of low power
	before func(d *device) // called with each run of the device before it starts; may be nil

	mu        sync.Mutex
	published map[uint32]uint64 // by epoch: last sequence number of the Event stream
}

const oneWay = 20 * time.Millisecond

func newWorld(t *testing.T, direct peertest.Config) *world {
	direct.FailAfter = 10 * time.Second // ICE's verdict
	w := &world{
		t: t, size: 12, relay: peertest.NewRelay(oneWay), ether: peertest.NewEther(direct),
		turn:      peertest.NewEther(peertest.Config{Rung: ladder.TurnUDP, Delay: 2 * oneWay, FailAfter: 10 * time.Second}),
		published: map[uint32]uint64{},
	}
	t.Cleanup(w.relay.Stop) // after all that was started later
	return w
}

// node is what devices and viewers have in common: one link, a program that runs.
type node struct {
	stop func() // ends Run and waits for it

	mu   sync.Mutex
	dead bool             // guarded by mu: dials no more
	link *peertest.Medium // guarded by mu: the newest
	legs []*peertest.Direct
}

func (n *node) dialer(r *peertest.Relay, device bool) dialer {
	return func(_ context.Context, _ *link, open []byte) (carrier.Carrier, error) {
		n.mu.Lock()
		dead := n.dead
		n.mu.Unlock()
		if dead {
			return nil, errors.New("killed")
		}
		c, m, err := r.Dial(device, open)
		if err != nil {
			return nil, err
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.link = m
		return c, nil
	}
}

// director makes connections in the ether of their kind.
func (w *world) director(n *node) newDirect {
	return func(cfg rtc.Config, _ rtc.Events) (direct, error) {
		if cfg.RelayOnly {
			return n.made(w.turn), nil
		}
		return n.made(w.ether), nil
	}
}

func (n *node) director(e *peertest.Ether) newDirect {
	return func(rtc.Config, rtc.Events) (direct, error) { return n.made(e), nil }
}

func (n *node) made(e *peertest.Ether) *peertest.Direct {
	d := e.New()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.legs = append(n.legs, d)
	return d
}

// medium is that of the newest link.
func (n *node) medium() *peertest.Medium {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link
}

// kill ends the program without a word.
func (n *node) kill() {
	n.mu.Lock()
	n.dead = true
	if n.link != nil {
		n.link.Break(errors.New("killed"))
	}
	for _, d := range n.legs {
		d.Break(errors.New("killed"))
	}
	n.mu.Unlock()
	n.stop()
}

// device is one run of the device's program. It publishes two streams.
type device struct {
	node
	world *world
	host  *Host
	event *Stream
	live  *Stream
	ways  atomic.Int32 // that HostConfig.OnWay told of
}

var deviceKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// boot starts the device's program anew.
func (w *world) boot(every time.Duration) *device {
	w.t.Helper()
	d := &device{world: w}
	h, err := NewHost(HostConfig{
		Endpoint: Endpoint{URL: "http://relay"}, Key: deviceKey, Name: "bench", LowPower: w.rests, OnWay: func() { d.ways.Add(1) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	d.host = h
	h.link.dial, h.direct = d.dialer(w.relay, true), w.director(&d.node)
	h.link.lift.dial = nil
	d.event, d.live = w.declare(h, "event", wire.Event), w.declare(h, "live", wire.Live)
	if w.before != nil {
		w.before(d)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.Run(ctx); err != nil {
			w.t.Error("Host.Run:", err)
		}
	})
	ticking, still := context.WithCancel(ctx)
	var ticker sync.WaitGroup
	ticker.Go(func() { d.publish(ticking, every) })
	d.stop = sync.OnceFunc(func() { still(); ticker.Wait(); cancel(); running.Wait() })
	w.t.Cleanup(d.stop)
	w.device = d
	return d
}

func (w *world) declare(h *Host, name string, class wire.Class) *Stream {
	s, err := h.Declare(StreamConfig{Name: name, Class: class})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// declareEvent declares one of many streams.
func (w *world) declareEvent(h *Host, i int) *Stream {
	return w.declare(h, fmt.Sprintf("event %d", i), wire.Event)
}

// publish counts: the value of a sample is its sequence number and epoch.
func (d *device) publish(ctx context.Context, every time.Duration) {
	for n := uint64(1); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		_ = d.live.Publish(1, value(d.live.epoch, n, 12))
		_ = d.event.Publish(1, value(d.event.epoch, n, d.world.size))
		d.world.mu.Lock()
		d.world.published[d.event.epoch] = n
		d.world.mu.Unlock()
	}
}

func value(epoch uint32, n uint64, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, epoch)
	binary.BigEndian.PutUint64(b[4:], n)
	return b
}
