package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// DefaultKeepAlive is how often an end of a link says something, at least.
const DefaultKeepAlive = 3 * time.Second

// HostConfig configures a device's side.
type HostConfig struct {
	Endpoint  Endpoint
	Key       ed25519.PrivateKey // the device's identity
	Name      string             // its label, 1 … 64 bytes
	Agent     string             // program and version, for people
	Facts     map[string]string  // short strings for people: os, arch, host, model
	KeepAlive time.Duration      // default DefaultKeepAlive
	RTC       rtc.Config
	OnState   func(HostState) // called from Run's goroutine when the link comes or goes; must not block
}

// HostState says how a Host stands with its server.
type HostState struct {
	Linked  bool
	Err     error // why it is not linked; nil at the beginning
	Viewers int
}

var (
	errBatch    = errors.New("peer: a batch has 1 to 1024 samples and at most 16 kB")
	errStreams  = fmt.Errorf("peer: a device has at most %d streams", wire.MaxStreams)
	errDeclared = errors.New("peer: a stream of that name is declared already")
)

// Host is the device's side: it publishes streams to all viewers there are.
// Declare and a Stream's methods may be called from any goroutine, at any time.
type Host struct {
	cfg    HostConfig     // set once
	tasks  sync.WaitGroup // of data-channel connections
	id     string
	epoch  uint32
	loop   *loop
	direct newDirect    // nil: rtc's
	oneWay atomic.Int64 // ns, of the nearest viewer's path; for Stream.Window

	// Owned by the loop.
	link     *link
	welcomed bool
	conns    map[string]*hostConn // by Conn id
	numbers  map[uint64]*hostConn // by conn number on this link
	lastLeg  int
	budget   *session.Budget
	storeAt  time.Duration

	mu      sync.Mutex
	streams []*Stream // guarded by mu; stream i has id i+1
	fresh   []*Stream // guarded by mu; have batches for the loop
	taken   []*Stream // owned by the loop: the list that fresh is exchanged with
	wills   []wire.Frame
}

// NewHost checks the configuration. Nothing runs before Run.
func NewHost(cfg HostConfig) (*Host, error) {
	if err := wire.CheckName(cfg.Name, wire.MaxDeviceName); err != nil {
		return nil, fmt.Errorf("device name: %w", err)
	}
	if len(cfg.Key) != ed25519.PrivateKeySize {
		return nil, errors.New("peer: a host needs an Ed25519 key")
	}
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = DefaultKeepAlive
	}
	url, err := cfg.Endpoint.linkURL()
	if err != nil {
		return nil, err
	}
	h := &Host{
		cfg: cfg, id: DeviceID(cfg.Key.Public().(ed25519.PublicKey)), epoch: randomEpoch(), loop: newLoop(),
		conns: map[string]*hostConn{}, numbers: map[uint64]*hostConn{},
		budget: session.NewBudget(0),
	}
	h.oneWay.Store(int64(2 * maxWindow))
	h.link = &link{endpoint: cfg.Endpoint, url: url, loop: h.loop, keepAlive: cfg.KeepAlive, onUp: h.linkUp, onDown: h.linkDown}
	return h, nil
}

// DeviceID is the id of the device with that key: 32 hex digits.
func DeviceID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:16])
}

func randomEpoch() uint32 {
	var b [4]byte
	for {
		_, _ = rand.Read(b[:]) // never fails (crypto/rand.Read)
		if e := binary.BigEndian.Uint32(b[:]); e != 0 {
			return e
		}
	}
}

// ID is the device's id.
func (h *Host) ID() string { return h.id }

// Declare adds a stream.
func (h *Host) Declare(cfg StreamConfig) (*Stream, error) {
	if err := wire.CheckName(cfg.Name, wire.MaxStreamName); err != nil {
		return nil, fmt.Errorf("stream name: %w", err)
	}
	if cfg.Class != wire.Live && cfg.Class != wire.Event {
		return nil, fmt.Errorf("stream %s: class %v cannot be published, want live or event", cfg.Name, cfg.Class)
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = defaultDeadline
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.streams) == wire.MaxStreams {
		return nil, errStreams
	}
	for _, s := range h.streams {
		if s.cfg.Name == cfg.Name {
			return nil, fmt.Errorf("%w: %s", errDeclared, cfg.Name)
		}
	}
	s := &Stream{host: h, id: uint32(len(h.streams) + 1), cfg: cfg, epoch: h.epoch}
	if cfg.Class == wire.Event {
		s.ring = session.NewRing(h.epoch, h.budget)
	}
	h.streams = append(h.streams, s)
	go h.loop.post(func() { h.announce(s) })
	return s, nil
}

