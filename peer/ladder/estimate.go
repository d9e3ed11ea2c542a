package ladder

import "time"

// estimate is what round trips say of a way: they are smoothed as RFC 6298,
// section 2, does, and the smallest of the latest is kept.
type estimate struct {
	known     bool
	rtt       time.Duration
	variation time.Duration
	latest    [keptRounds]time.Duration // newest first; 0: none
	low       time.Duration             // the smallest of them
	began     time.Duration             // when the first answer of the newest came
	held      bool                      // the newest answer measured an outage
}

// add takes a round trip that was measured now, on a way that is sound since
// the time given. One that is not positive is none: the caller has a proof
// without a measurement.
func (e *estimate) add(now, rtt, sound time.Duration) {
	if rtt <= 0 {
		return
	}
	sent, settled := now-rtt, e.settled()
	e.keep(now, sent, rtt)
	e.held = e.known && sent < sound && rtt > 2*e.low
	switch {
	case e.held:
		// SCTP keeps what an outage holds up, and sends it behind it. Such an answer
		// says how long the outage was; unless all of late took as long.
	case !e.known || !settled && rtt < e.rtt:
		// What makes a way, and loses some of it, holds up the first answers, too:
		// of the first rounds the smallest one is where smoothing begins.
		e.known, e.rtt, e.variation = true, rtt, rtt/2
	default:
		e.variation += ((e.rtt - rtt).Abs() - e.variation) / 4
		e.rtt += (rtt - e.rtt) / 8
	}
}

// keep enters a round trip among the latest. Those that were under way
// together are one, the smallest: what came of them all at once was held up.
func (e *estimate) keep(now, sent, rtt time.Duration) {
	if e.latest[0] == 0 || sent >= e.began {
		copy(e.latest[1:], e.latest[:])
		e.latest[0], e.began = rtt, now
	}
	e.latest[0] = min(e.latest[0], rtt)
	e.low = e.latest[0]
	for _, one := range e.latest[1:] {
		if one > 0 {
			e.low = min(e.low, one)
		}
	}
}

// patience is how long an answer may take before it is missed. It follows the
// smallest of the latest round trips: behind an outage most take long, while
// SCTP recovers, and must not hide the next outage.
func (e *estimate) patience(cfg Config) time.Duration {
	if !e.known {
		return max(cfg.DoubtFloor, unmeasuredPatience)
	}
	spread := min(4*e.variation, 2*e.low+maxSpread)
	return max(cfg.DoubtFloor, e.low*3/2+spread)
}

// again is how long a first probe waits for its answer before there is a second one: on a long way for longer than answers take, as
// far as that of the second can be there before doubt. A spare has the time, since nothing is sent on it.
func (e *estimate) again(cfg Config, inUse bool) time.Duration {
	after := e.low + e.low/4 + answerSlack
	if inUse {
		after = min(after, e.patience(cfg)-e.low)
	}
	if !e.known {
		return cfg.SecondProbe
	}
	return max(cfg.SecondProbe, after)
}

// settled: so many rounds were measured that one of them was not held up.
func (e *estimate) settled() bool { return e.latest[keptRounds-1] != 0 }

// unconfirmed: few round trips were measured, and they were long.
func (e *estimate) unconfirmed(cfg Config) bool {
	return e.known && !e.settled() && e.rtt > cfg.SecondProbe
}

// unsettled: the round trips differed much lately, as behind an outage. More
// of them are wanted soon.
func (e *estimate) unsettled() bool { return e.known && (e.held || e.variation > e.rtt/2) }
