package peer

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// awayMax is how long a Conn lives on without its viewer's link.
const awayMax = 60 * time.Second

// hostConn is the device's end of one Conn. It is owned by the Host's loop.
type hostConn struct {
	host   *Host
	id     string
	number uint64 // on the present link; 0 while there is none
	role   string
	want   []string
	wanted map[uint32]bool // by stream: what want says, worked out once
	from   string

	paths    *paths
	relay    *leg // nil while the viewer's or our link is away
	awayAt   time.Duration
	flight   *session.Flight
	outboxes map[uint32]*session.Outbox
	started  map[uint32]uint64 // per stream of class Event: where delivery began
	routed   []uint32          // streams whose shared frames the relay copies to this Conn
	attempts attempts
}

// open makes a Conn, or binds a known one to its new number.
func (h *Host) open(now time.Duration, number uint64, m signal.Message) {
	if number == 0 || m.ID == "" {
		return
	}
	c := h.conns[m.ID]
	if c == nil {
		if len(h.conns) >= maxConns {
			h.link.signal(number, signal.Message{Type: signal.Refused, Code: "too-many", Reason: "the device serves as many viewers as it can", Remedy: "close other pages that watch this device"})
			return
		}
		c = &hostConn{
			host: h, id: m.ID, paths: newPaths(time.Now), flight: session.NewFlight(0),
			outboxes: map[uint32]*session.Outbox{}, started: map[uint32]uint64{},
		}
		c.attempts = attempts{
			loop: h.loop, conn: c, rtc: h.cfg.RTC, direct: h.direct, nextID: h.nextLeg, tasks: &h.tasks, signal: c.throughServer,
			ready: c.climbed, over: c.fell, prepared: func() {},
		}
		c.paths.ladder.Watch(now, true)
		h.conns[m.ID] = c
		h.cfg.Endpoint.log().Info("viewer joined", "conn", m.ID, "role", m.Role)
	}
	c.role, c.want, c.wanted, c.from = m.Role, m.Want, map[uint32]bool{}, m.From
	c.bind(now, number)
	c.accept(now, m.Positions)
	c.step(now) // so that it has its paths before the next sample
	if m.Offer != nil {
		c.offered(m.Offer.Attempt, m.Offer.SDP)
	}
	h.tellState(nil)
}

// maxConns is how many viewers a device serves at most, each with up to a few hundred kB.
const maxConns = 64

// bind makes the link a leg of the Conn, under that number.
func (c *hostConn) bind(now time.Duration, number uint64) {
	c.unbind(now)
	c.number = number
	c.host.numbers[number] = c
	c.relay = &leg{id: c.host.nextLeg(), carrier: c.host.link.leg.carrier, number: number, conn: c}
	c.routed = nil
	c.paths.up(now, c.relay)
	// That the viewer's open came and the server took ours is the first proof (protocol, 7.2).
	c.paths.ladder.Proved(now, c.relay.id, 0)
}

// unbind takes the link away from the Conn.
func (c *hostConn) unbind(now time.Duration) {
	if c.relay == nil {
		return
	}
	c.paths.down(now, c.relay)
	delete(c.host.numbers, c.number)
	c.relay, c.number, c.routed, c.awayAt = nil, 0, nil, now
}

// end gives up everything the Conn holds.
func (c *hostConn) end() {
	c.attempts.closeAll()
	delete(c.host.conns, c.id)
	delete(c.host.numbers, c.number)
	c.host.cfg.Endpoint.log().Info("viewer left", "conn", c.id)
}

// accept answers open: what streams there are and where each begins. Known
// positions of this epoch are where a resumed Conn goes on.
func (c *hostConn) accept(now time.Duration, positions map[uint32]string) {
	c.tell(signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(c.host.epoch), Now: micros(time.Now())})
	c.host.describeAll(c.number, c.host.link.signal, func(s *Stream) (uint64, bool) {
		if !c.wants(s) {
			return 0, false
		}
		return c.start(now, s, positions[s.id]), true
	})
}

// wants reports whether the viewer asked for the stream.
func (c *hostConn) wants(s *Stream) bool {
	wanted, known := c.wanted[s.id]
	if !known {
		wanted = signal.Wanted(c.want, s.cfg.Name)
		c.wanted[s.id] = wanted
	}
	return wanted
}

// start begins or resumes the delivery of a stream and says after which
// sequence number.
func (c *hostConn) start(now time.Duration, s *Stream, position string) uint64 {
	if s.ring == nil {
		return 0
	}
	after, known := c.started[s.id]
	if position != "" {
		if epoch, seq, err := signal.ParsePosition(position); err == nil && epoch == s.epoch && seq <= s.ring.Head() {
			after = seq
		} else {
			after = 0 // of an earlier run of this program: everything of this one is new
		}
	} else if !known {
		after = c.firstStart(s)
	}
	if o := c.outboxes[s.id]; o != nil && known {
		o.Ack(now, wire.Position{Stream: s.id, Epoch: s.epoch, Seq: after})
		o.Switched(now)
		return after
	}
	c.started[s.id] = after
	c.outboxes[s.id] = session.NewOutbox(s.ring, s.id, c.flight, after)
	return after
}

// firstStart is where a Conn that never was here begins, by its `from`.
func (c *hostConn) firstStart(s *Stream) uint64 {
	switch c.from {
	case "", "head":
		return s.ring.Head()
	case "start":
		return max(s.ring.Oldest(), 1) - 1
	}
	epoch, seq, err := signal.ParsePosition(c.from)
	if err != nil || epoch != s.epoch || seq > s.ring.Head() {
		return 0
	}
	return seq
}

