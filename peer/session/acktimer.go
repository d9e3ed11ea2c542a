package session

import "time"

const (
	// ackDelay is how long an acknowledgement may wait for more to
	// acknowledge. It leaves timers some of the 100 ms of section 5.1.
	ackDelay = 80 * time.Millisecond
	// ackSpacing is the least time between two acknowledgements of little: a burst
	// of duplicates or holes is answered once.
	ackSpacing = 10 * time.Millisecond
	// ackBytes is how much may come before it is acknowledged without
	// delay: a quarter of a flight, so that a sender who catches up never waits for us.
	ackBytes = maxFlight / 4
)

// ackTimer knows when the next acknowledgement is due.
type ackTimer struct {
	ackDue bool
	ackAt  time.Duration
	acked  time.Duration // when the last one was sent
	bytes  int           // that came since
}

func (a *ackTimer) ackNow(now time.Duration) { a.ackBy(max(now, a.acked+ackSpacing)) }

func (a *ackTimer) ackSoon(now time.Duration, size int) {
	if a.bytes += size; a.bytes >= ackBytes {
		a.ackBy(now)
		return
	}
	a.ackBy(now + ackDelay)
}

func (a *ackTimer) ackBy(at time.Duration) {
	if !a.ackDue || at < a.ackAt {
		a.ackDue, a.ackAt = true, at
	}
}

func (a *ackTimer) ackSent(now time.Duration) { a.ackDue, a.acked, a.bytes = false, now, 0 }
