package room

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Session is a device's link from its hello on. A newer session of the same
// device fences it: nothing it says afterwards has effect.
type Session struct {
	// Set once.
	room      *Room
	device    *Device
	number    uint64
	home      string // not empty: a shadow of the session that is at this server
	host      string // by which the device reached this server; empty: unknown
	epoch     string // as its hello has it, like hellos
	hellos    uint64
	link      Link
	keepAlive time.Duration
	wills     []will

	heard  Instant
	bye    atomic.Bool
	fenced atomic.Bool

	table relay.Table // who gets the shared frames

	mu       sync.Mutex
	bindings map[uint64]*binding // by the number on this link
	byConn   map[string]*binding // by the Conn's UUID
	lastConn uint64
}

// binding is a Conn's place in one Session.
type binding struct {
	conn    *Conn
	session *Session
	number  uint64
	leg     relay.Leg
}

// source tells the device's link who speaks through b: a viewer, whatever the
// number of its Conns, or one of those behind a trunk.
func (b *binding) source() uint64 {
	const behindTrunk = 1 << 63
	if b.conn.viewer.trunk {
		return behindTrunk | b.number
	}
	return b.conn.viewer.id
}

func newSession(r *Room, h Hello, link Link, now time.Time) *Session {
	s := &Session{
		room: r, link: link, keepAlive: h.KeepAlive, wills: h.wills, host: h.Host, epoch: h.Epoch, hellos: h.Hellos,
		bindings: make(map[uint64]*binding),
		byConn:   make(map[string]*binding),
	}
	s.heard.Begin(now)
	return s
}

// ID is the device's id.
func (s *Session) ID() string { return s.device.id }

// Number is the session's: later ones of the device have greater numbers.
func (s *Session) Number() uint64 { return s.number }

// KeepAlive is what the device asked for.
func (s *Session) KeepAlive() time.Duration { return s.keepAlive }

// Heard notes that something came.
func (s *Session) Heard(now time.Time) { s.heard.Set(now) }

// wrongFrom is from where on a difference of clocks is worth a word: people set them by hand to a few seconds.
const wrongFrom = 5 * time.Second

// Clock takes how far the device's clock is ahead of this server's, give or take err. It reports whether it may be right.
func (s *Session) Clock(ahead, err time.Duration) (right bool) {
	right = ahead.Abs()-err < wrongFrom
	if right {
		ahead = 0
	}
	r, d := s.room, s.device
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.session == s && (right != (d.ahead == 0) || (ahead-d.ahead).Abs() >= wrongFrom) {
		d.ahead = ahead
		r.changedLocked(d)
	}
	return right
}

func (s *Session) lastHeard() time.Time { return s.heard.Get() }

// fenceLocked ends the session's effect and returns the Conns it had. It needs Room.mu.
func (s *Session) fenceLocked() (bindings []*binding) {
	s.fenced.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bindings {
		s.table.Remove(&b.leg)
		b.conn.unbind(b)
		bindings = append(bindings, b)
	}
	clear(s.bindings)
	clear(s.byConn)
	return bindings
}

// bind gives a Conn a number on this link, or finds the one it has. A Conn
// that comes again on another link of its viewer leaves the old one: older is
// what it was there.
func (s *Session) bind(c *Conn) (b, older *binding, refusal *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if older = s.byConn[c.id]; older != nil {
		if older.conn == c {
			return older, nil, nil
		}
		s.dropLocked(older)
	}
	most := maxConnsPerDevice
	if !c.commands.Load() {
		most -= keptConnsPerDevice
	}
	if len(s.bindings) >= most {
		return nil, older, &Refusal{Code: "too-many", Reason: "the device has as many viewers as the server allows", Remedy: "close some of them"}
	}
	s.lastConn++
	b = &binding{conn: c, session: s, number: s.lastConn}
	b.leg = relay.Leg{To: c.viewer.link, Conn: c.number, Trunk: c.viewer.trunk}
	s.bindings[b.number], s.byConn[c.id] = b, b
	c.bound.Store(b)
	return b, older, nil
}

// unbind frees a Conn's number.
func (s *Session) unbind(b *binding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bindings[b.number] == b {
		s.dropLocked(b)
	}
}

