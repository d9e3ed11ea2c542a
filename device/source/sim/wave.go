package sim

import "math"

// Wave is the form of simulated numbers, between -1 and 1.
type Wave uint8

// The waves.
const (
	Sine Wave = iota
	Square
	Saw
	waves
)

var waveNames = [waves]string{"sine", "square", "saw"}

// at is the wave's value at a phase, 0 ≤ phase < 1.
func (w Wave) at(phase float64) float64 {
	switch w {
	case Square:
		return math.Copysign(1, 0.5-phase)
	case Saw:
		return 2*phase - 1
	default:
		return math.Sin(2 * math.Pi * phase)
	}
}
