//go:build !linux

package spool

import "time"

// asleep is for how long the machine has been suspended. On this system nobody knows: where the program's clock stands still then,
// what is kept gets no older, and the machine's clock seems to be set.
func asleep() time.Duration { return 0 }
