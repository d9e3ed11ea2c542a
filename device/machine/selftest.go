package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// testEvery is how often a self-test says how far it is.
const testEvery = 100 * time.Millisecond

// reading is what a self-test compares.
type reading struct {
	at           time.Time
	steps        int64
	late, missed int64
}

func (m *Machine) reading() reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.advanceLocked(now)
	return reading{now, m.clock.done, m.clock.late, m.clock.missed}
}

type tested struct {
	Rate   float64 `json:"steps_a_second"`
	Late   int64   `json:"late"`
	Missed int64   `json:"missed"`
}

// selfTest fails when the simulation does not keep up with real time.
func (m *Machine) selfTest(ctx context.Context, params json.RawMessage, progress func(float64)) (any, error) {
	p := struct{ Seconds float64 }{3}
	if err := read(params, &p); err != nil {
		return nil, err
	}
	whole := time.Duration(p.Seconds * float64(time.Second))
	before := m.reading()
	for passed := time.Duration(0); passed < whole; passed = time.Since(before.at) {
		progress(passed.Seconds() / whole.Seconds())
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("ended after %.1f s of %.1f", passed.Seconds(), whole.Seconds())
		case <-time.After(min(testEvery, whole-passed)):
		}
	}
	after := m.reading()
	t := tested{Rate: float64(after.steps-before.steps) / after.at.Sub(before.at).Seconds(), Late: after.late - before.late, Missed: after.missed - before.missed}
	t.Rate = math.Round(t.Rate*10) / 10
	if t.Missed > 0 {
		return nil, fmt.Errorf("%d steps of %v were left out: this computer is too busy", t.Missed, Step)
	}
	return t, nil
}
