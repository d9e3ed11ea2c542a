package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how a Conn begins at the device, and goes on after a break.

// Bounds of what a viewer may ask for in an open; servers keep to them, too.
const (
	maxID   = 64      // bytes of a Conn's UUID
	maxWant = 64      // globs
	maxGood = 1 << 40 // ms of a role, some 35 years
)

// open makes a Conn, or binds a known one to its new number. One that comes
// too often is not heard: its viewer repeats it.
func (h *Host) open(now time.Duration, number uint64, m signal.Message) {
	c := h.conns[m.ID]
	if m.ID == "" || len(m.ID) > maxID || len(m.Want) > maxWant || !h.hears(now, c, m) {
		h.meter.drop(session.Limit, 1)
		return
	}
	if c == nil {
		if !h.hasPlace(m.Role) && !h.evict(m.Role) {
			h.link.answer(number, rpc.MayOperate(m.Role), signal.Message{
				Type: signal.Refused, Code: "too-many",
				Reason: "the device already serves as many viewers as it can", Remedy: "close other pages that watch this device",
			})
			return
		}
		c = h.newConn(now, m.ID)
		h.cfg.Endpoint.log().Info("viewer joined", "conn", m.ID, "role", m.Role)
	}
	c.want, c.wanted, c.from, c.servers = m.Want, map[uint32]bool{}, m.From, m.Servers
	c.opened, c.until = true, 0
	if m.GoodMS > 0 {
		c.until = now + time.Duration(min(m.GoodMS, maxGood))*time.Millisecond
	}
	c.operator.setRole(m.Role)
	c.bind(now, number)
	c.accept(now, m)
	if m.Offer != nil {
		c.offered(now, directly, m.Offer.Attempt, m.Offer.SDP)
	}
	c.askAgain()
	c.step(now) // so that it has its paths before the next sample
	c.route()
	c.keepsake(now)
	h.tellState()
	h.cfg.OnWay()
}

// hears reports whether an open is within what may be asked of the device. c is its Conn, if that is known: that one's is nobody
// else's to use up. Those who may command share nothing with those who may not, who need no more than a viewer's token, or none.
func (h *Host) hears(now time.Duration, c *hostConn, m signal.Message) bool {
	opens := &h.opens
	if rpc.MayOperate(m.Role) {
		opens = &h.operatorOpens
	}
	if c != nil {
		return c.opens.take(now, 1)
	}
	return opens.take(now, 1)
}

// keptPlaces: beside so many viewers there is a place for one more who may command.
const keptPlaces = 8

// hasPlace reports whether there is a place for a Conn of that role.
func (h *Host) hasPlace(role string) bool {
	viewers := 0
	for _, c := range h.conns {
		if !rpc.MayOperate(c.operator.Role()) {
			viewers++
		}
	}
	kept := (h.cfg.MaxViewers + keptPlaces - 1) / keptPlaces
	return len(h.conns) < h.cfg.MaxViewers+kept && (viewers < h.cfg.MaxViewers || rpc.MayOperate(role))
}

// evict ends the Conn that has been without a path for longest, for one of that role: those who may command give way to nobody
// who may not.
func (h *Host) evict(role string) bool {
	var longest *hostConn
	for _, c := range h.conns {
		gives := rpc.MayOperate(role) || !rpc.MayOperate(c.operator.Role())
		if gives && len(c.paths.legs) == 0 && (longest == nil || c.lonely < longest.lonely) {
			longest = c
		}
	}
	if longest != nil {
		longest.end()
	}
	return longest != nil
}

// accept answers open: what streams there are, as far as the viewer does not
// have them from before, and where each begins. Known positions of this epoch
// are where a resumed Conn goes on.
func (c *hostConn) accept(now time.Duration, m signal.Message) {
	c.older = watchedBefore(m, c.host.epoch) || isEarlier(m.From, c.host.epoch)
	c.throughServer(signal.Message{
		Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(c.host.epoch), Now: micros(time.Now()),
		Relayed: !c.host.cfg.Endpoint.may(ladder.UDP) && !c.host.cfg.Endpoint.mayTurn(), Turned: c.allows(turned),
		History: c.host.keeps,
	})
	has := uint64(0)
	if m.Epoch == signal.FormatEpoch(c.host.epoch) {
		has = m.Revision
	}
	var untold []*Stream
	for _, s := range c.host.known {
		switch {
		case !c.wants(s):
			c.forget(s)
		case s.ring != nil || s.revision > has: // a start is told each time
			untold = append(untold, s)
		}
	}
	c.host.describe(c.answer, untold, func(s *Stream) signal.Stream {
		return s.describeFrom(c.start(now, s, m.Positions[s.id]))
	})
}

