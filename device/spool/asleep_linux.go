package spool

import (
	"time"

	"golang.org/x/sys/unix"
)

// asleep is for how long the machine has been suspended since it was started: for so long the program's clock stood still. What
// comes between the two readings makes it less, never more.
func asleep() time.Duration {
	var whole, awake unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &whole) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &awake) != nil {
		return 0
	}
	return time.Duration(whole.Nano() - awake.Nano())
}
