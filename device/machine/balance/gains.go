package balance

import "github.com/telepath-iot/telepath/device/machine/cartpole"

// Gains make a force of a state: N per m, per m/s, per rad and per rad/s.
type Gains struct{ X, V, Angle, Spin float64 }

// DefaultGains are those of the linear-quadratic regulator for the default cart-pole near upright, at 100 decisions a second, for the
// cost x²/(0.6 m)² + v²/(1.5 m/s)² + θ²/(0.15 rad)² + θ̇²/(1 rad/s)² + F²/(3 N)². They were computed offline, by iterating the discrete
// Riccati equation until it stood still (Åström and Murray, "Feedback Systems", 2nd ed., 2021, section 7.5); a test computes them again.
func DefaultGains() Gains {
	return Gains{X: 4.684, V: 6.785, Angle: 53.93, Spin: 13.23}
}

// force for a state.
func (g Gains) force(s cartpole.State) float64 {
	return g.X*s.X + g.V*s.V + g.Angle*s.Angle + g.Spin*s.Spin
}
