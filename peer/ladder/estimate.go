package ladder

import "time"

// estimate smooths round trips as RFC 6298, section 2, does.
type estimate struct {
	known     bool
	rtt       time.Duration
	variation time.Duration
}

// add takes a measured round trip. One that is not positive is none: the
// caller has a proof without a measurement.
func (e *estimate) add(rtt time.Duration) {
	switch {
	case rtt <= 0:
	case !e.known:
		*e = estimate{known: true, rtt: rtt, variation: rtt / 2}
	default:
		e.variation += ((e.rtt - rtt).Abs() - e.variation) / 4
		e.rtt += (rtt - e.rtt) / 8
	}
}

// patience is how long an answer may take before it is missed.
func (e *estimate) patience(cfg Config) time.Duration {
	if !e.known {
		return max(cfg.DoubtFloor, unmeasuredPatience)
	}
	spread := min(4*e.variation, 2*e.rtt+maxSpread)
	return max(cfg.DoubtFloor, e.rtt*3/2+spread)
}

// unsettled: the round trips differed much lately, as behind an outage. More
// of them are wanted soon.
func (e *estimate) unsettled() bool { return e.known && e.variation > e.rtt/2 }
