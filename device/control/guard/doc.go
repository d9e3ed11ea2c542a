// Package guard makes actuators safe when the device's program cannot: when it
// was killed, is stopped, or hangs. Watch is the small process that does it;
// Guard, in the device's program, starts it and feeds it through a pipe.
//
//	to the guard    one line of JSON: after what time it acts, and what it runs; then bytes
//	    b           a valid heartbeat came: things may move; or the lease lasts that keeps something on
//	    s           all is safe
//	    q           the program ends, all is safe
//	from the guard  each b and s again, so that one that does not watch is noticed
//
// It acts when no b came for the time after one, and when the pipe ends without
// q. Between two b there are at least 20 ms. The time is a little longer than the
// dead-man's, so that it leaves alone what works.
package guard

import (
	"time"

	"github.com/telepath-iot/telepath/device/urgent"
)

const (
	beat  = 'b'
	safe  = 's'
	leave = 'q'
)

const (
	// between is the least time between two beats: more would be a load, and say no more.
	between = 20 * time.Millisecond
	// margin is what the guard waits longer than the dead-man.
	margin = 20 * time.Millisecond
	// deaf is how long the guard may take to say what it was told.
	deaf = time.Second
	// starting is how long the first answer may take: on a small machine that is busy a program needs a while until it runs.
	// Nothing moves before.
	starting = 10 * time.Second
)

// orders is what the guard is told first.
type orders struct {
	AfterMS  uint64           `json:"after_ms"`
	Commands []urgent.Command `json:"commands"`
}

// maxOrders bounds their line, in bytes.
const maxOrders = 256 << 10
