package ladder

import "time"

// holdDown is how long a rung has to stay sound before it is used alone. It
// belongs to the rung, not to a carrier: a successor inherits its
// predecessor's record, otherwise a flapping path would be trusted anew each time.
type holdDown struct {
	stay      time.Duration // 0: never died young
	diedYoung time.Duration // when it did, last
}

// current is the hold-down now.
func (h holdDown) current(now time.Duration, cfg Config) time.Duration {
	if h.stay == 0 || now-h.diedYoung >= forgiveAfter {
		return cfg.Stay
	}
	return h.stay
}

// death doubles the hold-down if the carrier died young: taken and
// trouble are when it was chosen and when its last doubt began.
func (h *holdDown) death(now, taken, trouble time.Duration, cfg Config) {
	if trouble-taken >= dyingYoung {
		return
	}
	h.stay = min(2*h.current(now, cfg), cfg.StayMax)
	h.diedYoung = now
}
