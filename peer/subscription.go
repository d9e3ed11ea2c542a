package peer

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// subscription is one stream at the viewer.
type subscription struct {
	signal.Stream
	class wire.Class
	inbox *session.Inbox // nil until the device has told epoch and start
	epoch uint32         // of inbox; of the description before there is one
	out   []session.Delivery
	via   *leg   // the leg that data came on last
	ended bool   // the device said goodbye, and that
	final uint64 // is the last sample of the epoch

	after  uint64        // of class Event: delivery began behind this sample of inbox's epoch
	sought uint64        // of class Event: the spool was asked for this sample, which the ring had no more; 0: for none
	got    ranges        // of class Live: what of inbox's epoch was delivered
	heard  time.Duration // when data came last
	newest uint64        // last sequence number of inbox's epoch that was delivered
	torn   uint64        // the newest when nothing came for long, lately: behind tornAt; 0: it did not
	tornAt time.Duration
	stamps session.Stamps
	kept   place  // of the newest retained value that was delivered
	will   uint32 // epoch of the last will that was delivered
}

// place names a sample of a stream.
type place struct {
	epoch uint32
	seq   uint64
}

// describe adds or replaces descriptions, and begins reception where the
// device tells a start.
func (c *Conn) describe(m signal.Message) {
	epoch, _, err := signal.ParsePosition(m.Epoch + ":0")
	if err != nil {
		c.malformed(err)
		return
	}
	told := make([]signal.Stream, 0, len(m.Streams))
	for _, d := range m.Streams {
		if s := c.described(epoch, d); s != nil {
			c.start(s, epoch)
			told = append(told, s.Stream)
		}
	}
	if epoch == c.epoch && m.Revision > 0 {
		c.revision = m.Revision
	}
	if c.cfg.Events.Streams != nil && len(told) > 0 {
		c.cfg.Events.Streams(m.Epoch, told)
	}
}

// described finds or makes the subscription of a stream; nil if it is not
// wanted, or not what a description may be.
func (c *Conn) described(epoch uint32, d signal.Stream) *subscription {
	class, known := wire.ParseClass(d.Class)
	if !known || d.ID == 0 || d.ID >= wire.HistoryStream || len(d.Meta) > maxMeta || wire.CheckName(d.Name, wire.MaxStreamName) != nil {
		c.meter.drop(session.Limit, 1)
		return nil
	}
	if !signal.Wanted(c.cfg.Want, d.Name) {
		return nil
	}
	s := c.streams[d.ID]
	switch {
	case s == nil && !c.roomFor(epoch):
		c.meter.drop(session.Limit, 1)
		return nil
	case s == nil:
		s = &subscription{}
		c.streams[d.ID] = s
	case s.inbox != nil && s.epoch != epoch:
		return nil // comes again when the device has accepted, and its last epoch is done with
	case s.inbox != nil && s.class != class:
		c.meter.drop(session.Malformed, 1) // fixed within an epoch (protocol, section 3.2)
		return nil
	}
	s.Stream, s.class, s.epoch = d, class, epoch
	return s
}

// roomFor reports whether there is room for another stream, after those of
// another epoch are forgotten: their device's program began anew.
func (c *Conn) roomFor(epoch uint32) bool {
	if len(c.streams) < wire.MaxStreams {
		return true
	}
	for id, s := range c.streams {
		if s.epoch != epoch && s.inbox == nil {
			delete(c.streams, id)
		}
	}
	return len(c.streams) < wire.MaxStreams
}

