package ladder

import (
	"slices"
	"time"
)

// Decision is what to do now.
type Decision struct {
	Use     []int         // send on all of these, best rung first; empty: no path. Not to be modified
	Pair    []int         // two that are proved, of two rungs if there are, also while one is enough for Use: for what may not fail with one path. Not to be modified
	Probe   []int         // probes due now: send them, then call Probed
	Replace []int         // in doubt, or unproven, for too long: build a successor beside it. Repeated as long as it is so
	Wake    time.Duration // call Step again at the latest then; Never: not without an event
	Reason  string        // why Use is what it is: one of the Reason constants
}

// Step decides for now. Call it after any event, and at Wake. Calling it more
// often changes nothing.
func (l *Ladder) Step(now time.Duration) Decision {
	l.notice(now)
	l.bury(now)
	l.choose(now)
	beside := l.beside()
	d := Decision{Use: l.use(now, beside), Pair: l.pair(), Reason: l.reason(now, beside)}
	l.probes(now, &d)
	l.replacements(now, &d)
	d.Wake = l.wake(now, d.Probe)
	return d
}

// notice puts in doubt what was silent for too long.
func (l *Ladder) notice(now time.Duration) {
	for _, c := range l.carriers {
		if !l.unwatched && c.mayBeLate() && now >= c.lateAt(l.cfg) {
			c.late = true
		}
		if !l.unwatched && c.usable && !c.silent && now >= c.doubtAt(l.cfg) {
			c.change(now, func() { c.silent = true })
		}
	}
}

// bury declares dead what is in doubt for too long, if another carrier is
// sound: otherwise it is still the best there is.
func (l *Ladder) bury(now time.Duration) {
	if !slices.ContainsFunc(l.carriers, (*carrier).isSound) {
		return
	}
	for _, c := range l.carriers {
		if c.usable && !c.isSound() && now-c.trouble >= l.cfg.ReplaceAfter {
			l.lose(now, c)
			c.usable = false
		}
	}
}

// choose takes the best usable carrier if there is no chosen one, or the best
// one on a better rung, or that succeeds it on its own, whose trial is over.
func (l *Ladder) choose(now time.Duration) {
	for {
		best := l.best(func(c *carrier) bool {
			return c.usable && (l.chosen == nil || l.climbs(c) && now >= l.trialEnds(now, c))
		})
		if best == nil {
			return
		}
		l.chosen, best.taken = best, now // which may have a successor itself
	}
}

// beside returns the second carrier to send on, if one is wanted: whatever is
// best while the chosen one is in doubt, otherwise a better rung, or a successor, on trial.
func (l *Ladder) beside() *carrier {
	if l.chosen == nil {
		return nil
	}
	doubt := !l.chosen.isSound()
	return l.best(func(c *carrier) bool {
		return c != l.chosen && c.usable && (doubt || l.climbs(c))
	})
}

// climbs reports whether c is a sound carrier on a better rung than the chosen
// one, or its successor: who built that will give up the older one, with what is on its way there.
func (l *Ladder) climbs(c *carrier) bool {
	return c.isSound() && (c.rung < l.chosen.rung || c.rung == l.chosen.rung && c.born > l.chosen.born)
}

func (l *Ladder) trialEnds(now time.Duration, c *carrier) time.Duration {
	return c.sound + l.holds[c.rung].current(now, l.cfg)
}

// best returns the best of the carriers that fit, nil if none does.
func (l *Ladder) best(fits func(*carrier) bool) (best *carrier) {
	for _, c := range l.carriers {
		if fits(c) && (best == nil || better(l.rank(c), l.rank(best))) {
			best = c
		}
	}
	return best
}

// use marks what is in use and returns the ids, best rung first.
func (l *Ladder) use(now time.Duration, beside *carrier) []int {
	for _, c := range l.carriers {
		c.setUse(now, !l.resting && (c == l.chosen || c == beside))
	}
	first, second := l.chosen, beside
	if first != nil && second != nil && second.rung < first.rung {
		first, second = second, first
	}
	var ids [2]int
	n := 0
	for _, c := range []*carrier{first, second} {
		if c != nil {
			ids[n] = c.id
			n++
		}
	}
	if !slices.Equal(ids[:n], l.using) {
		l.using = slices.Clone(ids[:n])
	}
	return l.using
}

// pair is the best in use, and behind it the best usable carrier of another rung: what silently ends one connection ends
// another one on the same rung as well, such as its own successor. Of the same rung only where there is no other.
func (l *Ladder) pair() []int {
	inUse := func(c *carrier) bool { return slices.Contains(l.using, c.id) }
	first := l.best(inUse)
	if first == nil || slices.ContainsFunc(l.carriers, func(c *carrier) bool { return inUse(c) && c.rung != first.rung }) {
		return l.using
	}
	second := l.best(func(c *carrier) bool { return c.usable && c.rung != first.rung })
	if second == nil {
		second = l.best(func(c *carrier) bool { return c.usable && c != first })
	}
	if second == nil {
		return l.using
	}
	ids := [...]int{first.id, second.id}
	if !slices.Equal(ids[:], l.paired) {
		l.paired = slices.Clone(ids[:])
	}
	return l.paired
}

func (l *Ladder) probes(now time.Duration, d *Decision) {
	for _, c := range l.carriers {
		if !l.unwatched && now >= c.probeAt(now, l.cfg) {
			d.Probe = append(d.Probe, c.id)
		}
	}
}

func (l *Ladder) replacements(now time.Duration, d *Decision) {
	for _, c := range l.carriers {
		if !l.unwatched && !c.isSound() && now-c.trouble >= l.cfg.ReplaceAfter && !l.succeeded(c) {
			d.Replace = append(d.Replace, c.id)
		}
	}
}

// succeeded reports whether a younger carrier of the same rung is up.
func (l *Ladder) succeeded(c *carrier) bool {
	return slices.ContainsFunc(l.carriers, func(other *carrier) bool {
		return other.rung == c.rung && other.born > c.born
	})
}

// wake is the next moment at which Step would decide otherwise, taking the
// probes that are due now as sent.
func (l *Ladder) wake(now time.Duration, probing []int) time.Duration {
	if l.unwatched {
		return l.nextTrialEnd(now)
	}
	at := l.nextTrialEnd(now)
	for _, c := range l.carriers {
		if slices.Contains(probing, c.id) {
			at = min(at, now+c.again(l.cfg))
		} else {
			at = min(at, c.probeAt(now, l.cfg))
		}
		if c.usable && !c.silent {
			at = min(at, c.doubtAt(l.cfg))
		}
		if c.mayBeLate() {
			at = min(at, c.lateAt(l.cfg))
		}
		if replace := c.trouble + l.cfg.ReplaceAfter; !c.isSound() && replace > now {
			at = min(at, replace)
		}
	}
	return at
}

func (l *Ladder) nextTrialEnd(now time.Duration) time.Duration {
	at := Never
	for _, c := range l.carriers {
		if l.chosen != nil && l.climbs(c) {
			at = min(at, l.trialEnds(now, c))
		}
	}
	return at
}
