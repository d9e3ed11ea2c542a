package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how data leaves a Conn's device end: in the frame shared by
// all where it follows, in frames of its own where it repairs or catches up.

// publish sends a batch that was just made to this Conn, if it wants it: f
// on direct paths. It reports whether f on the link has to carry it, too.
func (c *hostConn) publish(now time.Duration, s *Stream, b session.Batch, f carrier.Frame) (relayed bool) {
	if !c.wants(s) {
		return false
	}
	o, taken := c.outboxes[s.id], false
	if o != nil && !o.Follows(now, b) {
		c.route()
		return false
	}
	for _, g := range c.paths.use {
		if g.direct() {
			taken = g.send(f) || taken
		} else {
			relayed = true
		}
	}
	if o != nil && !taken && !relayed {
		c.refused(now, o, b.Seq)
	}
	if s.ring == nil && c.early > now {
		c.publishEarly(f)
	}
	if relayed && !c.routed[s.id] {
		c.route()
	}
	return relayed
}

// earlyTime is for how long Live goes on a data-channel connection that opened
// and is not proved yet, beside the paths in use.
const earlyTime = time.Second

// publishEarly sends a Live frame on direct paths that are open and not in use
// yet. Their handshake has gone both ways, and the proof costs another round
// trip: what arrives meanwhile is fresh, what does not is on its way elsewhere.
func (c *hostConn) publishEarly(f carrier.Frame) {
	for _, g := range c.paths.legs {
		if g.direct() && !g.proved && !c.paths.uses(g) {
			g.send(f)
		}
	}
}

// route keeps the server informed which shared frames it shall copy to this
// Conn: none while a direct path carries alone, and not those of streams that
// catch up in frames of their own.
//
// It is called before the first shared frame that counts on it. Signals
// overtake what is queued: that adds a copy when a route begins, and takes
// some away when it ends, of which other paths have carried another.
func (c *hostConn) route() {
	if c.relay == nil {
		return
	}
	var on, off []uint32
	relayed := c.paths.uses(c.relay)
	for _, s := range c.host.known {
		o := c.outboxes[s.id]
		want := relayed && c.wants(s) && (o == nil || o.Following())
		switch {
		case want && !c.routed[s.id]:
			on = append(on, s.id)
			c.routed[s.id] = true
		case !want && c.routed[s.id]:
			off = append(off, s.id)
			delete(c.routed, s.id)
		}
	}
	c.tellRoute(true, on)
	c.tellRoute(false, off)
}

// tellRoute is for the server: what it does not hear is not made good by the viewer's asking.
func (c *hostConn) tellRoute(on bool, streams []uint32) {
	if len(streams) > 0 {
		c.host.link.signal(c.number, signal.Message{Type: signal.Route, On: on, Routed: streams})
	}
}

// resend sends what an outbox has due: repairs and what catches up, in frames
// of this Conn's own.
func (c *hostConn) resend(now time.Duration, stream uint32, o *session.Outbox) {
	for len(c.paths.use) > 0 && now >= c.jammed {
		item, ok := c.next(now, stream, o)
		switch {
		case !ok:
			return
		case item.Gap.From != 0:
			c.paths.send(wire.TypeGap, wire.Hop{}, wire.AppendGap(nil, item.Gap), carrier.Frame{Control: true})
		case !c.paths.send(wire.TypeData, wire.Hop{}, item.Batch.Body, carrier.Frame{Class: wire.Event, Stream: stream}):
			c.refused(now, o, item.Batch.Last())
		}
	}
}

// next is what an outbox sends next. What only waits in a queue of ours is not lost: a second copy would wait behind it, and delay
// whatever comes after both.
func (c *hostConn) next(now time.Duration, stream uint32, o *session.Outbox) (session.Item, bool) {
	rtt := c.paths.rtt()
	if o.Overdue(now, rtt) && c.waits(stream, o) {
		o.Wait(now)
	}
	return o.Next(now, rtt)
}

// waits reports whether frames of a stream wait for the path that carries. On one that is in doubt beside it they may wait for ever.
func (c *hostConn) waits(stream uint32, o *session.Outbox) bool {
	g := c.paths.carrying()
	switch {
	case g == nil:
		return false
	case g.waiting(stream).Load() > 0:
		return true
	}
	shares := g == c.relay && stream != wire.HistoryStream && o.Following()
	return shares && c.host.known[stream-1].queued.Load() > 0
}

// jamTime is how long to wait when no path had room for an Event: a 64 kbit/s
// link makes room for one or two of 100 bytes in it.
const jamTime = 20 * time.Millisecond

// refused: what was just sent on all paths was taken by none.
func (c *hostConn) refused(now time.Duration, o *session.Outbox, seq uint64) {
	o.Refused(seq)
	c.jammed = now + jamTime
}

// linkRefused: the link had no room for a frame shared by all, which other
// paths may have carried.
func (c *hostConn) linkRefused(now time.Duration, s *Stream, b session.Batch) {
	o := c.outboxes[s.id]
	if o != nil && len(c.paths.use) == 1 && c.paths.use[0] == c.relay {
		c.refused(now, o, b.Seq)
	}
}

// unacknowledged reports whether somebody who can be reached lacks something.
func (c *hostConn) unacknowledged() bool {
	if len(c.paths.use) == 0 {
		return false
	}
	for _, o := range c.outboxes {
		if !o.Following() {
			return true
		}
	}
	return c.flight.Unacknowledged() > 0
}
