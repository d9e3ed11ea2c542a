package main

import (
	"math/rand/v2"
	"time"
)

// burstLoss steps the Gilbert-Elliott state and tells whether it takes a packet.
func (l *Link) burstLoss(b Burst) bool {
	if b == (Burst{}) {
		l.bad = false
		return false
	}
	if l.bad {
		l.bad = !l.chance(b.Leave)
	} else {
		l.bad = l.chance(b.Enter)
	}
	if l.bad {
		return l.chance(b.LossBad)
	}
	return l.chance(b.LossGood)
}

// fader runs the clock of the fade model.
type fader struct {
	rng   *rand.Rand
	model Fade
	bad   bool
	until time.Duration // when the state ends
}

// loss returns the probability of loss at a time, which must not go back. A
// changed model starts in the good state.
func (f *fader) loss(now time.Duration, model Fade) float64 {
	if model == (Fade{}) {
		f.model = model
		return 0
	}
	if model != f.model {
		f.model, f.bad, f.until = model, false, now+f.stay(model.Good)
	}
	for ; now >= f.until; f.bad = !f.bad {
		if f.bad {
			f.until += f.stay(model.Good)
		} else {
			f.until += f.stay(model.Bad)
		}
	}
	if f.bad {
		return model.LossBad
	}
	return model.LossGood
}

func (f *fader) stay(mean time.Duration) time.Duration {
	return time.Duration(f.rng.ExpFloat64() * float64(mean))
}

func (l *Link) chance(p float64) bool { return p > 0 && l.rng.Float64() < p }
