package control

import (
	"time"

	"golang.org/x/sys/unix"
)

// maxApart is how far apart the readings of two clocks may be for their difference to count.
const maxApart = time.Millisecond

// clock is the device's monotonic clock, which goes on while the machine is suspended.
type clock struct {
	made       time.Time
	born, rest uint64 // µs on the kernel's clocks: the first reading, and how far the clock that stands still was behind then
}

func newClock() clock {
	c := clock{made: time.Now()}
	c.born, c.rest = c.read()
	return c
}

// now returns the µs since the clock was made, and for how many of them the machine was suspended.
func (c clock) now() (at, asleep uint64) {
	boot, rest := c.read()
	return boot - c.born, rest - min(rest, c.rest)
}

// read returns the time since the machine was started, and how much more that is than the program's clock shows, which stands
// still while the machine is suspended. That clock costs a hundredth of a system call: there is one for each reading, unless
// the program was interrupted between the two.
func (c clock) read() (boot, rest uint64) {
	for range 3 {
		before := time.Since(c.made)
		boot = bootTime()
		after := time.Since(c.made)
		rest = max(rest, boot-min(boot, uint64(after.Microseconds())))
		if after-before < maxApart {
			break
		}
	}
	return boot, rest
}

// bootTime is the time since the machine was started, suspended or not, in µs.
func bootTime() uint64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil { // it is there since Linux 2.6.39
		return 0
	}
	return uint64(t.Nano()) / 1000
}