// announce tells of a stream that was declared after the Conn was accepted.
func (c *hostConn) announce(now time.Duration, s *Stream) {
	if !c.wants(s) {
		return
	}
	if _, known := c.started[s.id]; !known && s.ring != nil {
		c.started[s.id] = 0
		c.outboxes[s.id] = session.NewOutbox(s.ring, s.id, c.flight, 0)
	}
	c.tell(signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(s.epoch), Streams: []signal.Stream{s.describeFrom(c.started[s.id])}})
	c.route()
}

// throughServer sends a signal to the viewer on the link.
func (c *hostConn) throughServer(m signal.Message) bool {
	return c.relay != nil && c.host.link.signal(c.number, m)
}

// offered answers a viewer's offer, unless it is an old one.
func (c *hostConn) offered(number uint64, sdp string) {
	if number > c.attempts.newest() {
		c.attempts.begin(number, answer(number, sdp))
	}
}

// climbed: a data-channel connection is open and wants to be proved.
func (c *hostConn) climbed(now time.Duration, t *attempt) {
	c.paths.up(now, t.leg)
	c.host.cfg.Endpoint.log().Info("direct path open", "conn", c.id, "rung", t.leg.carrier.Rung().String())
}

// fell: a data-channel connection is over.
func (c *hostConn) fell(now time.Duration, t *attempt, err error) {
	c.paths.down(now, t.leg)
	if err != nil {
		c.host.cfg.Endpoint.log().Info("direct path ended", "conn", c.id, "err", err)
	}
}

// tell sends a signal on all paths in use, and on the link if there is one.
func (c *hostConn) tell(m signal.Message) {
	c.throughServer(m)
	for _, g := range c.paths.use {
		if g == c.relay {
			continue
		}
		if f, err := signalFrame(0, m); err == nil {
			g.send(f)
		}
	}
}

// publish sends a batch that was just made to this Conn, if it wants it, and
// reports whether the shared frame on the link has to carry it.
func (c *hostConn) publish(now time.Duration, s *Stream, b session.Batch) (relayed bool) {
	if !c.wants(s) {
		return false
	}
	if o := c.outboxes[s.id]; o != nil {
		if !o.Follows(now, b) {
			c.route()
			return false
		}
	}
	for _, g := range c.paths.use {
		if g == c.relay {
			relayed = true
			continue
		}
		g.send(s.frame(wire.Hop{}, b, now))
	}
	return relayed
}

// route keeps the server informed which shared frames it shall copy to this
// Conn: none while a direct path carries alone, and not those of streams that
// catch up in frames of their own.
func (c *hostConn) route() {
	if c.relay == nil {
		return
	}
	var streams []uint32
	if slices.Contains(c.paths.use, c.relay) {
		for _, s := range c.host.all() {
			if o := c.outboxes[s.id]; c.wants(s) && (o == nil || o.Following()) {
				streams = append(streams, s.id)
			}
		}
	}
	if slices.Equal(streams, c.routed) {
		return
	}
	c.routed = streams
	c.host.link.signal(c.number, signal.Message{Type: signal.Route, On: len(streams) > 0, Routed: streams})
}

// frame takes a frame of the viewer that came on g.
func (c *hostConn) frame(now time.Duration, g *leg, f wire.Frame) {
	if c.paths.heard(now, g, f) {
		return
	}
	switch f.Type {
	case wire.TypeAck:
		_, positions, err := wire.ParseAck(f.Body)
		if err != nil {
			return
		}
		for _, p := range positions {
			if o := c.outboxes[p.Stream]; o != nil && p.Epoch == c.host.epoch {
				o.Ack(now, p)
			}
		}
	case wire.TypeSignal:
		if m, ok := c.host.signalOf(f); ok {
			c.signal(now, m)
		}
	}
}

func (c *hostConn) signal(now time.Duration, m signal.Message) {
	switch m.Type {
	case signal.Offer:
		c.offered(m.Attempt, m.SDP)
	case signal.Candidate:
		c.attempts.fromRemote(m)
	case signal.Away:
		c.unbind(now)
	case signal.Close:
		c.end()
	}
}

// step sends what is due and says when to be called again.
func (c *hostConn) step(now time.Duration) (wake time.Duration) {
	added, changed := c.paths.step(now)
	if len(added) > 0 {
		for _, o := range c.outboxes {
			o.Switched(now)
		}
	}
	wake = c.paths.decision.Wake
	for id, o := range c.outboxes {
		following := o.Following()
		c.resend(now, id, o)
		changed = changed || following != o.Following()
		if len(c.paths.use) > 0 {
			wake = min(wake, o.Wake())
		}
	}
	if changed {
		c.route()
	}
	if c.relay == nil && now > c.awayAt+awayMax && len(c.paths.legs) == 0 {
		c.end()
	}
	return wake
}

// resend sends what an outbox has due: repairs and what catches up, in frames
// of this Conn's own.
func (c *hostConn) resend(now time.Duration, stream uint32, o *session.Outbox) {
	if len(c.paths.use) == 0 {
		return
	}
	for {
		item, ok := o.Next(now, c.paths.rtt())
		if !ok {
			return
		}
		if item.Gap.From != 0 {
			c.paths.send(wire.TypeGap, wire.Hop{}, wire.AppendGap(nil, item.Gap), carrier.Frame{Control: true})
			continue
		}
		c.paths.send(wire.TypeData, wire.Hop{}, item.Batch.Body, carrier.Frame{Class: wire.Event, Stream: stream})
	}
}

func (c *hostConn) unacknowledged() bool {
	for _, o := range c.outboxes {
		if len(c.paths.use) > 0 && !o.Following() {
			return true
		}
	}
	return len(c.paths.use) > 0 && c.flight.Used() > 0
}
