package live

import (
	"slices"
	"time"
)

// This file is how a loss is mended before the next packet shows it: an In tells that nothing has come for too long, and an
// Out, which knows when the next packet left, whether that one is missing. It saves most of the time between two packets.

const (
	// overdueAfter is by how much the next packet is later than the longest of the last times between two, when that is told.
	overdueAfter = 8 * time.Millisecond
	// overdueSlack is by how much it is later than it left, when it counts as missing.
	overdueSlack = 4 * time.Millisecond
	// overdueGaps is how many times between packets are remembered: behind a repair one is short.
	overdueGaps = 8
	// overdueMost is the longest time between packets that counts as regular.
	overdueMost = 100 * time.Millisecond
	// overdueLost is for how many packets a loss is remembered. Where there was none, what does not come was not sent.
	overdueLost = 128
)

// rhythm is when packets come.
type rhythm struct {
	gaps  [overdueGaps]time.Duration // between two that came one after the other
	count int                        // of these, ever
	hole  uint64                     // the newest packet that showed a loss; 0: none did
	told  bool                       // that the next one is overdue
}

// came notes that a packet came, as the newest, and how long after the one before.
func (r *rhythm) came(number, before uint64, gap time.Duration) {
	r.told = false
	switch {
	case before == 0:
	case number > before+1:
		r.hole = number
	default:
		r.gaps[r.count%overdueGaps] = gap
		r.count++
	}
}

// overdue is how long after the newest packet the next one is; Never: nothing says when it is to come, or it was told.
func (r *rhythm) overdue(newest uint64) time.Duration {
	if r.told || r.count < overdueGaps || r.hole == 0 || newest-r.hole >= overdueLost {
		return Never
	}
	longest := slices.Max(r.gaps[:])
	if longest > overdueMost {
		return Never
	}
	return longest + overdueAfter
}

// repairOverdue sends again what the packets carried that left so soon after the newest that came that they had
// come, too, when that had been there for a time. Whether they are lost, a later one shows: jitter makes them overdue as well.
func (o *Out) repairOverdue(now time.Duration, newest *sentPacket, held time.Duration) {
	for n := newest.number + 1; n <= o.number; n++ {
		p := o.at(n)
		if held < p.at-newest.at+overdueSlack {
			return
		}
		if !p.told && !p.overdue {
			p.overdue = true
			o.repairAll(now, p)
		}
	}
}
