package session

import "time"

// How much of the past may be unacknowledged, in bytes (section 5.4).
const (
	paceFirst = 16 << 10
	paceLeast = 4 << 10
	paceMost  = maxFlight
)

const (
	// paceQueue is by how much the round trip may grow before it counts as a
	// queue of our own making: live samples wait in it.
	paceQueue = 25 * time.Millisecond
	// paceStall is by how much it has grown where one round trip says enough.
	// Less may be a program that had to wait for its turn: a queue of our own
	// making is there at the next probe, too.
	paceStall = 200 * time.Millisecond
	// paceShare is which part of what filled the path the past may take.
	paceShare = 2
	// paceCalm is how long that part stays the bound before more is tried.
	paceCalm = 10 * time.Second
)

// Pace decides how much of the past may be under way on a path, from the round
// trips of probes: more as long as they stay short, and half of what filled the
// path when they grow. So live samples find the path free (invariant I7).
type Pace struct {
	limit   int
	ceiling int           // 0: none was met
	calmed  time.Duration // when it was met last
	least   time.Duration // round trip; 0: none yet
	late    bool          // the last sample was
}

// Limit is the bound now, in bytes.
func (p *Pace) Limit() int {
	if p.limit == 0 {
		return paceFirst
	}
	return p.limit
}

// Moved says that the path is another one: nothing is known of it.
func (p *Pace) Moved() { *p = Pace{} }

// Sample takes a round trip of the path. used: the bound was reached since the last one.
func (p *Pace) Sample(now, rtt time.Duration, used bool) {
	limit := p.Limit()
	if p.least == 0 || rtt < p.least {
		p.least = rtt
	}
	before := p.late
	p.late = rtt > p.least+paceQueue
	switch {
	case p.late && !before && rtt <= p.least+paceStall: // perhaps
	case p.late:
		if p.ceiling == 0 || limit < p.ceiling || now >= p.calmed+time.Second { // once for each queue
			p.ceiling, p.calmed = max(limit/paceShare, paceLeast), now
		}
		limit = p.ceiling
	case p.ceiling > 0 && now < p.calmed+paceCalm:
		limit = min(limit+limit/4, p.ceiling)
	case used:
		p.ceiling = 0
		limit += limit / 4
	}
	p.limit = min(max(limit, paceLeast), paceMost)
}
