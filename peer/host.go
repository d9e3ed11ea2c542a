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

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// DefaultPastShare is how much of what a path carries a device's past takes, in %: what is live comes first.
const DefaultPastShare = session.DefaultPaceShare

// DefaultMaxViewers is how many viewers a device serves at once.
const DefaultMaxViewers = 64

// DefaultKeepAlive is how often an end of a link says something, at least.
const DefaultKeepAlive = 3 * time.Second

// LowPowerKeepAlive is the same for a device of low power that nobody watches.
const LowPowerKeepAlive = time.Minute

// HostConfig configures a device's side.
type HostConfig struct {
	Endpoint  Endpoint
	Key       ed25519.PrivateKey // the device's identity
	Name      string             // its label, 1 … 64 bytes
	Agent     string             // program and version, for people
	Facts     map[string]string  // short strings for people: os, arch, host, model
	KeepAlive time.Duration      // default DefaultKeepAlive; with LowPower LowPowerKeepAlive
	Known     bool               // a server has let the device in at an earlier start: see Host.Run
	LowPower  bool               // while nobody watches, values are stored once in 4/5 of KeepAlive; default: each second
	// MaxViewers is how many are served at once, each with up to a few hundred kB. Beside them there are places for an eighth
	// of that, rounded up, which only who may command is given. Default: DefaultMaxViewers.
	MaxViewers int
	RTC        rtc.Config
	Keeper     Keeper  // gets a copy of everything; default: none
	PastShare  int     // how much of what a path carries what was kept may take, in %, 1 … 100; default DefaultPastShare
	Control    Control // decides what commands do; default: none are offered

	// Clock is what the times of samples are read from. Viewers measure it. Default: time.Now.
	Clock func() time.Time

	// Dial makes links in another way than over the network to Endpoint. Default: nil.
	Dial func(ctx context.Context) (carrier.Carrier, error)

	OnState func(HostState) // called, one at a time, when the link or a viewer comes or goes, perhaps from within Publish; must not block

	// OnWay is called when there is another way to a viewer, who may wait for a first sample: what waits for company (Stream.Window) need not
	// any more. Perhaps from within Publish; must not block. Default: nothing.
	OnWay func()
}

// HostState says how a Host stands with its server.
type HostState struct {
	Linked  bool
	Err     error // why it is not linked; nil at the beginning
	Viewers int
}

var (
	errStreams  = fmt.Errorf("peer: a device has at most %d streams", wire.MaxStreams)
	errDeclared = errors.New("peer: a stream of that name is already declared")
	errNoKeeper = errors.New("peer: a durable stream needs something that keeps it, and there is none")
)

// Host is the device's side: it publishes streams to all viewers there are.
// Its methods may be called from any goroutine, at any time.
type Host struct {
	cfg    HostConfig // set once
	keeps  bool       // there is a Keeper
	id     string
	epoch  uint32
	loop   *loop
	direct newDirect
	meter  meter
	tasks  sync.WaitGroup // of data-channel connections
	oneWay atomic.Int64   // ns, of the nearest viewer's path; for Stream.Window

	// Owned by the loop.
	link     *link
	welcomed bool
	hellos   uint64 // said so far
	left     bool   // goodbye is said: from then on nobody is greeted
	state    HostState
	conns    map[string]*hostConn // by Conn id
	numbers  map[uint64]*hostConn // by conn number on this link
	opens    budget               // of those who may not command
	lastLeg  int
	hadIn    time.Duration // how long servers have had the device in, on the links before this one
	inSince  time.Duration // when the one of this link let it in, if it has

	operatorOpens budget // of those who may
	rings         *session.Budget
	known         []*Stream     // those of streams that the loop has taken over; stream i has id i+1
	revision      uint64        // of the descriptions of known
	toldUpTo      uint64        // revision that the server has, or that was sent on this link
	storeAt       time.Duration // when the server is sent the newest values that it lacks
	unstored      bool          // it lacks some
	driven        time.Duration // until when somebody drives, for all that is known
	told          bool          // of frames that cannot be read

	mu        sync.Mutex
	streams   []*Stream   // guarded by mu; only grows
	described []*Stream   // guarded by mu; described anew, and nobody was told yet
	fresh     []*Stream   // guarded by mu; have batches for the loop
	taken     []*Stream   // owned by the loop: the list that fresh is exchanged with
	speakers  []*operator // guarded by mu; have something to say
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
		if cfg.LowPower {
			cfg.KeepAlive = LowPowerKeepAlive
		}
	}
	if cfg.MaxViewers == 0 {
		cfg.MaxViewers = DefaultMaxViewers
	}
	if cfg.RTC.Log == nil {
		cfg.RTC.Log = cfg.Endpoint.Log
	}
	keeps := cfg.Keeper != nil
	if !keeps {
		cfg.Keeper = noKeeper{}
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.OnWay == nil {
		cfg.OnWay = func() {}
	}
	h := &Host{
		cfg: cfg, keeps: keeps, id: DeviceID(cfg.Key.Public().(ed25519.PublicKey)), epoch: randomEpoch(), revision: 1, loop: newLoop(), direct: newRTC,
		conns: map[string]*hostConn{}, numbers: map[uint64]*hostConn{},
		rings: session.NewBudget(0),
	}
	h.opens = budget{rate: openRate, burst: openBurst * float64(cfg.MaxViewers)}
	h.operatorOpens = h.opens
	h.oneWay.Store(int64(unknownWay))
	var err error
	if h.link, err = newLink(cfg.Endpoint, h.loop, &h.meter, cfg.KeepAlive); err != nil {
		return nil, err
	}
	if cfg.Dial != nil {
		h.link.dial = func(ctx context.Context, _ *link, _ []byte) (carrier.Carrier, error) { return cfg.Dial(ctx) }
		h.link.lift.dial = nil
	}
	h.link.wall = cfg.Clock
	h.link.known.Store(cfg.Known)
	h.link.onSettled, h.link.carries, h.link.lift.idle = func() {}, h.relays, deviceIdleAfter
	h.link.onUp, h.link.onMoved, h.link.onDown, h.link.onNetwork = h.linkUp, h.linkMoved, h.linkDown, h.networkChanged
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

// Stats counts what was moved and dropped on all paths to all viewers.
func (h *Host) Stats() Stats { return h.meter.stats() }

// Declare adds a stream.
func (h *Host) Declare(cfg StreamConfig) (*Stream, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = defaultDeadline
	}
	if cfg.Durable && !h.keeps {
		return nil, fmt.Errorf("stream %s: %w", cfg.Name, errNoKeeper)
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
	h.streams = append(h.streams, s)
	h.loop.kick()
	return s, nil
}

// wake tells the loop that s has fresh batches.
func (h *Host) wake(s *Stream) {
	h.mu.Lock()
	h.fresh = append(h.fresh, s)
	h.mu.Unlock()
	h.loop.stepNow()
}

// redescribe tells the loop that s has a new description.
func (h *Host) redescribe(s *Stream) {
	h.mu.Lock()
	h.described = append(h.described, s)
	h.mu.Unlock()
	h.loop.kick()
}
