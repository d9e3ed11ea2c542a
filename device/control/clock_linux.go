package control

import "golang.org/x/sys/unix"

// clock is the device's monotonic clock, which goes on while the machine is suspended.
type clock struct{ born, slept uint64 } // µs

func newClock() clock {
	boot, asleep := read()
	return clock{boot, asleep}
}

// now returns the µs since the clock was made, and for how many of them the machine was suspended.
func (c clock) now() (at, asleep uint64) {
	boot, slept := read()
	return boot - c.born, slept - min(slept, c.slept)
}

// read returns the time since the machine was started, and how much of it it slept. Where the program is interrupted between
// the two clocks it slept less, so the most of some tries is right.
func read() (boot, slept uint64) {
	for range 3 {
		boot = micros(unix.CLOCK_BOOTTIME)
		slept = max(slept, boot-min(boot, micros(unix.CLOCK_MONOTONIC)))
	}
	return boot, slept
}

func micros(id int32) uint64 {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil { // both are there since Linux 2.6.39
		return 0
	}
	return uint64(t.Nano()) / 1000
}