// SetWill sets what the server publishes on the stream when the device is cut
// off. It counts from the next link on.
func (h *Host) SetWill(s *Stream, payload []byte) {
	header := wire.Header{Class: wire.Event, Stream: s.id, Epoch: randomEpoch(), Seq: 1, Count: 1, Will: true}
	body := append(wire.AppendHeader(nil, header), payload...)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wills = append(h.wills, wire.Frame{Type: wire.TypeData, Body: body})
}

// wake tells the loop that s has fresh batches.
func (h *Host) wake(s *Stream) {
	h.mu.Lock()
	h.fresh = append(h.fresh, s)
	h.mu.Unlock()
	h.loop.kick()
}

// flushTime is how long Run waits for acknowledgements when it is told to end.
const flushTime = 2 * time.Second

// Run serves viewers until ctx ends, then says goodbye, or until the server
// refuses the device for good; that is the error it returns.
func (h *Host) Run(ctx context.Context) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	refused := make(chan error, 1)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		if err := h.link.keep(inner); err != nil && inner.Err() == nil {
			refused <- err
			cancel()
		}
	})
	tasks.Go(func() {
		select {
		case <-ctx.Done():
			h.farewell(inner)
			cancel()
		case <-inner.Done():
		}
	})
	h.loop.run(inner, h.handle, h.step)
	cancel()
	for _, c := range h.conns {
		c.end()
	}
	tasks.Wait()
	h.tasks.Wait()
	select {
	case err := <-refused:
		return err
	default:
		return nil
	}
}

// farewell gives what is unacknowledged up to flushTime to arrive, and then
// tells everybody that the device ends on purpose.
func (h *Host) farewell(ctx context.Context) {
	for end := time.Now().Add(flushTime); time.Now().Before(end); {
		waiting := make(chan bool, 1)
		h.loop.post(func() { h.publish(h.loop.now()); waiting <- h.unacknowledged() })
		select {
		case <-ctx.Done():
			return
		case more := <-waiting:
			if !more {
				end = time.Time{}
			}
			time.Sleep(byeTime)
		}
	}
	h.loop.post(h.bye)
	time.Sleep(byeTime)
}

// byeTime lets the last packets leave the queues.
const byeTime = 20 * time.Millisecond

func (h *Host) handle(from *leg, packet []byte) {
	now := h.loop.now()
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			h.cfg.Endpoint.log().Debug("malformed packet", "err", err)
			return
		}
		packet = rest
		if c, ok := from.conn.(*hostConn); ok {
			c.frame(now, from, f)
			continue
		}
		if h.link.leg == from && !h.link.heard(now, f) {
			h.linkFrame(now, f)
		}
	}
}

func (h *Host) step(now time.Duration) (wake time.Duration) {
	h.publish(now)
	wake = h.link.step(now)
	oneWay := 2 * maxWindow
	for _, c := range h.conns {
		wake = min(wake, c.step(now))
		if rtt := c.paths.rtt(); rtt > 0 {
			oneWay = min(oneWay, rtt/2)
		}
	}
	h.oneWay.Store(int64(oneWay))
	if h.welcomed {
		if now >= h.storeAt {
			h.store(now)
		}
		wake = min(wake, h.storeAt)
	}
	return wake
}

func (h *Host) nextLeg() int {
	h.lastLeg++
	return h.lastLeg
}

// signalOf parses a Signal frame's body; a bad one is logged and skipped.
func (h *Host) signalOf(f wire.Frame) (signal.Message, bool) {
	m, err := signal.Parse(f.Body)
	if err != nil {
		h.cfg.Endpoint.log().Warn("bad signal from the server", "err", err)
	}
	return m, err == nil
}
