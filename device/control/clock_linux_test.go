package control

import (
	"testing"
	"time"
)

// TestClock: it goes on like the program's own, never back, and a machine that is not suspended does not seem to be.
func TestClock(t *testing.T) {
	since := func(start time.Time) uint64 { return uint64(time.Since(start).Microseconds()) }
	const rounding = 10 // µs
	earlier := time.Now()
	c := newClock()
	later, last := time.Now(), uint64(0)
	for since(later) < 50_000 {
		least := since(later)
		at, asleep := c.now()
		most := since(earlier)
		if at < last {
			t.Fatalf("the clock went back from %d to %d µs", last, at)
		}
		if at+rounding < least || at > most+rounding {
			t.Errorf("the clock shows %d µs, not %d to %d", at, least, most)
		}
		if asleep > suspended {
			t.Errorf("the machine seems to have been suspended for %d µs", asleep)
		}
		last = at
	}
}

func BenchmarkClock(b *testing.B) {
	c := newClock()
	for b.Loop() {
		c.now()
	}
}
