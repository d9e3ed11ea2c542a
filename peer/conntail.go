package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how Events still come, from the device's spool, that its ring
// has no more: those of a run of its program that was cut off, before those of
// the next run, and those that an outage outlasted. It runs in the loop.

// tailPatience is how long such a stream waits until the rest is declared missing.
const tailPatience = 30 * time.Second

// maxTails is how many streams may wait: those of two runs.
const maxTails = 2 * wire.MaxStreams

// tail is what is missing of an Event stream: the rest of its last run, or what of this one the ring has no more.
type tail struct {
	stream signal.Stream // as it was
	at     place         // everything up to it was delivered or declared a gap
	to     uint64        // of this run: the last sample that the ring has no more; 0: it is an earlier one
	final  uint64
	ended  bool // the device said goodbye, and that final is the last sample of at's run
	since  time.Duration

	unnamed int // the past's, when at was known: what came of them since may be of this stream
}

// cutOff: what of the stream's run is missing is wanted from the spool.
func (c *Conn) cutOff(now time.Duration, s *subscription) {
	p := s.inbox.Position()
	c.waitFor(s, &tail{stream: s.Stream, at: place{p.Epoch, p.Seq}, final: s.final, ended: s.ended, since: now})
}

// waitFor has a stream's new run wait for the rest of an earlier one: the run
// that this Conn saw before, or the one that it was told to begin in.
func (c *Conn) waitFor(s *subscription, t *tail) {
	if c.past.tails[s.Name] == nil {
		c.endUnknown()
	}
	t.unnamed = c.past.unnamed
	c.past.tails[s.Name] = t
	c.past.changed = true
}

// outlasted: what a gap declares missing of this run is wanted from the spool, if that can have it. Where it had nothing the
// last time, the gap is one. What comes meanwhile waits in the inbox.
func (c *Conn) outlasted(now time.Duration, s *subscription, g wire.Gap) bool {
	if s.class != wire.Event || g.Reason != wire.GapRing || !c.past.there {
		return false
	}
	p, waits := s.inbox.Position(), c.past.tails[s.Name]
	switch {
	case waits != nil: // it is under way
		waits.to = max(waits.to, g.To)
		return true
	case g.To <= p.Seq || s.sought == p.Seq+1:
		return false
	}
	s.sought = p.Seq + 1
	c.waitFor(s, &tail{stream: s.Stream, at: place{p.Epoch, p.Seq}, to: g.To, since: now})
	return true
}

// waits reports whether a stream's new run waits for the rest of the one before.
func (c *Conn) waits(s *subscription) bool {
	return s != nil && s.class == wire.Event && s.inbox == nil && c.past.tails[s.Name] != nil
}

// settleTails goes on with streams whose rest did not come in time.
func (c *Conn) settleTails(now time.Duration) (wake time.Duration) {
	wake = now + time.Hour
	if !c.accepted { // the device cannot be asked: that is no reason to give up what it has
		return wake
	}
	ends := false
	for name, t := range c.past.tails {
		if end := max(t.since, c.past.brought) + tailPatience; now >= end {
			ends = c.endTail(name, t) || ends
		} else {
			wake = min(wake, end)
		}
	}
	if ends {
		c.askAgain()
	}
	return wake
}

// endUnknown goes on without the rest of streams that the device does not have any more, when these are many: while it is asked anew
// again and again none of them would end for having waited too long.
func (c *Conn) endUnknown() {
	if len(c.past.tails) < maxTails {
		return
	}
	known := c.names()
	for name, t := range c.past.tails {
		if !known[name] {
			c.endTail(name, t)
		}
	}
}

// doneTails: all that the spool has of those that were asked for has come.
func (c *Conn) doneTails() {
	ends := false
	for name, t := range c.past.tails {
		if c.past.brings[name] {
			ends = c.endTail(name, t) || ends
		}
	}
	if ends {
		c.askAgain()
	}
}

// endTail declares what of an earlier run is missing still, and begins the new one. What the spool did not have of this run
// the device declares again. It reports whether the device is to be asked, so that it sends at once what was not taken meanwhile: when
// all that end have ended, since none begins while it is.
func (c *Conn) endTail(name string, t *tail) (ask bool) {
	delete(c.past.tails, name)
	if t.unnamed != c.past.unnamed {
		t.ended, t.final = false, 0
	}
	if whole := t.at.epoch == c.epoch || t.ended && t.at.seq >= t.final; !whole {
		c.tellRest(t, t.final)
	}
	s := c.byName(name)
	if s == nil || s.inbox != nil {
		return false
	}
	c.start(s, c.epoch)
	if s.inbox != nil && t.at.epoch == c.epoch && t.at.seq > s.after { // this much came from the spool already
		start := s.after
		c.receiveFrom(s, t.at.seq)
		s.after = start // from there on it was delivered, if not live
	}
	return true
}

