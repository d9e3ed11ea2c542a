package session

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// How long an Outbox waits for progress before it sends all again (section 5.1).
const (
	resendFloor = 500 * time.Millisecond
	resendMax   = 8 * time.Second
)

// holeFloor is the least age of a hole: switching paths reorders by some
// milliseconds, which is no loss.
const holeFloor = 10 * time.Millisecond

// Item is the next thing to send: a Batch, or, with Gap.From != 0, a Gap in its place.
type Item struct {
	Batch Batch
	Gap   wire.Gap
}

// Next returns what is due next; it counts as sent now. Call it until it
// returns false: after Ack, Switched, a push that Follows refused, and at Wake.
// rtt is the round trip of the path that is used.
func (o *Outbox) Next(now, rtt time.Duration) (Item, bool) {
	if o.Overdue(now, rtt) {
		o.giveUp(now)
	}
	if item, ok := o.again(now); ok {
		return item, true
	}
	if o.next > o.ring.head {
		o.following = true
		return Item{}, false
	}
	return o.advance(now)
}

// Overdue reports whether the wait for progress is over: Next takes all that
// is unacknowledged for lost, unless Wait is called before.
func (o *Outbox) Overdue(now, rtt time.Duration) bool {
	o.rtt = rtt
	if len(o.sent) == 0 {
		return false
	}
	if f := o.flight; o.sent[0].at >= f.reached {
		// Paths keep the order of Events. As long as others come that were sent
		// before, this may wait behind them at some hop, and a copy behind it.
		o.timer = max(o.timer, f.heard)
	}
	return now >= o.timeout()
}

// Wait says that what was sent has not left this end yet: the wait for
// progress begins anew.
func (o *Outbox) Wait(now time.Duration) { o.timer, o.queued = now, true }

// giveUp takes all for lost. Where it waited at this end when the wait began,
// it may have left just now, and is given another one.
func (o *Outbox) giveUp(now time.Duration) {
	o.timer = now
	if o.queued {
		o.queued = false
		return
	}
	o.waits++
	o.repeatAll()
}

// Wake is when to call Next at the latest; Never: not without an event.
func (o *Outbox) Wake() time.Duration {
	if len(o.sent) == 0 {
		return Never
	}
	at := o.timeout()
	if o.flagged > 0 {
		for _, s := range o.sent {
			at = min(at, o.againAt(s))
		}
	}
	return at
}

func (o *Outbox) timeout() time.Duration {
	wait := max(resendFloor, 2*o.rtt)
	for range min(o.waits, 5) {
		wait *= 2
	}
	return o.timer + min(wait, resendMax)
}

// againAt is when s has to be sent again, as far as acknowledgements tell.
func (o *Outbox) againAt(s sent) time.Duration {
	switch {
	case s.due:
		return s.at
	case s.hole:
		// A quarter more than a round trip: an acknowledgement that shows
		// the repair may be as late as the one that showed the hole.
		return s.at + max(o.rtt*5/4, holeFloor)
	default:
		return Never
	}
}

// again repeats the first thing that has to be sent again.
func (o *Outbox) again(now time.Duration) (Item, bool) {
	if o.flagged == 0 {
		return Item{}, false
	}
	for i := range o.sent {
		if now >= o.againAt(o.sent[i]) {
			return o.repeat(now, i), true
		}
	}
	return Item{}, false
}

func (o *Outbox) repeat(now time.Duration, i int) Item {
	s := &o.sent[i]
	s.at, s.due, s.hole = now, false, false
	o.flagged--
	b, held := o.ring.from(s.seq)
	if !s.gap && held && b.Seq <= s.seq {
		return Item{Batch: b}
	}
	o.overrun(i)
	return Item{Gap: o.gap(o.sent[i])}
}

// overrun turns the batch at i, which the ring has overwritten, into a gap,
// together with those behind it that are gone, too, and that are not just under way.
func (o *Outbox) overrun(i int) {
	oldest := o.ring.Oldest()
	end := i + 1
	for end < len(o.sent) && o.sent[end].last < oldest && (o.sent[end].due || o.sent[end].received) {
		end++
	}
	s := &o.sent[i]
	for _, gone := range o.sent[i:end] {
		o.release(gone)
		if gone.due || gone.hole {
			o.flagged--
		}
	}
	s.gap, s.size, s.last = true, 0, o.sent[end-1].last
	o.sent = slices.Delete(o.sent, i+1, end)
	if i == len(o.sent)-1 && o.next < oldest {
		s.last, o.next = oldest-1, oldest
	}
}

// advance sends the next batch for the first time, or a gap up to it.
func (o *Outbox) advance(now time.Duration) (Item, bool) {
	b, held := o.ring.from(o.next)
	switch {
	case !held:
		return o.skip(now, o.ring.head)
	case b.Seq > o.next:
		return o.skip(now, b.Seq-1)
	case !o.fits(b):
		return Item{}, false
	}
	o.fly(now, b)
	return Item{Batch: b}, true
}

// skip sends a gap in the place of what is gone, up to last. As long as what is behind it finds no room it becomes longer.
func (o *Outbox) skip(now time.Duration, last uint64) (Item, bool) {
	if n := len(o.sent) - 1; n >= 0 && o.sent[n].gap && o.sent[n].last+1 == o.next {
		s := &o.sent[n]
		if s.due || s.hole {
			o.flagged--
		}
		s.last, s.at, s.due, s.hole, s.received = last, now, false, false, false
		o.next = last + 1
		return Item{Gap: o.gap(*s)}, true
	}
	if len(o.sent) >= maxUnacked {
		return Item{}, false
	}
	s := sent{seq: o.next, last: last, first: now, at: now, gap: true}
	o.push(now, s)
	return Item{Gap: o.gap(s)}, true
}

func (o *Outbox) gap(s sent) wire.Gap {
	return wire.Gap{Stream: o.stream, Epoch: o.ring.epoch, From: s.seq, To: s.last, Reason: wire.GapRing}
}
