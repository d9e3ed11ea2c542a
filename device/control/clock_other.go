//go:build !linux

package control

import "time"

// clock is the program's monotonic clock. On this system it may stand still while the machine is suspended: then a command
// that waited for that long on its way is not seen to be late by as much.
type clock struct{ born time.Time }

func newClock() clock { return clock{time.Now()} }

func (c clock) now() (at, asleep uint64) { return uint64(time.Since(c.born).Microseconds()), 0 }
