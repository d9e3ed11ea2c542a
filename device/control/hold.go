package control

import "math"

// hold is what keeps something on that nobody drives: a method that needs the lease has switched it on, and the end of the lease
// switches it off. While there is such a thing the guard is fed, so that it makes safe if this program is stopped and cannot see
// the lease end.
type hold struct {
	running  int    // calls that need the lease and have not come back
	switched bool   // one has begun, or come back, since all was made safe
	fed      uint64 // µs; when the guard was fed last; 0: it was not, since nothing was held
}

// heldLocked says whether the guard is to be fed without heartbeats. It never is while something moves, where only a hand may keep
// it from acting, nor before all is safe that is to be: then it may be the one that has to do it.
func (a *Authority) heldLocked() bool {
	on := a.hold.switched || a.hold.running > 0
	return on && a.lease.holder != nil && a.cfg.Guard != nil && !a.motion.moving && a.missingLocked() == nil
}

// feedLocked feeds the guard, if that is due, and returns when to look again. Nothing held: never for that.
func (a *Authority) feedLocked(now uint64) (next uint64) {
	if !a.heldLocked() {
		a.hold.fed = 0
		return math.MaxUint64
	}
	switch since := now - min(a.hold.fed, now); {
	case a.hold.fed != 0 && since >= a.motion.deadman: // the guard makes safe, or has: what was switched on is not on
		a.hold.fed = 0
		a.safeLocked("the device's program did not run for a while")
		return math.MaxUint64
	case a.hold.fed == 0 || since >= a.motion.deadman/3:
		a.hold.fed = max(now, 1)
		a.cfg.Guard.Beat()
	}
	return a.hold.fed + a.motion.deadman/3
}

// beginsLocked is for a call that begins: the guard is told before the call can switch anything on.
func (a *Authority) beginsLocked(c *call, now uint64) {
	if !c.method.Lease {
		return
	}
	a.hold.running++
	a.hold.switched = true
	a.feedLocked(now)
	a.wake()
}

// returnsLocked is for one that has come back. Over: all is made safe behind it.
func (a *Authority) returnsLocked(c *call, over bool) {
	if !c.method.Lease {
		return
	}
	a.hold.running--
	a.hold.switched = !over
	a.wake()
}