// tellRest declares what of the run that a tail got to is missing up to a sample; 0: nobody knows how much.
func (c *Conn) tellRest(t *tail, to uint64) {
	if c.cfg.Events.Gap != nil {
		c.cfg.Events.Gap(&t.stream, wire.Gap{Stream: t.stream.ID, Epoch: t.at.epoch, From: t.at.seq + 1, To: to, Reason: wire.GapRestart})
	}
}

// moveTail notes how far a tail got. Where it comes to another run, and between came what nobody can tell whose it is, that may be the
// rest of the one before, or the word that there is none.
func (c *Conn) moveTail(now time.Duration, t *tail, to place) {
	if to.epoch != t.at.epoch && t.unnamed != c.past.unnamed {
		c.tellRest(t, 0)
	}
	if to.epoch != t.at.epoch { // how this one ends nobody has said
		t.ended, t.final = false, 0
	}
	t.at, t.since, t.unnamed = to, now, c.past.unnamed
}

// tailBatch takes a batch of what is missing: between others of this run, or of one before, behind what of that is known. What comes
// when a stream waits no longer was declared a gap.
func (c *Conn) tailBatch(now time.Duration, s *subscription, stream *signal.Stream, h wire.Header, payload []byte) {
	t := c.past.tails[s.Name]
	if t == nil || !c.past.brings[s.Name] || s.inbox != nil && h.Epoch != s.epoch {
		return
	}
	if h.Epoch == t.at.epoch && h.Last() <= t.at.seq {
		return // it was known when the stream began to wait, which others did before
	}
	known := t.at
	c.moveTail(now, t, place{h.Epoch, h.Last()})
	switch {
	case s.inbox != nil && s.inbox.Passed(h.Last()):
		c.whole(s, t)
	case s.inbox != nil:
		s.out, _ = s.inbox.Receive(now, h, payload, -1, s.out[:0]) // that it has some of it is no drop
		c.deliver(s, c.past.via, true)
	case h.Epoch == known.epoch:
		c.tellPast(stream, h, payload, ranges{{From: 1, To: known.seq}}.missing(h.Seq, h.Last()))
		c.rememberBatch(s, h)
	default:
		c.tellPast(stream, h, payload, []wire.Range{{From: h.Seq, To: h.Last()}})
		c.rememberBatch(s, h)
	}
}

// tailGap takes a gap in what is missing. It reports whether it is told as one of a run before.
func (c *Conn) tailGap(now time.Duration, s *subscription, g wire.Gap) (tell bool) {
	t := c.past.tails[s.Name]
	if t == nil || !c.past.brings[s.Name] || s.inbox != nil && g.Epoch != s.epoch {
		return false
	}
	if g.Epoch == t.at.epoch && g.To > 0 && g.To <= t.at.seq {
		return false
	}
	if g.To > 0 {
		c.moveTail(now, t, place{g.Epoch, g.To})
	}
	t.unnamed = c.past.unnamed // an open one says as much as there is to say
	if s.inbox == nil {
		return true
	}
	switch {
	case g.To > 0 && s.inbox.Passed(g.To):
		c.whole(s, t)
	case g.To > 0:
		s.out = s.inbox.Gap(now, g, s.out[:0])
		c.deliver(s, c.past.via, true)
	}
	return false
}

// whole ends the waiting of a stream if it has been delivered beyond what the ring has no more. The spool has the rest as well, which
// nobody needs: when this is so of all that the transfer brings, the device is told to end it.
func (c *Conn) whole(s *subscription, t *tail) {
	if !s.inbox.Passed(t.to) {
		return
	}
	delete(c.past.tails, s.Name)
	delete(c.past.brings, s.Name) // if it waits again, it is for what this transfer is not asked for
	for name := range c.past.brings {
		if c.past.tails[name] != nil {
			return
		}
	}
	c.past.id, c.past.changed, c.past.unneeded = 0, true, true // the others are next
}

// outOfOrder: a stream whose last run was of Events, and is Live now. What is missing of that run is past, and nothing waits for it.
func (c *Conn) outOfOrder(s *subscription) {
	t := c.past.tails[s.Name]
	switch {
	case t == nil || s.class != wire.Live:
		return
	case c.cfg.Since == 0:
		c.endTail(s.Name, t)
		return
	}
	delete(c.past.tails, s.Name)
	k := run{s.Name, t.at.epoch}
	if had := c.past.had[k]; len(had) > 0 && had[0].From <= t.at.seq {
		c.past.had[k] = ranges{{From: had[0].From, To: t.at.seq}}
	} else {
		delete(c.past.had, k)
	}
	c.wantPast(s, t.at)
}

func (c *Conn) byName(name string) *subscription {
	for _, s := range c.streams {
		if s.Name == name && s.epoch == c.epoch {
			return s
		}
	}
	return nil
}
