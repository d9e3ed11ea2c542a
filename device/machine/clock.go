package machine

import "time"

// maxArrears is how many steps may be made up for at once: a computer that slept should not wake up to a second of physics.
const maxArrears = 1000

// grace is how much later than usual Run may look before steps count as late: as much as timers are off on a computer that has time.
const grace = 5 * time.Millisecond

// clock says how many steps of the simulation are due.
type clock struct {
	began  time.Time // when step 0 was
	done   int64     // steps that were computed
	seen   time.Time // when Run looked last
	late   int64     // steps that were computed later than they should have been
	missed int64     // steps that were left out
}

// due is how many steps are to be computed now, and how many were given up. They count as done.
func (c *clock) due(now time.Time) (steps, skipped int64) {
	if c.began.IsZero() {
		c.began = now
	}
	steps = int64(now.Sub(c.began)/Step) - c.done
	if steps > maxArrears {
		c.began = c.began.Add(time.Duration(steps) * Step)
		c.missed += steps
		return 0, steps
	}
	steps = max(steps, 0)
	c.done += steps
	return steps, 0
}

// looked notes that Run looks now: what was due long before is late.
func (c *clock) looked(now time.Time) {
	if behind := now.Sub(c.seen) - period - grace; !c.seen.IsZero() && behind > 0 {
		c.late += int64((behind+grace)/Step) + 1
	}
	c.seen = now
}

// wall is the time of the newest step, with the wall clock's reading of now.
func (c *clock) wall(now time.Time) time.Time {
	return now.Add(time.Duration(c.done)*Step - now.Sub(c.began))
}
