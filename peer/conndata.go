package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the viewer's reception: data, gaps, acknowledgements. It runs in the loop.

func (c *Conn) data(now time.Duration, g *leg, f wire.Frame) {
	h, payload, err := wire.ParseData(f.Body)
	if err != nil {
		return
	}
	s := c.streams[h.Stream]
	if f.Hop.Retained || h.Will {
		c.kept(s, h, payload, f.Hop, g)
		return
	}
	if s == nil || s.inbox == nil || s.epoch != h.Epoch {
		c.unknown(now, s, h)
		return
	}
	s.via = g
	s.out, _ = s.inbox.Receive(now, h, payload, c.age(h), s.out[:0])
	c.deliver(s, g)
}

// age is unknown to this package: payloads are opaque to it. The queues on
// the way keep the deadlines; a receiver drops what its bitmap calls old.
func (c *Conn) age(wire.Header) time.Duration { return -1 }

func (c *Conn) deliver(s *subscription, g *leg) {
	for _, d := range s.out {
		if d.Gap.From != 0 {
			c.tellGap(s, d.Gap)
			continue
		}
		c.tellBatch(Received{
			Stream: &s.Stream, Header: d.Header, Payload: d.Payload, Skip: d.Skip, Take: d.Take,
			Late: d.Late, Rung: c.rung(g), At: time.Now(),
		})
	}
}

func (c *Conn) tellBatch(r Received) {
	if c.cfg.Events.Batch != nil {
		c.cfg.Events.Batch(r)
	}
}

// kept delivers retained values and last wills, which stand outside the
// sequence: a will once, a retained value if nothing newer is known.
func (c *Conn) kept(s *subscription, h wire.Header, payload []byte, hop wire.Hop, g *leg) {
	if s == nil {
		return
	}
	if h.Will {
		key := willKey{h.Stream, h.Epoch}
		if c.wills[key] {
			return
		}
		c.wills[key] = true
	} else if s.inbox != nil && s.inbox.Stats().Delivered > 0 {
		return
	}
	c.tellBatch(Received{
		Stream: &s.Stream, Header: h, Payload: payload, Skip: h.Count - 1, Take: 1, Retained: true,
		Held: time.Duration(hop.Held) * time.Millisecond, Rung: c.rung(g), At: time.Now(),
	})
}

// unknown: a frame of a stream or epoch that was not described. The device
// is asked again, at most once a second.
func (c *Conn) unknown(now time.Duration, s *subscription, h wire.Header) {
	if s != nil && s.inbox == nil && !c.accepted {
		return // the answer to our open is on its way
	}
	if now < c.askedAt+time.Second && c.askedAt > 0 {
		return
	}
	c.askedAt = now
	c.cfg.Endpoint.log().Debug("frame of an unknown stream or epoch", "stream", h.Stream, "epoch", signal.FormatEpoch(h.Epoch))
	if c.link.leg != nil {
		c.link.signal(viewNumber, c.openMessage())
	}
}

func (c *Conn) gap(now time.Duration, body []byte) {
	g, err := wire.ParseGap(body)
	if err != nil {
		return
	}
	s := c.streams[g.Stream]
	if s == nil || s.inbox == nil || s.epoch != g.Epoch {
		return
	}
	s.out = s.inbox.Gap(now, g, s.out[:0])
	c.deliver(s, s.via)
}

// acknowledge sends the positions that are due: on the ladder's paths, and on
// the path the data came on, so that its sender sees that it works.
func (c *Conn) acknowledge(now time.Duration, all bool) (wake time.Duration) {
	wake = now + time.Hour
	var due []wire.Position
	var via *leg
	for _, s := range c.streams {
		if s.inbox == nil || s.class != wire.Event {
			continue
		}
		at, isDue := s.inbox.AckDue()
		if !isDue && !all {
			continue
		}
		if at > now && !all {
			wake = min(wake, at)
			continue
		}
		due = append(due, s.inbox.Position())
		s.inbox.Acked(now)
		via = s.via
	}
	if len(due) > 0 {
		c.sendAck(due, via)
	}
	return wake
}

func (c *Conn) sendAck(due []wire.Position, via *leg) {
	body := wire.AppendAck(nil, wire.LevelReceived, due)
	hop := wire.Hop{Priority: wire.High}
	c.paths.send(wire.TypeAck, hop, body, carrier.Frame{Control: true})
	if via == nil || !c.paths.has(via) {
		return
	}
	for _, g := range c.paths.use {
		if g == via {
			return
		}
	}
	hop.Conn = via.number
	via.send(control(wire.AppendFrame(nil, wire.TypeAck, hop, body)))
}

// Lost counts Live samples of a stream that never came, and those that did.
func (c *Conn) Stats(stream uint32) (session.Stats, bool) {
	s := c.streams[stream]
	if s == nil || s.inbox == nil {
		return session.Stats{}, false
	}
	return s.inbox.Stats(), true
}
