package balance

import (
	"math"
	"testing"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
)

type (
	matrix [4][4]float64
	vector [4]float64
)

func (m matrix) times(n matrix) (out matrix) {
	for i := range 4 {
		for j := range 4 {
			for k := range 4 {
				out[i][j] += m[i][k] * n[k][j]
			}
		}
	}
	return out
}

func (m matrix) by(v vector) (out vector) {
	for i := range 4 {
		out[i] = v.dot(m[i])
	}
	return out
}

func (m matrix) turned() (out matrix) {
	for i := range 4 {
		for j := range 4 {
			out[i][j] = m[j][i]
		}
	}
	return out
}

func (v vector) dot(w vector) (sum float64) {
	for i := range 4 {
		sum += v[i] * w[i]
	}
	return sum
}

// linear is the plant near upright, one decision later, for a force that stays until then: by differences of Step.
func linear(p cartpole.Params, dt float64) (a matrix, b vector) {
	const h = 1e-5
	after := func(v vector, force float64) vector {
		s := p.Step(cartpole.State{X: v[0], V: v[1], Angle: v[2], Spin: v[3]}, cartpole.Input{Force: force}, dt)
		return vector{s.X, s.V, s.Angle, s.Spin}
	}
	for j := range 4 {
		var plus, minus vector
		plus[j], minus[j] = h, -h
		x, y := after(plus, 0), after(minus, 0)
		for i := range 4 {
			a[i][j] = (x[i] - y[i]) / (2 * h)
		}
	}
	x, y := after(vector{}, h), after(vector{}, -h)
	for i := range 4 {
		b[i] = (x[i] - y[i]) / (2 * h)
	}
	return a, b
}

// lqr iterates P ← Q + Aᵀ P A − Aᵀ P B K with K = Bᵀ P A / (R + Bᵀ P B).
func lqr(a matrix, b, q vector, r float64) (k vector) {
	var p matrix
	for i := range 4 {
		p[i][i] = q[i]
	}
	for range 20_000 {
		pb := p.by(b)
		k = a.turned().by(pb)
		for i := range 4 {
			k[i] /= r + b.dot(pb)
		}
		next := a.turned().times(p).times(a)
		apb := a.turned().by(pb)
		for i := range 4 {
			for j := range 4 {
				next[i][j] -= apb[i] * k[j]
			}
			next[i][i] += q[i]
		}
		for i := range 4 {
			for j := range 4 { // what rounding makes of a symmetric matrix would grow
				p[i][j] = (next[i][j] + next[j][i]) / 2
			}
		}
	}
	return k
}

func TestGainsAreTheRegulators(t *testing.T) {
	a, b := linear(cartpole.Default(), 0.01)
	square := func(x float64) float64 { return x * x }
	k := lqr(a, b, vector{1 / square(0.6), 1 / square(1.5), 1 / square(0.15), 1}, 1/square(3))
	g := DefaultGains()
	for i, got := range []float64{g.X, g.V, g.Angle, g.Spin} {
		if want := -k[i]; !(math.Abs(got-want) <= 1e-3*math.Abs(want)) {
			t.Errorf("gain %d is %v, the regulator's is %.5f", i, got, want)
		}
	}
}