// watchedBefore reports whether the Conn of an open watched an earlier run of
// this program: then everything of this one is new to it. The numbers of streams say
// nothing by then, and a stream may be one that the earlier run did not have.
func watchedBefore(m signal.Message, epoch uint32) bool {
	if m.Epoch != "" {
		return isEarlier(m.Epoch+":0", epoch)
	}
	for _, position := range m.Positions {
		if isEarlier(position, epoch) {
			return true
		}
	}
	return false
}

// isEarlier reports whether a position is one of another run than epoch's.
func isEarlier(position string, epoch uint32) bool {
	before, _, err := signal.ParsePosition(position)
	return err == nil && before != epoch
}

// keepsake sends the newest values of slow Live streams, as retained ones,
// where the server's may be older. Fast ones come by themselves.
func (c *hostConn) keepsake(now time.Duration) {
	if !c.paths.has(c.relay) {
		return
	}
	for _, s := range c.host.known {
		age := max(now-s.newest.At, 0)
		isStored := !s.unstored && age > storeEvery
		if s.ring != nil || s.newest.Count == 0 || s.every < storeEvery || isStored || !c.wants(s) {
			continue
		}
		c.relay.send(s.keptFrame(wire.Hop{Conn: c.number, Retained: true, Held: uint64(age / time.Millisecond)}))
	}
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
func (c *hostConn) start(now time.Duration, s *Stream, position string) (after uint64) {
	if s.ring == nil {
		return 0
	}
	o, earlier := c.outboxes[s.id], c.older
	epoch, seq, err := signal.ParsePosition(position)
	switch {
	case position == "" && o != nil:
		after = o.Start()
	case position == "" && c.older:
		after = 0
	case position == "":
		after = c.firstStart(s)
	case err == nil && epoch == s.epoch:
		after, earlier = min(seq, s.ring.Head()), false
	default: // of an earlier run of this program: everything of this one is new
		after, o, earlier = 0, nil, true
	}
	if o == nil {
		c.begin(s, after, earlier)
		return after
	}
	o.Resume(now, after)
	return after
}

// begin makes the stream's outbox, in the place of one that there may be. earlier: what the device has kept of an earlier run may
// come first, and the viewer takes nothing of this one before.
func (c *hostConn) begin(s *Stream, after uint64, earlier bool) {
	c.forget(s)
	o := session.NewOutbox(s.ring, s.id, c.flight, after)
	if earlier && c.host.keeps {
		o.Tentative()
	}
	c.outboxes[s.id] = o
}

// forget drops the stream's outbox, if there is one.
func (c *hostConn) forget(s *Stream) {
	if o := c.outboxes[s.id]; o != nil {
		o.Close()
		delete(c.outboxes, s.id)
	}
}

// firstStart is where a Conn that never was here begins, by its `from`.
func (c *hostConn) firstStart(s *Stream) uint64 {
	switch c.from {
	case "", "head":
		return s.ring.Head()
	case "start":
		return s.ring.Oldest() - 1
	}
	epoch, seq, err := signal.ParsePosition(c.from)
	if err != nil || epoch != s.epoch {
		return 0
	}
	return min(seq, s.ring.Head())
}

// announce tells of a stream that was declared, or described anew, after the
// Conn was accepted.
func (c *hostConn) announce(now time.Duration, s *Stream) {
	if !c.wants(s) {
		return
	}
	if s.ring != nil && c.outboxes[s.id] == nil {
		c.begin(s, 0, c.older)
	}
	var after uint64
	if o := c.outboxes[s.id]; o != nil {
		after = o.Start()
	}
	c.tell(signal.Message{
		Type: signal.Describe, Epoch: signal.FormatEpoch(s.epoch), Streams: []signal.Stream{s.describeFrom(after)},
	})
	c.route()
}
