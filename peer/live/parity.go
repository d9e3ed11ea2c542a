package live

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the redundancy of a Out. A packet's parity covers two
// earlier ones: the last, so that a single loss is mended by the next packet, and
// the oldest that can still be in time, so that a run of losses is mended by those
// that follow it. Of two neighbours lost, each is in another parity with one that came.

// paritySlack is what is left to the receiver's timers, and to ours.
const paritySlack = 3 * time.Millisecond

// parityCost is what a parity has beside its sum, in bytes.
const parityCost = 10

// putParity ends a packet with the parity that is of most use. If it has no
// room for one, Next will send one apart.
func (o *Out) putParity(now time.Duration, p *sentPacket) {
	members := o.members(now, p.number)
	longest := 0
	for _, m := range members {
		longest = max(longest, m.length)
	}
	o.owed = p.length > 0 && len(o.packet)+longest+parityCost > maxPacket
	if len(members) == 0 || o.owed {
		return
	}
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
	o.covered = members[0].number
	o.stats.Parities++
}

// members are the packets that a parity in the packet of that number covers.
func (o *Out) members(now time.Duration, number uint64) (members []*sentPacket) {
	last := o.useful(now, number-1)
	if last == nil {
		return nil
	}
	members = append(members, last)
	for lag := uint64(wire.MaxLag); lag > 1; lag-- {
		if number > lag && number-lag != last.number {
			if p := o.useful(now, number-lag); p != nil {
				return append(members, p)
			}
		}
	}
	return members
}

// useful is the packet of that number, if it has a content that is not too late.
func (o *Out) useful(now time.Duration, number uint64) *sentPacket {
	p := o.at(number)
	if number == 0 || p.number != number || !p.kept || p.length == 0 {
		return nil
	}
	// The deadline is that of a batch's last sample; the first is older by what it waited.
	by := now + o.path.oneWay() + min(o.path.spacing, maxBatchWait) + paritySlack
	for _, f := range p.pieces {
		if f.Until == 0 || by <= f.Until {
			return p
		}
	}
	return nil
}

// maxBatchWait is how much older than its last sample a batch's first one is, at most, where that matters.
const maxBatchWait = 22 * time.Millisecond
