// Package room knows who is here: devices and what they said of themselves,
// viewers, and the Conns between them. It introduces the two (docs/protocol.md,
// section 6) and tells package relay which frames go where.
//
//	Room ── Device ── Session (the device's link, as long as it lasts)
//	  │        │          └─ binding: a Conn's number on that link
//	  │        └─ what outlives a Session: description, retained values, presence
//	  └──── Viewer (a viewer's link) ── Conn, by the viewer's number
//
// Locks: Room.mu guards who is here and is held for map work only. Frames in
// flight never need it: they go through Session.mu, Viewer.mu and the locks of
// package relay, each held for one look-up. Nothing is sent while a lock is
// held, but for a device's welcome, which must be the first it hears. Everything
// a person sees of presence is sent by one goroutine, Run, so that the newest
// state always arrives last; what an open is answered with is not, and Run
// repeats what has changed meanwhile.
package room

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Limits of a room. What goes beyond them is refused with a reason.
const (
	defaultMaxDevices  = 10_000 // known at once, about 2 KiB each and what they retain
	maxConnsPerViewer  = 256    // one page may show a fleet
	maxConnsPerDevice  = 4096
	keptConnsPerDevice = 256 // of these: for those who may command
	maxWant            = 64  // globs in an open, of at most a stream name's length
	maxCandidateList   = 64  // devices named in a refusal
	maxFacts           = 8
	maxFactName        = 32        // bytes
	maxFact            = 96        // bytes; with all facts and its name a device is 1 KiB in a list
	maxEpoch           = 8         // bytes: hex digits
	maxMeta            = 4 << 10   // bytes of one stream's meta
	maxDescription     = 256 << 10 // bytes of JSON of all a device's streams: 1 KiB for each of 256
	maxDescribed       = 32        // streams in one describe (section 6.3)
	describeFrameBytes = 48_000    // of one describe or devices we send; below wire.MaxSignal with room for quoting
)

// Link is a connection to a device or viewer. Neither method blocks.
type Link interface {
	relay.Sender
	Close(code wire.Code, reason string)
}

// Config of a Room. The zero Config works.
type Config struct {
	ID         string       // of this server, in records
	Name       string       // of this server, for people
	Peers      Peers        // other servers; nil: there are none
	MaxDevices int          // known at once; default 10,000
	MaxAway    int          // bytes held of all devices that are not linked here; default 256 MiB
	Store      Store        // keeps last seen; nil: memory only
	TURN       TURN         // nil: no TURN servers are told
	Log        *slog.Logger // default: discards
}

// Room is all that one server knows of devices and viewers.
type Room struct {
	cfg      Config
	counters Counters
	wake     chan struct{} // presence changed
	viewers  atomic.Uint64 // that ever entered
	searches *rate.Limiter

	mu          sync.Mutex
	devices     map[string]*Device // by id
	names       map[string]*Device // by name: those that are online
	watchers    map[*Viewer]bool   // false: has not got the full list yet
	changed     map[*Device]bool   // since the last announcement
	unsaved     map[*Device]bool   // since the last save
	alive       map[string]bool    // other servers
	lastSession uint64
	away        int // bytes held of devices that are not linked here
}

// Counters are what a Room counts, for metrics.
type Counters struct {
	Frames, Bytes atomic.Uint64 // that came in and were passed on to at least one link
	NoPath        atomic.Uint64 // frames for a Conn that is not, or no more, there
	UnknownStream atomic.Uint64 // Data of streams that were never described
	Limit         atomic.Uint64 // values not kept, or no more: too many streams, or too much of devices that are away
	Role          atomic.Uint64 // commands of viewers, who may not command
}

// New makes a Room that knows the devices of records, all of them offline.
func New(cfg Config, records []Record) *Room {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxDevices == 0 {
		cfg.MaxDevices = defaultMaxDevices
	}
	if cfg.MaxAway == 0 {
		cfg.MaxAway = maxAway
	}
	r := &Room{
		cfg:      cfg,
		wake:     make(chan struct{}, 1),
		searches: rate.NewLimiter(searchesPerSecond, searchesAtOnce),
		devices:  make(map[string]*Device),
		names:    make(map[string]*Device),
		watchers: make(map[*Viewer]bool),
		changed:  make(map[*Device]bool),
		unsaved:  make(map[*Device]bool),
		alive:    make(map[string]bool),
	}
	for _, rec := range records {
		r.devices[rec.ID] = rec.device(time.Now())
		r.lastSession = max(r.lastSession, rec.Session)
	}
	return r
}

// Counters are updated as frames go by.
func (r *Room) Counters() *Counters { return &r.counters }

// Run announces presence and saves last seen until ctx ends.
func (r *Room) Run(ctx context.Context) error {
	var saving sync.WaitGroup
	saving.Go(func() { r.keepSaving(ctx) })
	r.keepAnnouncing(ctx)
	saving.Wait()
	return ctx.Err()
}

// changedLocked marks d for announcement and saving.
func (r *Room) changedLocked(d *Device) {
	r.changed[d] = true
	if d.home == "" {
		r.unsaved[d] = true
	}
	r.poke()
}

func (r *Room) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// nextSessionLocked numbers sessions so that a later one is always greater,
// also after a restart: by the clock, and never back.
func (r *Room) nextSessionLocked(now time.Time) uint64 {
	r.lastSession = max(r.lastSession+1, uint64(max(now.UnixMicro(), 0)))
	return r.lastSession
}

func (c *Counters) passed(f wire.Frame) {
	c.Frames.Add(1)
	c.Bytes.Add(uint64(len(f.Body)))
}
