// Package rover is the physics of a small vehicle that is driven by a speed and a turn rate, as one with two driven wheels is
// (a unicycle, in the words of the literature: Siciliano et al., "Robotics", 2009, section 11.2). It is pure: a state, an
// input and a time in, a state out.
//
//	ẋ = v cosθ    ẏ = v sinθ    θ̇ = ω
//
// Motors take v and ω to where they are to be, with a lag and with a limit of what they can accelerate.
package rover

import "math"

// Params say what is built.
type Params struct {
	Lag      float64 // s, of the motors
	MaxAccel float64 // m/s²
	MaxTwist float64 // rad/s², of the turn rate
	MaxSpeed float64 // m/s, in both directions
	MaxTurn  float64 // rad/s, in both directions
	Radius   float64 // m, of the rover
	Arena    float64 // m, from the middle to each of the four walls
}

// Default is a rover of a hand's size in an arena of 4 m × 4 m.
func Default() Params {
	return Params{Lag: 0.08, MaxAccel: 2, MaxTwist: 12, MaxSpeed: 1, MaxTurn: 2.5, Radius: 0.12, Arena: 2}
}

// State is where it is and how it moves.
type State struct {
	X, Y    float64 // m, from the middle of the arena
	Heading float64 // rad from the x axis towards the y axis, −π … π
	Speed   float64 // m/s, forward positive
	Turn    float64 // rad/s
	Wall    bool    // it stands against a wall
}

// Input is where speed and turn rate are to be, in m/s and rad/s.
type Input struct{ Speed, Turn float64 }

// Step is the state dt seconds later: the path is an arc's chord, with the mean of speed and turn rate before and after.
func (p Params) Step(s State, in Input, dt float64) State {
	speed := p.follow(s.Speed, in.Speed, p.MaxSpeed, p.MaxAccel, dt)
	turn := p.follow(s.Turn, in.Turn, p.MaxTurn, p.MaxTwist, dt)
	angle, way := dt*(s.Turn+turn)/2, dt*(s.Speed+speed)/2
	sin, cos := math.Sincos(s.Heading + angle/2)
	s.X += way * cos
	s.Y += way * sin
	s.Heading = math.Remainder(s.Heading+angle, 2*math.Pi)
	s.Speed, s.Turn = speed, turn
	return p.stop(s)
}

// follow is a speed dt later, on its way to where it is to be.
func (p Params) follow(now, target, limit, accel, dt float64) float64 {
	target = min(max(target, -limit), limit)
	change := (target - now) * -math.Expm1(-dt/p.Lag)
	return now + min(max(change, -accel*dt), accel*dt)
}

// stop holds it inside the arena. It does not slide along a wall; it can turn there.
func (p Params) stop(s State) State {
	limit := p.Arena - p.Radius
	s.Wall = math.Abs(s.X) > limit || math.Abs(s.Y) > limit
	if s.Wall {
		s.X, s.Y = min(max(s.X, -limit), limit), min(max(s.Y, -limit), limit)
		s.Speed = 0
	}
	return s
}
