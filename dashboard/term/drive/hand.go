package drive

import (
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// keyTime is how long a key counts as held after the terminal told of it last: terminals repeat one that is held every 30 to
// 90 ms, after a first pause of a quarter to two thirds of a second, in which it is let go here.
const keyTime = 150 * time.Millisecond

// hand makes setpoints of keys.
type hand struct {
	counter uint64
	until   [deny + 1]time.Time // by key: held until then
	held    bool                // a key was, when it was looked at last
}

// press notes a key of a direction.
func (h *hand) press(now time.Time, k key) {
	h.until[k] = now.Add(keyTime)
	if opposite := opposites[k]; opposite != other {
		h.until[opposite] = time.Time{}
	}
	h.counter++
}

var opposites = [deny + 1]key{forward: back, back: forward, left: right, right: left}

// drop lets go of all keys.
func (h *hand) drop() { h.until = [deny + 1]time.Time{} }

// look reports whether there is something to say of the hand: that a key is held, or, once, that none is any more.
func (h *hand) look(now time.Time) (says bool) {
	before := h.held
	h.held = h.direction(now, forward, back) != 0 || h.direction(now, right, left) != 0
	if before && !h.held {
		h.counter++ // letting go is the hand's last word
		return true
	}
	return h.held
}

// direction is 1, -1 or 0.
func (h *hand) direction(now time.Time, plus, minus key) float64 {
	switch {
	case now.Before(h.until[plus]):
		return 1
	case now.Before(h.until[minus]):
		return -1
	}
	return 0
}

// targets are where the axes of the keys are to go: part of the way from neutral to their ends.
func (h *hand) targets(now time.Time, axes []rpc.Axis, part float64) (targets []wire.Target) {
	s := sticksFor(axes)
	side := h.direction(now, right, left)
	if s.left {
		side = -side
	}
	for _, moved := range [...]struct {
		axis      *rpc.Axis
		direction float64
	}{{s.ahead, h.direction(now, forward, back)}, {s.side, side}} {
		if moved.axis == nil {
			continue
		}
		a, direction := moved.axis, moved.direction
		value := a.Neutral
		switch {
		case direction > 0:
			value += part * (a.Max - a.Neutral)
		case direction < 0:
			value -= part * (a.Neutral - a.Min)
		}
		targets = append(targets, wire.Target{Axis: a.ID, Value: value})
	}
	return targets
}
