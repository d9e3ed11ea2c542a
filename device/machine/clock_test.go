package machine

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	var c clock
	at := start
	look := func(after time.Duration) (steps, skipped int64) {
		at = at.Add(after)
		steps, skipped = c.due(at)
		c.looked(at)
		return steps, skipped
	}
	for _, step := range []struct {
		after                                time.Duration
		steps, skipped, late, missed, behind int64 // behind: µs since the newest step
	}{
		{0, 0, 0, 0, 0, 0},
		{10 * time.Millisecond, 10, 0, 0, 0, 0},
		{14_500 * time.Microsecond, 14, 0, 0, 0, 500},       // timers are off by some ms
		{5_500 * time.Microsecond, 6, 0, 0, 0, 0},           // nothing is lost by rounding
		{110 * time.Millisecond, 110, 0, 101, 0, 0},         // busy: made up for, and counted
		{10 * time.Millisecond, 10, 0, 101, 0, 0},           //
		{3 * time.Second, 0, 3000, 101 + 2991, 3000, 0},     // asleep: left out
		{10 * time.Millisecond, 10, 0, 101 + 2991, 3000, 0}, //
		{-time.Second, 0, 0, 101 + 2991, 3000, -1_000_000},  // cannot be with a monotonic clock, and harms nothing
		{time.Second, 0, 0, 101 + 2991 + 991, 3000, 0},
	} {
		steps, skipped := look(step.after)
		if behind := at.Sub(c.wall(at)).Microseconds(); steps != step.steps || skipped != step.skipped || behind != step.behind {
			t.Errorf("after %v: %d steps, %d skipped, %d µs behind; want %+v", step.after, steps, skipped, behind, step)
		}
		if c.late != step.late || c.missed != step.missed {
			t.Errorf("after %v: late %d, missed %d; want %+v", step.after, c.late, c.missed, step)
		}
	}
}

// A second of the simulation. It is to cost less than 3 % of a core: 30 ms.
func BenchmarkSecond(b *testing.B) {
	m := New(Config{})
	m.world.lift()
	m.world.force = 0.1
	for b.Loop() {
		for range 100 {
			for range 10 {
				m.world.step()
			}
			m.world.look()
		}
	}
}
