package balance

import (
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
)

// remembered is how many forces are kept: more than fit into MaxHorizon, one each 10 ms.
const remembered = 128

// history is what was sent of late, in a ring.
type history struct {
	at    [remembered]time.Duration
	force [remembered]float64
	n     int // ever
}

func (h *history) add(at time.Duration, force float64) {
	h.at[h.n%remembered], h.force[h.n%remembered] = at, force
	h.n++
}

// longest is the longest step of the model.
const longest = 10 * time.Millisecond

// replay moves a state on from one own time to another, each force acting from when it was sent until the next one was.
func (h *history) replay(p cartpole.Params, s cartpole.State, from, to time.Duration) cartpole.State {
	i := h.n
	for i > max(0, h.n-remembered) && h.at[(i-1)%remembered] > from {
		i--
	}
	force := 0.0 // before the oldest
	if i > max(0, h.n-remembered) {
		force = h.force[(i-1)%remembered]
	}
	for ; from < to; i++ {
		until := to
		if i < h.n {
			until = min(until, h.at[i%remembered])
		}
		s = glide(p, s, force, until-from)
		from = until
		if i < h.n {
			force = h.force[i%remembered]
		}
	}
	return s
}

func glide(p cartpole.Params, s cartpole.State, force float64, d time.Duration) cartpole.State {
	for d > 0 {
		step := min(d, longest)
		s = p.Step(s, cartpole.Input{Force: force}, step.Seconds())
		d -= step
	}
	return s
}
