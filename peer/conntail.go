package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how Events of a run of the device's program that was cut off
// still come, from its spool, before those of the next run. It runs in the loop.

// tailPatience is how long such a stream waits until the rest is declared missing.
const tailPatience = 30 * time.Second

// tail is the rest of an Event stream's last run.
type tail struct {
	stream signal.Stream // as it was
	at     place         // everything up to it was delivered or declared a gap
	final  uint64
	ended  bool // the device said goodbye, and that final is the last sample
	since  time.Duration
}

// cutOff: what of the stream's run is missing is wanted from the spool.
func (c *Conn) cutOff(now time.Duration, s *subscription) {
	p := s.inbox.Position()
	c.waitFor(s, &tail{stream: s.Stream, at: place{p.Epoch, p.Seq}, final: s.final, ended: s.ended, since: now})
}

// waitFor has a stream's new run wait for the rest of an earlier one: the run
// that this Conn saw before, or the one that it was told to begin in.
func (c *Conn) waitFor(s *subscription, t *tail) {
	c.past.tails[s.Name] = t
	c.past.changed = true
}

// waits reports whether a stream's new run waits for the rest of the one before.
func (c *Conn) waits(s *subscription) bool {
	return s != nil && s.class == wire.Event && s.inbox == nil && c.past.tails[s.Name] != nil
}

// settleTails begins the new run of streams whose rest did not come in time.
func (c *Conn) settleTails(now time.Duration) (wake time.Duration) {
	wake = now + time.Hour
	for name, t := range c.past.tails {
		if now >= t.since+tailPatience {
			c.endTail(name, t)
		} else {
			wake = min(wake, t.since+tailPatience)
		}
	}
	return wake
}

// doneTails: all that the spool has of them has come.
func (c *Conn) doneTails() {
	for name, t := range c.past.tails {
		if s := c.byName(name); s != nil {
			c.endTail(name, t)
		}
	}
}

// endTail declares what of the earlier run is missing still, and begins the new one.
func (c *Conn) endTail(name string, t *tail) {
	delete(c.past.tails, name)
	whole := t.at.epoch == c.epoch || t.ended && t.at.seq >= t.final
	if !whole && c.cfg.Events.Gap != nil {
		c.cfg.Events.Gap(&t.stream, wire.Gap{Stream: t.stream.ID, Epoch: t.at.epoch, From: t.at.seq + 1, To: t.final, Reason: wire.GapRestart})
	}
	s := c.byName(name)
	if s == nil {
		return
	}
	c.start(s, c.epoch)
	if s.inbox != nil && t.at.epoch == c.epoch && t.at.seq > s.after { // this much came from the spool already
		c.receiveFrom(s, t.at.seq)
	}
	c.askAgain() // so that the device sends at once what was not taken meanwhile
}

func (c *Conn) byName(name string) *subscription {
	for _, s := range c.streams {
		if s.Name == name && s.epoch == c.epoch {
			return s
		}
	}
	return nil
}