// start begins reception of a stream, unless it goes on from before.
func (c *Conn) start(s *subscription, epoch uint32) {
	var after uint64
	if s.class == wire.Event {
		e, seq, err := signal.ParsePosition(s.Start)
		if err != nil || e != epoch {
			return // told by the server, which knows no starts
		}
		after = seq
	}
	if !c.accepted || epoch != c.epoch || s.inbox != nil || c.waits(s) {
		return
	}
	if from, seq, err := signal.ParsePosition(c.cfg.From); err == nil && s.class == wire.Event && !c.past.begun[s.Name] && from != epoch {
		if c.past.there {
			c.past.begins(s.Name)
			c.waitFor(s, &tail{stream: s.Stream, at: place{from, seq}, since: c.loop.now()})
			return
		}
		c.tellGap(s, wire.Gap{Stream: s.ID, Epoch: from, From: seq + 1, Reason: wire.GapUnknownPosition})
	}
	if c.past.begins(s.Name) {
		c.wantPast(s, place{})
	}
	s.epoch, s.newest, s.got = epoch, 0, nil
	c.receiveFrom(s, after)
	c.outOfOrder(s)
	c.past.described(s.Name)
	if s.class == wire.Event {
		c.events = append(c.events, s)
	}
}

// receiveFrom has the stream delivered from behind a sample on.
func (c *Conn) receiveFrom(s *subscription, after uint64) {
	s.inbox, s.after = session.NewInbox(s.ID, s.class, s.epoch, after, c.early), after
}

// restarted: the device's program began anew. How much of its last run is
// missing nobody knows, unless it said goodbye.
func (c *Conn) restarted(now time.Duration, epoch uint32) {
	c.older, c.epoch, c.revision, c.settleAt = c.epoch, epoch, 0, 0
	for _, s := range c.events {
		switch {
		case s.ended && s.inbox.Position().Seq >= s.final:
			delete(c.past.tails, s.Name) // it has come in another way meanwhile
		case c.past.there:
			c.cutOff(now, s)
		default:
			c.declareEnd(now, s)
		}
	}
	for _, s := range c.streams {
		if s.newest > 0 && s.class == wire.Live {
			c.wantPast(s, place{s.epoch, s.newest})
		}
		c.remember(s)
		s.inbox, s.ended, s.final, s.newest, s.sought, s.torn = nil, false, 0, 0, 0, 0
	}
	clear(c.events)
	c.events = c.events[:0]
	c.early = session.NewEarly(0)
}

// declareEnd gives up what is missing up to the end of the stream's epoch. What came
// early behind a hole is delivered.
func (c *Conn) declareEnd(now time.Duration, s *subscription) {
	g := wire.Gap{Stream: s.ID, Epoch: s.epoch, From: s.inbox.Position().Seq + 1, To: s.final, Reason: wire.GapRestart}
	s.out = s.inbox.Gap(now, g, s.out[:0])
	c.deliver(s, s.via, false)
}

const (
	// byeGrace is how long samples may come behind the goodbye that overtook
	// them in queues and on other paths.
	byeGrace = 2 * time.Second
	// spoolGrace is how long the device's program may take to run again, when it keeps a spool, from which they come then. What came
	// early waits as long, so that it is not for ever.
	spoolGrace = 10 * time.Minute
)

// ended: the device ends on purpose and says where each stream does.
func (c *Conn) ended(now time.Duration, m signal.Message) {
	for id, final := range m.Final {
		s := c.streams[id]
		epoch, seq, err := signal.ParsePosition(final)
		if err != nil || s == nil || s.inbox == nil || epoch != s.epoch {
			continue
		}
		s.ended, s.final = true, seq
		c.settleAt = now + byeGrace
		if c.past.there {
			c.settleAt = now + spoolGrace
		}
	}
}

// settleBye declares what has not come in time after a goodbye.
func (c *Conn) settleBye(now time.Duration) (wake time.Duration) {
	switch {
	case c.settleAt == 0:
		return now + time.Hour
	case now < c.settleAt:
		return c.settleAt
	}
	c.settleAt = 0
	for _, s := range slices.Clone(c.events) {
		if s.ended && s.inbox.Position().Seq < s.final {
			c.declareEnd(now, s)
		}
	}
	return now + time.Hour
}

func (c *Conn) tellGap(s *subscription, g wire.Gap) {
	if c.cfg.Events.Gap != nil {
		c.cfg.Events.Gap(&s.Stream, g)
	}
}
