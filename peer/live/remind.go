package live

import "time"

// This file is what a Out does for the newest value of a stream that falls
// silent: no later packet shows that the last one is missing.

// remindMax bounds the time between reminders.
const remindMax = time.Second

// remindAt is when nothing followed for so long that the other end is asked
// whether the last packet came, and, where the answer is overdue, the newest
// frames are sent again.
func (o *Out) remindAt() time.Duration {
	switch {
	case !o.answered:
		return Never
	case o.awaited == 0 && o.at(o.loaded).told: // what follows it holds nothing new
		return Never
	case o.awaited == 0:
		return o.lastAt + askEvery
	}
	return max(o.awaited+o.path.rtt, o.lastAt) + max(askAgain, min(o.lastAt-o.awaited, remindMax))
}

// remind has the newest frames that are not known to have come sent again, if they may be lost.
func (o *Out) remind() {
	if o.awaited == 0 {
		return // the packet's number is all that it takes
	}
	for _, f := range o.newest {
		if !f.came && len(o.repairs) < maxRepairs {
			o.repairs = append(o.repairs, f)
		}
	}
}