func (s *Session) dropLocked(b *binding) {
	s.table.Remove(&b.leg)
	b.conn.unbind(b)
	delete(s.bindings, b.number)
	delete(s.byConn, b.conn.id)
}

func (s *Session) binding(number uint64) *binding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bindings[number]
}

// Handle takes one frame from the device, except what asks the link itself
// (Probe, Echo without a conn number). The error is for the device.
func (s *Session) Handle(f wire.Frame, now time.Time) *Refusal {
	if s.fenced.Load() {
		return nil
	}
	l, known, err := relay.LabelFrame(f, now)
	l.Source = s.number
	switch {
	case err != nil:
		return malformed("frame of type %d: %v", f.Type, err)
	case !known:
		return nil
	case f.Hop.Conn != 0:
		return s.toConn(f, l)
	}
	switch f.Type {
	case wire.TypeData:
		return s.share(f, l, now)
	case wire.TypeGap:
		s.table.Publish(f, l)
	case wire.TypeSignal:
		return s.signal(f.Body)
	}
	return nil
}

// share keeps a shared Data frame as the stream's value and copies it to who is routed to it.
func (s *Session) share(f wire.Frame, l relay.Label, now time.Time) *Refusal {
	if len(f.Body) > wire.MaxData {
		return tooLarge("Data frame", len(f.Body), wire.MaxData)
	}
	if s.home != "" { // kept and checked there
		s.table.Publish(f, l)
		return nil
	}
	h, _, err := wire.ParseData(f.Body)
	if err != nil || h.Will {
		return malformed("a will is published by the server alone")
	}
	if !s.device.description.knows(h.Stream) {
		s.room.counters.UnknownStream.Add(1)
		return &Refusal{
			Code: "malformed", Soft: true,
			Reason: fmt.Sprintf("data of stream %d, which was not described", h.Stream),
			Remedy: "send describe before the first data of a stream",
		}
	}
	if !s.device.retained.Keep(h, f.Body, now) {
		s.room.counters.Limit.Add(1)
	}
	if !f.Hop.Store && s.table.Publish(f, l) > 0 {
		s.room.counters.passed(f)
	}
	return nil
}

// toConn sends a frame on to one viewer.
func (s *Session) toConn(f wire.Frame, l relay.Label) *Refusal {
	b := s.binding(f.Hop.Conn)
	if b == nil {
		s.room.counters.NoPath.Add(1)
		return nil
	}
	if f.Type == wire.TypeSignal {
		return s.signalToConn(b, f, l)
	}
	if len(f.Body) > wire.MaxData && f.Type == wire.TypeData {
		return tooLarge("Data frame", len(f.Body), wire.MaxData)
	}
	if refusal := checkAnswer(f); refusal != nil {
		return refusal
	}
	relay.Forward(b.conn.viewer.link, f, l, b.conn.number)
	s.room.counters.passed(f)
	return nil
}

func (s *Session) signalToConn(b *binding, f wire.Frame, l relay.Label) *Refusal {
	m, err := signal.Parse(f.Body)
	if err != nil {
		return malformed("%v", err)
	}
	if refusal := checkRTC(m); refusal != nil {
		return refusal
	}
	switch m.Type {
	case signal.Route:
		if len(m.Routed) > wire.MaxStreams {
			return malformed("route of %d streams, more than %d", len(m.Routed), wire.MaxStreams)
		}
		s.table.Route(&b.leg, m.On, m.Routed)
		if !b.leg.Trunk {
			return nil
		}
	case signal.Opened, signal.State, signal.Devices, signal.Welcome, signal.Refuse, signal.Challenge, signal.Away:
		if s.home == "" {
			return malformed("a %s comes from the server alone", m.Type)
		}
	}
	return pass(b.conn.viewer.link, relayed(f, l, b.conn.number))
}

// signal takes what a device tells the server.
func (s *Session) signal(body []byte) *Refusal {
	m, err := signal.Parse(body)
	if err != nil {
		return malformed("%v", err)
	}
	switch m.Type {
	case signal.Describe:
		fresh, err := s.device.description.merge(m)
		if fresh {
			s.device.retained.Clear()
		}
		if err != nil {
			return malformed("describe: %v", err)
		}
	case signal.Bye:
		s.bye.Store(true)
	}
	return nil
}
