package machine

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
	"github.com/telepath-iot/telepath/device/machine/rover"
)

// stance is how the pole is.
type stance uint8

const (
	down stance = iota // it lies on the rail
	held               // upright, by a hand that lets go with the first force, or when it is tired
	up
)

func (s stance) String() string { return [...]string{"down", "held", "up"}[s] }

// patience is how long a hand holds the pole.
const patience = int64(10 * time.Second / Step)

// Wind is noise with a memory (an Ornstein-Uhlenbeck process): gusts as long as windMemory, as strong as windForce (N, standard deviation).
const (
	windMemory = 300 * time.Millisecond
	windForce  = 0.02
)

// Noise of the sensors, as standard deviations: of an encoder with some thousand marks, and of what is computed from it.
const (
	noiseX     = 0.0005 // m
	noiseV     = 0.004  // m/s
	noiseAngle = 0.0005 // rad
	noiseSpin  = 0.004  // rad/s
)

// world is everything there is, at one moment.
type world struct {
	// set once
	cart  cartpole.Params
	drive rover.Params
	calm  bool
	rand  *rand.Rand

	pole   cartpole.State
	stance stance
	tired  int64 // steps until the hand lets go
	wind   float64
	force  float64 // N, what the motor is set to
	rover  rover.State
	wheels rover.Input
}

func newWorld(seed uint64, calm bool) world {
	return world{
		cart: cartpole.Default(), drive: rover.Default(), calm: calm, rand: rand.New(rand.NewPCG(seed, 0)),
		pole: cartpole.State{Angle: cartpole.Flat, Down: true},
	}
}

// step goes on by Step.
func (w *world) step() {
	dt := Step.Seconds()
	w.rover = w.drive.Step(w.rover, w.wheels, dt)
	if w.stance == held {
		if w.tired--; w.force == 0 && w.tired > 0 {
			return
		}
		w.stance = up
	}
	w.blow(dt)
	w.pole = w.cart.Step(w.pole, cartpole.Input{Force: w.force, Wind: w.wind}, dt)
	if w.pole.Down {
		w.stance = down
	}
}

func (w *world) blow(dt float64) {
	if w.calm {
		return
	}
	part := dt / windMemory.Seconds()
	w.wind += -w.wind*part + windForce*math.Sqrt(2*part)*w.rand.NormFloat64()
}

// lean is how far from upright a hand holds the pole, in rad: enough for whoever balances to have something to do.
const lean = 0.02

// lift puts the pole nearly upright, in the middle of the rail.
func (w *world) lift() {
	side := lean
	if w.rand.IntN(2) == 0 {
		side = -lean
	}
	w.pole, w.stance, w.tired = cartpole.State{Angle: side}, held, patience
}

// push hits the pole's tip, in N·s to the right; one that is held is let go.
func (w *world) push(impulse float64) {
	if w.stance == held {
		w.stance = up
	}
	w.pole = w.cart.Push(w.pole, impulse)
}

// look is what the sensors show.
func (w *world) look() view {
	v := view{pole: w.pole, stance: w.stance, force: w.force, rover: w.rover}
	if w.calm {
		return v
	}
	v.pole.X += noiseX * w.rand.NormFloat64()
	v.pole.V += noiseV * w.rand.NormFloat64()
	if !v.pole.Down {
		v.pole.Angle += noiseAngle * w.rand.NormFloat64()
		v.pole.Spin += noiseSpin * w.rand.NormFloat64()
	}
	return v
}

// view is what is published of a moment.
type view struct {
	pole   cartpole.State
	stance stance
	force  float64
	rover  rover.State
}
