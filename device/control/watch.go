package control

import (
	"context"
	"time"
)

// watch looks after everything that ends by itself: the heartbeat, the lease, an actuator that does not come back. It tells
// operators the time, and ends of calls again. No message can hold it up, and it waits for nobody.
func (a *Authority) watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.woken:
		case <-timer.C:
		}
		timer.Reset(a.look())
	}
}

// look does what is due, and returns when to look again.
func (a *Authority) look() time.Duration {
	a.mu.Lock()
	defer a.unlock()
	now := a.nowLocked()
	next := min(a.tellTimeLocked(now), a.tellAgainLocked(now), a.repeatEndsLocked(now), a.feedLocked(now))
	if a.motion.moving {
		next = min(next, a.motion.valid+a.motion.deadman, now+movingLook)
		for _, h := range a.hands {
			if !h.setting.IsZero() && time.Since(h.setting) >= a.cfg.Deadman {
				a.safeLocked("an actuator does not return from being set")
				break
			}
		}
	}
	if a.lease.holder != nil {
		next = min(next, a.lease.until)
	}
	if len(a.stops) > 0 {
		a.answerStopsLocked()
		next = min(next, now+stopLook)
	}
	return time.Duration(next-min(next, now)) * time.Microsecond
}

const (
	// movingLook is how often it is looked, in µs, whether the machine was suspended, or an actuator does not come back.
	movingLook = 50_000
	// stopLook is how often it is looked, in µs, whether a stop has waited for too long.
	stopLook = 100_000
)
