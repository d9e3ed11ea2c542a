package live

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the redundancy of a Out. A packet's parity covers two
// earlier ones: the last, so that a single loss is mended by the next packet, and
// the oldest that can still be in time, so that a run of losses is mended by those
// that follow it. Of two neighbours lost, each is in another parity with one that came.
// Where single losses are repaired, it covers the oldest alone.

// paritySlack is what is left to the receiver's timers, and to ours.
const paritySlack = 3 * time.Millisecond

// parityCost is what a parity has beside its sum, in bytes.
const parityCost = 10

// putParity ends a packet with the parity that is of most use. If it has no
// room for one, Next will send one apart.
func (o *Out) putParity(now time.Duration, p *sentPacket) {
	if p.length == 0 && !o.owed {
		o.putChances(now, p)
		return
	}
	members := o.members(now, p)
	longest := 0
	for _, m := range members {
		longest = max(longest, m.length)
	}
	o.owed = p.length > 0 && len(o.packet)+longest+parityCost > maxPacket
	if len(members) == 0 || o.owed {
		return
	}
	o.addParity(p, members, longest)
}

// addParity ends a packet with the parity of others, of which the longest has so many bytes.
func (o *Out) addParity(p *sentPacket, members []*sentPacket, longest int) {
	parity := wire.Parity{Bytes: make([]byte, longest)}
	for _, m := range members {
		parity.Lags = append(parity.Lags, p.number-m.number)
		parity.Length ^= uint16(m.length)
		sum := parity.Bytes
		for _, f := range m.pieces {
			xor(sum, f.Bytes)
			sum = sum[len(f.Bytes):]
		}
	}
	o.packet = wire.AppendFrame(o.packet, wire.TypeParity, wire.Hop{}, wire.AppendParity(nil, parity))
	for _, m := range members {
		m.covered++
	}
	o.undo.members = append(o.undo.members, members...)
	o.stats.Parities++
}

// members are the packets that a parity in p covers.
func (o *Out) members(now time.Duration, p *sentPacket) (members []*sentPacket) {
	number := p.number
	last := o.useful(now, o.loaded) // p is not noted yet
	if last == nil || number-last.number > wire.MaxLag {
		return nil
	}
	oldest := last
	for lag := uint64(wire.MaxLag); lag > number-last.number && oldest == last; lag-- {
		if number > lag {
			if q := o.useful(now, number-lag); q != nil && (p.length > 0 || int(q.covered) < o.path.wanted()) {
				oldest = q
			}
		}
	}
	members = o.covers[:0]
	if oldest == last {
		return append(members, last)
	}
	// Where there is repair, redundancy is for runs. The first packet behind one mends the oldest only if the sum has no other of them.
	if p.length > 0 && o.path.repairable() {
		return append(members, oldest)
	}
	return append(members, last, oldest)
}

// useful is the packet of that number, if it has a content that is not too late.
func (o *Out) useful(now time.Duration, number uint64) *sentPacket {
	p := o.at(number)
	if number == 0 || p.number != number || !p.kept || p.length == 0 {
		return nil
	}
	by := now + o.path.oneWay() + paritySlack
	for _, f := range p.pieces {
		if f.Until == 0 || by+f.Span <= f.Until {
			return p
		}
	}
	return nil
}
