package control

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/device/actuator"
)

// hand is an actuator with the three goroutines that use it, so that none has to wait for another: one sets its axes, one runs
// its calls, one makes it safe.
type hand struct {
	authority *Authority // set once
	actuator  actuator.Actuator
	axes      []uint64      // set once New is done
	unsafe    chan struct{} // it is to be made safe
	aimed     chan struct{} // its axes may have targets
	called    chan struct{} // its queue has changed

	// Guarded by Authority.mu.
	wanted  uint64    // how often it was to be made safe
	safe    uint64    // up to which of these it is
	unwell  error     // why it could not be, last
	setting time.Time // since when it is setting axes; zero: it is not
	queue   []*call
	busy    bool // a call runs, or has not come back
}

func newHand(a *Authority, act actuator.Actuator) *hand {
	return &hand{
		authority: a, actuator: act,
		unsafe: make(chan struct{}, 1), aimed: make(chan struct{}, 1), called: make(chan struct{}, 1),
	}
}

// signal tells a goroutine that there is something, unless it has been told.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// neutral is where its axes are when it is safe.
func (h *hand) neutral() map[uint64]float64 {
	values := map[uint64]float64{}
	for _, id := range h.axes {
		values[id] = h.authority.motion.axes[id].Neutral
	}
	return values
}

// move sets the actuator's axes whenever they have targets.
func (h *hand) move(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.aimed:
		}
		for h.step() {
			select {
			case <-ctx.Done():
				return
			case <-h.aimed:
			case <-time.After(stepEvery * time.Microsecond):
			}
		}
	}
}

// step sets what is to be set now, and says whether the axes are still on their way.
func (h *hand) step() (more bool) {
	a := h.authority
	a.mu.Lock()
	now := a.nowLocked()
	values, more := a.motion.step(now, h.axes)
	wanted := h.wanted
	if values != nil {
		h.setting = time.Now()
	}
	a.unlock()
	if values == nil {
		return more
	}
	applied, err := h.actuator.Apply(values)
	a.mu.Lock()
	defer a.unlock()
	h.setting = time.Time{}
	switch {
	case h.wanted != wanted: // what was set may have come behind what made it safe
		h.wanted++
		signal(h.unsafe)
		return false
	case err != nil:
		a.failedLocked(err)
		return false
	}
	a.publishLocked(applied)
	return more
}
