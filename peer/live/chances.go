package live

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how the last packet gets parities where none follows that could carry them soon enough: of streams that are slow for
// what is left of their deadline, or end, and of packets so long that none fits beside them.

const (
	// parityAfter is how long the last packet waits at least for another one to carry its parity.
	parityAfter = 25 * time.Millisecond
	// parityStep is after which part of the time that is left a packet is to be in a parity, and in the next one.
	parityStep = 0.4
	// foregone is more parities than any packet wants.
	foregone = 8
	// leftForEver stands for what is left to frames without a deadline.
	leftForEver = 200 * time.Millisecond
)

// parityAt is when a packet of its own carries a parity of the last one with a content.
func (o *Out) parityAt() time.Duration {
	p := o.at(o.loaded)
	if o.loaded == 0 || p.number != o.loaded || !p.kept || int(p.covered) >= o.path.wanted() || !o.redundant() || o.dusk.on {
		return Never
	}
	left := o.left(p)
	step := time.Duration(parityStep * float64(left))
	if o.owed && o.path.spacing <= step {
		return o.lastAt
	}
	after := min(max(parityAfter, o.path.spacing*3/2), step) + time.Duration(p.covered)*step
	if left == 0 || after > left {
		return Never
	}
	return p.at + after
}

// left is for how long after a packet another one could leave that mends it in time.
func (o *Out) left(p *sentPacket) (left time.Duration) {
	for _, f := range p.pieces {
		if f.Until == 0 {
			return leftForEver
		}
		left = max(left, f.Until-f.Span-o.path.oneWay()-paritySlack-p.at)
	}
	return left
}

// forgoParity lets go of a parity for which it is too late: somebody had no time for us.
func (o *Out) forgoParity(now time.Duration) {
	if now < o.parityAt() {
		return
	}
	if o.useful(now, o.loaded) == nil || o.number-o.loaded >= wire.MaxLag {
		o.at(o.loaded).covered = foregone
	}
}

// putChances has a packet that carries nothing else carry a parity of each one that wants another, the newest first. A parity of its
// own does not depend on what else came.
func (o *Out) putChances(now time.Duration, p *sentPacket) {
	count := 0
	for n := o.loaded; n > 0 && p.number-n <= wire.MaxLag && count < wire.MaxParities; n-- {
		m := o.useful(now, n)
		fits := count == 0 || m != nil && len(o.packet)+m.length+parityCost <= maxPacket // a longer one goes alone, as it did
		if m != nil && int(m.covered) < o.path.wanted() && fits {
			o.covers[0] = m
			o.addParity(p, o.covers[:1], m.length)
			count++
		}
	}
}
