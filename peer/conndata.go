package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the viewer's reception: data, gaps, acknowledgements. It runs in the loop.

func (c *Conn) data(now time.Duration, g *leg, f wire.Frame) error {
	h, payload, err := wire.ParseData(f.Body)
	if err != nil {
		return err
	}
	if h.Class == wire.History {
		c.pastData(now, g, h, payload)
		return nil
	}
	s := c.streams[h.Stream]
	if f.Hop.Retained || h.Will {
		c.keep(s, h, payload, f.Hop, g)
		return nil
	}
	if c.waits(s) && s.epoch == h.Epoch {
		return nil // it comes again
	}
	if s == nil || s.inbox == nil || s.epoch != h.Epoch {
		c.unknown(now, s, h)
		return nil
	}
	s.via = g
	c.noteHole(now, s, h)
	var dropped session.DropReason
	s.out, dropped = s.inbox.Receive(now, h, payload, c.age(now, s, h, payload), s.out[:0])
	c.meter.drop(dropped, 1)
	if dropped == "" && (g == nil || !g.direct()) {
		c.newsAt = now
	}
	c.deliver(s, g, false)
	return nil
}

func (c *Conn) gap(now time.Duration, body []byte) error {
	g, err := wire.ParseGap(body)
	if err != nil {
		return err
	}
	if s := c.streams[g.Stream]; s != nil && s.inbox != nil && s.epoch == g.Epoch && !c.outlasted(now, s, g) {
		s.out = s.inbox.Gap(now, g, s.out[:0])
		c.deliver(s, s.via, false)
	}
	return nil
}

// deliver tells what the inbox has yielded. past: it came from the device's spool.
func (c *Conn) deliver(s *subscription, g *leg, past bool) {
	for _, d := range s.out {
		switch {
		case d.Gap.From != 0:
			c.tellGap(s, d.Gap)
		case d.Header.Key != 0:
			c.sealed(s, d)
		default:
			c.tellNew(s, d, g, past)
		}
	}
}

// tellNew tells what of a delivery was not told before: the past may have brought some of a Live stream first, while that waited on
// a path that stood still.
func (c *Conn) tellNew(s *subscription, d session.Delivery, g *leg, past bool) {
	from, to := span(d)
	s.newest = max(s.newest, to)
	news := []wire.Range{{From: from, To: to}}
	if s.class == wire.Live && !s.got.endBefore(from) {
		if news = s.got.missing(from, to); len(news) == 0 {
			c.meter.drop(session.Duplicate, 1)
		}
	}
	s.got.add(from, to)
	for _, part := range news {
		c.tellBatch(Received{
			Stream: &s.Stream, Header: d.Header, Payload: d.Payload,
			Skip: int(part.From - d.Header.Seq), Take: int(part.To - part.From + 1),
			Late: d.Late, Past: past, Rung: c.rung(g), At: c.own.now(),
		})
	}
}

// sealed: nobody here can open it. Of an Event stream that is a gap.
func (c *Conn) sealed(s *subscription, d session.Delivery) {
	c.meter.drop(session.Sealed, 1)
	if s.class == wire.Event {
		from := d.Header.Seq + uint64(d.Skip)
		c.tellGap(s, wire.Gap{Stream: s.ID, Epoch: s.epoch, From: from, To: from + uint64(d.Take) - 1, Reason: wire.GapRefused})
	}
}

func (c *Conn) tellBatch(r Received) {
	if c.cfg.Events.Batch != nil {
		c.cfg.Events.Batch(r)
	}
}

// keep delivers retained values and last wills, which stand outside the
// sequence: each once, and a retained value only if nothing newer is known, or
// to come in its turn.
func (c *Conn) keep(s *subscription, h wire.Header, payload []byte, hop wire.Hop, g *leg) {
	switch {
	case s == nil:
		return
	case h.Key != 0:
		c.meter.drop(session.Sealed, 1)
		return
	case h.Will && s.will == h.Epoch, !h.Will && !s.isNews(h), !h.Will && c.comesInOrder(s):
		c.meter.drop(session.Duplicate, 1)
		return
	case h.Will:
		s.will = h.Epoch
	default:
		s.kept = place{h.Epoch, h.Last()}
	}
	c.tellBatch(Received{
		Stream: &s.Stream, Header: h, Payload: payload, Skip: h.Count - 1, Take: 1, Retained: true,
		Held: time.Duration(min(hop.Held, maxHeld)) * time.Millisecond, Rung: c.rung(g), At: c.own.now(),
	})
}

// maxHeld is what a time.Duration holds, in ms.
const maxHeld = 1 << 43

// comesInOrder reports whether all of the stream behind a position was asked
// for: then its newest value comes behind the others, or was there before.
func (c *Conn) comesInOrder(s *subscription) bool {
	_, _, err := signal.ParsePosition(c.cfg.From)
	return err == nil && s.class == wire.Event
}

// isNews reports whether a retained value is newer than what was delivered.
func (s *subscription) isNews(h wire.Header) bool {
	switch {
	case h.Epoch == s.kept.epoch && h.Last() <= s.kept.seq:
		return false
	case s.newest == 0: // nothing of this epoch was delivered
		return true
	default:
		return h.Epoch == s.epoch && h.Last() > s.newest
	}
}

// unknownEvery is how often the device is asked again, at most, because of
// data of a stream or epoch that was not described.
const unknownEvery = time.Second

func (c *Conn) unknown(now time.Duration, s *subscription, h wire.Header) {
	switch {
	case h.Epoch == c.older:
		c.meter.drop(session.OldEpoch, 1)
		return
	case s == nil:
		c.meter.drop(session.UnknownStream, 1)
	default:
		c.meter.drop(session.OldEpoch, 1)
	}
	if !c.accepted || now < c.askedAt+unknownEvery && c.askedAt > 0 {
		return // asked, or about to be: the answer is on its way
	}
	c.askedAt, c.revision = now, 0
	c.cfg.Endpoint.log().Debug("frame of an unknown stream or epoch", "stream", h.Stream, "epoch", signal.FormatEpoch(h.Epoch))
	c.link.signal(viewNumber, c.openMessage())
}

// acknowledge sends the positions that are due, and all of them when a path
// came into use: that is where its sender goes on.
func (c *Conn) acknowledge(now time.Duration, all bool) (wake time.Duration) {
	wake = session.Never
	var due []wire.Position
	var via *leg
	for _, s := range c.events {
		at, isDue := s.inbox.AckDue()
		if !all && (!isDue || at > now) {
			wake = min(wake, at)
			continue
		}
		due = append(due, s.inbox.Position())
		s.inbox.Acked(now)
		via = s.via
	}
	at, position, isDue := c.pastAck(now, all)
	wake = min(wake, at)
	if isDue {
		due, via = append(due, position), c.past.via
	}
	if len(due) > 0 {
		c.sendAck(due, via)
	}
	return wake
}

// sendAck sends positions on the ladder's paths, and on the path the data came
// on, so that its sender sees that it works.
func (c *Conn) sendAck(due []wire.Position, via *leg) {
	body := wire.AppendAck(nil, wire.LevelReceived, due)
	hop := wire.Hop{Priority: wire.High}
	c.paths.send(wire.TypeAck, hop, body, carrier.Frame{Control: true})
	if via != nil && c.paths.has(via) && !c.paths.uses(via) {
		hop.Conn = via.number
		via.send(control(wire.AppendFrame(nil, wire.TypeAck, hop, body)))
	}
}

// Stats counts what was moved and dropped on all paths. It may be called from
// any goroutine.
func (c *Conn) Stats() Stats { return c.meter.stats() }
