package balance

import "time"

// window is how long the least value counts: long enough to contain a sample that met no queue, short enough to follow a clock.
const window = 2 * time.Second

// leastOfLate is the least value of the last window to two windows.
type leastOfLate struct {
	now, before time.Duration
	since       time.Duration // when now began
	any         bool
}

func (l *leastOfLate) add(value, at time.Duration) {
	switch {
	case !l.any:
		l.now, l.before, l.since, l.any = value, value, at, true
	case at-l.since >= window:
		l.before, l.now, l.since = l.now, value, at
	default:
		l.now = min(l.now, value)
	}
}

func (l *leastOfLate) least() time.Duration { return min(l.now, l.before) }
