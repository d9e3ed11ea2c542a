package live

import (
	"slices"
	"time"
)

// This file is what a Out does when a path seems to have stopped carrying, long before an answer is overdue: what it carried last is sent
// again while that can still be in time, for when it carries again. Who waits for receipts until then repeats a round trip too late.
//
// What carries the packets acknowledges them by itself, each second one at the latest where they come regularly (RFC 9260,
// section 6.2). That is seen without asking.

const (
	// duskPackets and duskSlack are for how many times between packets, and for how long beside it, nothing is acknowledged: twice
	// the time between two acknowledgements, one of which may be lost, and a radio's own jitter.
	duskPackets = 4
	duskSlack   = lateQueue
	// duskLeast is the least time between packets then.
	duskLeast = 8 * time.Millisecond
	// duskMost is how many bytes are under way then at most: what is lost stays in SCTP's window until the path carries again, and the
	// newest has to find room there.
	duskMost = 14 << 10
	// regularGap is the longest time between two packets that are regular.
	regularGap = 100 * time.Millisecond
)

// dusk is what is known of acknowledgements.
type dusk struct {
	made    uint64        // bytes of all packets
	acked   uint64        // of them, as far as is known
	under   uint64        // of them not acknowledged, as told last
	ackedAt time.Duration // when that was seen to grow last
	regular time.Duration // since when packets with fresh frames have followed each other
	on      bool
}

// Unacknowledged takes how many bytes of the packets so far have not been acknowledged to what carries them. It is to be called before Limit.
func (o *Out) Unacknowledged(now time.Duration, bytes uint64) {
	d := &o.dusk
	d.under = bytes
	if acked := d.made - min(bytes, d.made); acked > d.acked || bytes == 0 {
		d.acked, d.ackedAt = acked, now
	}
	silence := duskPackets*o.path.spacing + duskSlack
	isDue := bytes < duskMost && now-d.regular >= o.path.rtt+silence
	d.on = isDue && now-d.ackedAt >= silence && o.answered && o.path.repairable() && !o.pace.narrow() && !o.Dark(now)
}

// duskAt is when the oldest frames that can be in time go again, between two packets of fresh ones.
func (o *Out) duskAt() time.Duration {
	if !o.dusk.on {
		return Never
	}
	at := o.lastAt + max(duskLeast, o.path.spacing/3)
	if o.oldestLost(at) == nil {
		return Never
	}
	return at
}

// putOldest has a packet carry what the oldest one carried that may be lost.
func (o *Out) putOldest(now time.Duration, p *sentPacket) {
	lost := o.oldestLost(now)
	if lost == nil {
		return
	}
	for _, f := range lost.pieces {
		if o.worthAgain(now, f) && !slices.Contains(p.pieces, f) && len(o.packet)+len(f.Bytes) <= maxPacket {
			o.put(p, f)
			o.stats.Repairs++
		}
	}
}

// oldestLost is the oldest packet that may be lost and is worth to be sent again; nil: none is.
func (o *Out) oldestLost(now time.Duration) *sentPacket {
	for n := o.number - min(o.number, sentPackets) + 1; n <= o.number; n++ {
		p := o.at(n)
		if p.number == n && !p.told && slices.ContainsFunc(p.pieces, func(f *piece) bool { return o.worthAgain(now, f) }) {
			return p
		}
	}
	return nil
}

// worthAgain reports whether a frame may be lost, and all of it can be in time.
func (o *Out) worthAgain(now time.Duration, f *piece) bool {
	return !f.came && f.Until != 0 && now+o.path.oneWay()+paritySlack+f.Span <= f.Until
}
