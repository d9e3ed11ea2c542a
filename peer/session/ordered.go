package session

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// ordered is the Inbox of class Event: exactly once, in order.
//
//	      position      missing   held     missing   held
//	─────────┤├──────────────────┤███████├───────────┤████├──
//	delivered
type ordered struct {
	position uint64 // every sample up to and including it was delivered or declared
	ended    bool   // a gap without end was declared: nothing comes any more
	early    hold
	gaps     gapList
	stats    Stats
	ackTimer
}

func (o *ordered) receive(now time.Duration, h wire.Header, payload []byte, out []Delivery) ([]Delivery, DropReason) {
	switch {
	case o.ended:
		return out, OldEpoch
	case h.Last() <= o.position:
		o.stats.Duplicates += uint64(h.Count)
		o.ackNow(now)
		return out, Duplicate
	case h.Seq > o.position+1:
		return out, o.holdBack(now, h, payload)
	}
	hadHole := !o.early.empty() || !o.gaps.empty()
	out = o.drain(o.deliver(out, h, payload))
	if hadHole {
		o.ackNow(now)
	} else {
		o.ackSoon(now, len(payload)+batchOverhead)
	}
	return out, ""
}

// holdBack keeps what came early until what is before it has come.
func (o *ordered) holdBack(now time.Duration, h wire.Header, payload []byte) DropReason {
	extends, reason, dropped := o.early.add(h, payload)
	switch {
	case reason == Duplicate:
		o.stats.Duplicates += uint64(h.Count)
	case dropped > 0:
		o.stats.Limited += uint64(dropped)
	}
	if extends {
		o.ackSoon(now, len(payload)+batchOverhead)
	} else {
		o.ackNow(now)
	}
	return reason
}

// deliver appends what lies beyond the position of a batch that reaches it.
func (o *ordered) deliver(out []Delivery, h wire.Header, payload []byte) []Delivery {
	skip := int(o.position + 1 - h.Seq)
	d := Delivery{Header: h, Payload: payload, Skip: skip, Take: h.Count - skip, Newest: true}
	o.stats.Delivered += uint64(d.Take)
	o.stats.Duplicates += uint64(skip)
	o.position = h.Last()
	return append(out, d)
}

// drain appends all that has become due by the position's last move.
func (o *ordered) drain(out []Delivery) []Delivery {
	for !o.ended {
		if b, ok := o.early.take(o.position); ok {
			out = o.deliver(out, b.header, b.payload)
			continue
		}
		g, ok := o.gaps.at(o.position)
		if !ok {
			break
		}
		out = o.declare(out, g)
	}
	return out
}

func (o *ordered) gap(now time.Duration, g wire.Gap, out []Delivery) []Delivery {
	o.ackNow(now)
	if o.ended || g.To != 0 && g.To <= o.position {
		return out
	}
	o.gaps.add(g, o.position)
	return o.drain(out)
}

// declare moves the position over a gap, up to the next batch that is there.
func (o *ordered) declare(out []Delivery, g wire.Gap) []Delivery {
	g.From = o.position + 1
	if next, ok := o.early.first(); ok && (g.To == 0 || next <= g.To) {
		g.To = next - 1
	}
	if g.To == 0 {
		o.ended, o.position = true, g.From
		o.gaps.clear()
		return append(out, Delivery{Gap: g})
	}
	o.position = g.To
	o.stats.Missing += g.To - g.From + 1
	return appendGap(out, g)
}

// appendGap appends a gap, to the last one if it continues that one.
func appendGap(out []Delivery, g wire.Gap) []Delivery {
	if n := len(out) - 1; n >= 0 {
		last := &out[n].Gap
		if last.From != 0 && last.Stream == g.Stream && last.To+1 == g.From && last.Reason == g.Reason {
			last.To = g.To
			return out
		}
	}
	return append(out, Delivery{Gap: g})
}

// ranges are the samples known beyond the position, held or declared missing:
// none of them needs sending again.
func (o *ordered) ranges() []wire.Range {
	return mergeRanges(o.early.ranges(), o.gaps.ranges())
}
