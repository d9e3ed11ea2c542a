package cartpole

import (
	"math"
	"testing"
)

const dt = 0.001

// frictionless is the default without what takes energy, with a rail that has no end to speak of.
func frictionless() Params {
	p := Default()
	p.Rolling, p.Hinge, p.Rail = 0, 0, 1e9
	return p
}

// free moves without landing: below the rail, too.
func (p Params) free(s State, seconds float64, each func(State)) State {
	for range int(math.Round(seconds / dt)) {
		s = p.Step(s, Input{}, dt)
		s.Down = false
		each(s)
	}
	return s
}

// hanging is a pole of which nothing lands: its angle is measured from below.
func hanging(p Params) Params { p.Gravity = -p.Gravity; return p }

func TestEnergyStaysWithoutFriction(t *testing.T) {
	p := hanging(frictionless())
	start := State{Angle: 1.2, V: 0.7}
	want, worst := p.Energy(start), 0.0
	p.free(start, 60, func(s State) { worst = max(worst, math.Abs(p.Energy(s)-want)) })
	if worst > 1e-9*math.Abs(want) {
		t.Errorf("energy %v J is off by up to %v J in a minute", want, worst)
	}
}

func TestMomentumStaysWithoutFriction(t *testing.T) {
	p := hanging(frictionless())
	momentum := func(s State) float64 { return (p.Cart+p.Pole)*s.V + p.Pole*p.Half*math.Cos(s.Angle)*s.Spin }
	start := State{Angle: 1.2, V: 0.7}
	want := momentum(start)
	p.free(start, 60, func(s State) {
		if math.Abs(momentum(s)-want) > 1e-9 {
			t.Fatalf("momentum was %v, is %v N·s", want, momentum(s))
		}
	})
}

func TestFrictionTakesEnergy(t *testing.T) {
	p := hanging(Default())
	before := p.Energy(State{Angle: 1.2, V: 0.7})
	p.free(State{Angle: 1.2, V: 0.7}, 10, func(s State) {
		if now := p.Energy(s); now > before+1e-12 {
			t.Fatalf("energy rose from %v to %v J", before, now)
		} else {
			before = now
		}
	})
}

// Small swings of a rod that hangs from a cart which gives way: ω² = (M+m) m g l / ((M+m) 4/3 m l² − (m l)²).
func TestPeriodOfSmallSwings(t *testing.T) {
	p := hanging(frictionless())
	m := p.Cart + p.Pole
	want := 2 * math.Pi * math.Sqrt((m*p.inertia()-math.Pow(p.Pole*p.Half, 2))/(m*p.Pole*9.81*p.Half))
	var crossings []float64
	before, now := 0.01, 0.0
	p.free(State{Angle: before}, 20, func(s State) {
		now += dt
		if before < 0 && s.Angle >= 0 {
			crossings = append(crossings, now-dt*s.Angle/(s.Angle-before))
		}
		before = s.Angle
	})
	n := len(crossings) - 1
	if got := (crossings[n] - crossings[0]) / float64(n); math.Abs(got-want) > 1e-4*want {
		t.Errorf("period %v s, want %v s", got, want)
	}
}

// A rod that is nearly upright leaves it as e^{λt}.
func TestFallsAsTheTextbookSays(t *testing.T) {
	p := frictionless()
	m := p.Cart + p.Pole
	lambda := math.Sqrt(m * p.Pole * p.Gravity * p.Half / (m*p.inertia() - math.Pow(p.Pole*p.Half, 2)))
	const start, seconds = 1e-5, 1.5
	got := p.free(State{Angle: start}, seconds, func(State) {}).Angle
	if want := start * math.Cosh(lambda*seconds); math.Abs(got-want) > 1e-3*want {
		t.Errorf("angle %v rad after %v s, want %v", got, seconds, want)
	}
}

func TestFallsWhenNobodyBalances(t *testing.T) {
	for _, lean := range []float64{0.001, -0.001} {
		p, s := Default(), State{Angle: lean}
		var fell float64
		for ; !s.Down && fell < 10; fell += dt {
			s = p.Step(s, Input{}, dt)
		}
		if fell < 1 || fell > 4 || s.Angle != math.Copysign(Flat, lean) {
			t.Errorf("from %v rad: %+v after %v s", lean, s, fell)
		}
		if after := p.Step(s, Input{Force: 5}, 1); after.Angle != s.Angle || !after.Down || after.X <= s.X {
			t.Errorf("what lies there stays, and the cart moves: %+v", after)
		}
	}
}

func TestRailEnds(t *testing.T) {
	p, s := Default(), State{}
	for range 5000 {
		before := s
		s = p.Step(s, Input{Force: 100}, dt)
		if s.X > p.Rail || s.V < 0 {
			t.Fatalf("%+v", s)
		}
		if s.V > before.V+1.2*p.MaxForce/p.Cart*dt {
			t.Fatalf("the motor gave more than its limit: %+v, then %+v", before, s)
		}
	}
	if s.X != p.Rail || s.V != 0 {
		t.Errorf("a cart that is pressed against the end stands there: %+v", s)
	}
}

// The blow at the end of the rail throws the pole forward: its angular momentum around the hinge stays.
func TestTheEndThrowsThePole(t *testing.T) {
	p := Default()
	s := State{X: p.Rail + 1e-6, V: 2, Angle: 0.1, Spin: 0.3}
	around := func(s State) float64 { return p.inertia()*s.Spin + p.Pole*p.Half*math.Cos(s.Angle)*s.V }
	after := p.bump(s)
	if after.V != 0 || after.Spin <= s.Spin || math.Abs(around(after)-around(s)) > 1e-12 {
		t.Errorf("%+v, then %+v", s, after)
	}
}

// A push gives its whole impulse to cart and pole together.
func TestPushIsAnImpulse(t *testing.T) {
	p := Default()
	s := p.Push(State{Angle: 0.2}, 0.05)
	if got := (p.Cart+p.Pole)*s.V + p.Pole*p.Half*math.Cos(s.Angle)*s.Spin; math.Abs(got-0.05) > 1e-12 {
		t.Errorf("momentum %v N·s after a push of 0.05", got)
	}
	if s.Spin <= 0 {
		t.Errorf("a push to the right turns the pole to the right: %+v", s)
	}
}

func BenchmarkStep(b *testing.B) {
	p, s := Default(), State{Angle: 0.01}
	for b.Loop() {
		if s = p.Step(s, Input{Force: -s.X}, dt); s.Down {
			s = State{Angle: 0.01}
		}
	}
}
