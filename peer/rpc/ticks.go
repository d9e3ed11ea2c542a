package rpc

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// maxRuns is how many earlier runs of a device's program are remembered: a tick of one that comes late is none.
const maxRuns = 8

// ticks keeps the newest tick of a device and makes deadlines of it (section 10.1).
type ticks struct {
	newest wire.Tick // Epoch 0: none came
	came   time.Duration
	over   []uint32 // epochs of earlier runs
}

// heard takes a tick. It reports whether the device's program is another run than before.
func (t *ticks) heard(now time.Duration, tick wire.Tick) (restarted bool) {
	switch {
	case tick.Epoch == 0 || slices.Contains(t.over, tick.Epoch):
		return false
	case tick.Epoch == t.newest.Epoch && tick.At <= t.newest.At: // over the slower path
		return false
	case t.newest.Epoch != 0 && tick.Epoch != t.newest.Epoch:
		t.over = append(t.over, t.newest.Epoch)
		t.over = t.over[max(0, len(t.over)-maxRuns):]
		restarted = true
	}
	t.newest, t.came = tick, now
	return restarted
}

func (t *ticks) known() bool { return t.newest.Epoch != 0 }

// isOver reports whether an epoch is that of an earlier run.
func (t *ticks) isOver(epoch uint32) bool { return epoch != 0 && slices.Contains(t.over, epoch) }

// by is the deadline of what may wait for so long from now.
func (t *ticks) by(now, wait time.Duration) (epoch uint32, by uint64) {
	return t.newest.Epoch, t.newest.At + uint64(max(now-t.came+wait, 0)/time.Microsecond)
}
