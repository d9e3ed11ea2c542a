package ladder

import "time"

// Why Use is what it is, in words for people.
const (
	ReasonNone    = "no path is proven"
	ReasonOnly    = "the only path so far"
	ReasonBest    = "the best proven path"
	ReasonTrial   = "a better path is on trial"
	ReasonHeld    = "a better path failed before and is on a longer trial"
	ReasonSilent  = "nothing was heard lately"
	ReasonUnheard = "the other end hears nothing on it"
	ReasonFell    = "a better path stopped answering"
)

// reason explains the chosen carrier and the one beside it.
func (l *Ladder) reason(now time.Duration, beside *carrier) string {
	switch {
	case l.chosen == nil:
		return ReasonNone
	case l.chosen.unheard:
		return ReasonUnheard
	case l.chosen.silent:
		return ReasonSilent
	case beside != nil && l.holds[beside.rung].current(now, l.cfg) > l.cfg.Stay:
		return ReasonHeld
	case beside != nil:
		return ReasonTrial
	case l.fell():
		return ReasonFell
	case len(l.carriers) == 1:
		return ReasonOnly
	default:
		return ReasonBest
	}
}

// fell reports whether a carrier on a better rung than the chosen one was
// proven and is not sound now.
func (l *Ladder) fell() bool {
	for _, c := range l.carriers {
		if c.rung < l.chosen.rung && (c.silent || c.unheard) {
			return true
		}
	}
	return false
}
