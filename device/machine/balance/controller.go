// Package balance keeps the pole of a cart-pole upright from far away. It is pure, and exists twice, here and in the browser's
// dashboard (src/balance), which run the same scenario.
//
// What makes it hard is time: a state is old when it arrives, and the force that answers it acts later still, by a whole round trip
// in all. So the force is not made of the state that came, but of the one that will be when the force arrives: the model of the
// plant is moved on from the former by the forces that were sent and have not shown yet (Smith, "Closer control of loops with dead
// time", 1957; for unstable plants as a predictor with finite horizon, Manitius and Olbrot, 1979).
//
// No clocks are synchronised for it. The smallest difference between own time at arrival and the device's time in a sample is the
// way there plus how far the clocks are apart; and the way there plus the way back is what a round trip measures. So both ends of
// the horizon are known on the own clock, however the round trip is divided.
package balance

import (
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
)

// Every is how often a force is to be decided on.
const Every = 10 * time.Millisecond

// MaxHorizon is how far ahead a state may be predicted. Beyond it what the wind has done since is greater than what is known.
const MaxHorizon = 700 * time.Millisecond

// Hopeless is an angle from which no force of the motor brings the pole back, in rad.
const Hopeless = 0.8

// Config is the controller's configuration.
type Config struct {
	Plant  cartpole.Params // default: cartpole.Default
	Gains  Gains           // default: DefaultGains
	Simple bool            // answer the state that came, without prediction: to show what that does
}

// Controller decides on forces. Times are those of the caller's monotonic clock, since any moment.
type Controller struct {
	plant  cartpole.Params // set once
	gains  Gains           // set once
	simple bool            // set once

	roundTrip time.Duration
	skew      leastOfLate // own time at arrival − the device's time in a sample
	newest    Sample
	seen      bool
	sent      history
}

// Sample is the pole at one moment.
type Sample struct {
	T     time.Duration // on the device's clock, since any moment
	State cartpole.State
}

// New makes a controller.
func New(config Config) *Controller {
	if config.Plant == (cartpole.Params{}) {
		config.Plant = cartpole.Default()
	}
	if config.Gains == (Gains{}) {
		config.Gains = DefaultGains()
	}
	return &Controller{plant: config.Plant, gains: config.Gains, simple: config.Simple}
}

// Measured takes the smallest of the latest round trips to the device: in one that is longer a packet waited for another, or was
// repeated, and neither forces nor states wait for that.
func (c *Controller) Measured(roundTrip time.Duration) { c.roundTrip = roundTrip }

// setBack is how much older than the newest sample one is only if the device's clock was set: nothing is under way for so long.
const setBack = time.Second

// Saw takes a sample that arrived now. What is older than the newest one counts for nothing, unless the device's clock was set.
func (c *Controller) Saw(s Sample, now time.Duration) {
	if c.seen && s.T < c.newest.T-setBack {
		c.skew, c.seen = leastOfLate{}, false
	}
	c.skew.add(now-s.T, now)
	if !c.seen || s.T > c.newest.T {
		c.newest, c.seen = s, true
	}
}

// Decide is the force to send now; it is taken to be sent. With no state, or one that is too old, or a pole that cannot be saved, it
// is 0 and not ok.
func (c *Controller) Decide(now time.Duration) (force float64, ok bool) {
	s, ok := c.Predict(now)
	if ok {
		force = min(max(c.gains.force(s), -c.plant.MaxForce), c.plant.MaxForce)
	}
	c.sent.add(now, force)
	return force, ok
}

// Horizon is how old the newest state will be when what is sent now acts.
func (c *Controller) Horizon(now time.Duration) time.Duration {
	return now - c.newest.T - c.skew.least() + c.roundTrip
}

// Predict is the state in which a force that is sent now will find the pole.
func (c *Controller) Predict(now time.Duration) (s cartpole.State, ok bool) {
	s = c.newest.State
	horizon := c.Horizon(now)
	if !c.seen || s.Down || horizon > MaxHorizon {
		return s, false
	}
	if !c.simple {
		s = c.sent.replay(c.plant, s, now-horizon, now)
	}
	return s, s.Angle < Hopeless && s.Angle > -Hopeless
}
