package rover

import (
	"math"
	"testing"
)

const dt = 0.001

func drive(p Params, s State, in Input, seconds float64) State {
	for range int(math.Round(seconds / dt)) {
		s = p.Step(s, in, dt)
	}
	return s
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v ± %v", what, got, want, tolerance)
	}
}

func TestDrivesACircle(t *testing.T) {
	p := Default()
	start := State{Speed: 0.5, Turn: 1}
	s := drive(p, start, Input{0.5, 1}, 2*math.Pi)
	near(t, "x", s.X, 0, 1e-3)
	near(t, "y", s.Y, 0, 1e-3)
	half := drive(p, start, Input{0.5, 1}, math.Pi)
	near(t, "diameter", half.Y, 2*0.5/1, 1e-3)
}

func TestHasInertia(t *testing.T) {
	p := Default()
	s := drive(p, State{}, Input{Speed: 1}, 0.2)
	near(t, "speed after 0.2 s at full acceleration", s.Speed, 0.2*p.MaxAccel, 1e-9)
	s.X = -1.8
	s = drive(p, s, Input{Speed: 1}, 2)
	near(t, "speed in the end", s.Speed, 1, 1e-6)
	// From 1 m/s: full braking until the lag's own is gentler, at a × lag, from there on exponential.
	gentle := p.MaxAccel * p.Lag
	want := (1-gentle*gentle)/(2*p.MaxAccel) + gentle*p.Lag
	stopped := drive(p, State{Speed: 1}, Input{}, 3)
	near(t, "way to a stand", stopped.X, want, 2e-3)
	near(t, "speed at a stand", stopped.Speed, 0, 1e-6)
}

func TestStaysInTheArena(t *testing.T) {
	p := Default()
	for heading := -3.0; heading < 3; heading += 0.1 {
		s := drive(p, State{Heading: heading}, Input{Speed: 5}, 6)
		if limit := p.Arena - p.Radius; !s.Wall || s.Speed != 0 || math.Abs(s.X) > limit || math.Abs(s.Y) > limit {
			t.Fatalf("heading %v: %+v", heading, s)
		}
		if away := drive(p, s, Input{Speed: -5}, 1); away.Wall || away.Speed > -0.9 {
			t.Fatalf("it cannot back off: %+v", away)
		}
	}
}

func TestLimits(t *testing.T) {
	p := Default()
	s := drive(p, State{}, Input{Speed: 0, Turn: -100}, 2)
	near(t, "turn rate", s.Turn, -p.MaxTurn, 1e-6)
	if math.Abs(s.Heading) > math.Pi {
		t.Errorf("heading %v", s.Heading)
	}
}
