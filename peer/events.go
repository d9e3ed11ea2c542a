package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Events are a Conn's callbacks. They are called one at a time while Conn.Run
// runs, from its goroutine or a carrier's, and none after it has returned. They
// must not block; nil ones are skipped.
type Events struct {
	Opened  func(signal.Device)                         // the server knows the device; again after each reconnect
	State   func(signal.Device)                         // its presence changed
	Streams func(epoch string, streams []signal.Stream) // descriptions that are new or changed
	Batch   func(Received)                              // samples to deliver
	Chunk   func()                                      // behind batches of the past that came together
	Gap     func(stream *signal.Stream, g wire.Gap)     // samples that will never come
	Path    func(Path)                                  // the path in use changed
	Link    func(linked bool, err error)                // the link to the server came or went
	Role    func(role string)                           // viewer, operator or admin: of the token, as the server says when it lets us in
	Joined  func()                                      // the device has accepted the Conn: on a new link, or in a new session
	Tick    func(wire.Tick)                             // what the device's monotonic clock showed
	Outcome func(body []byte)                           // an Outcome's JSON, of at most wire.MaxCommand bytes; valid during the call only
}

// Received is a batch as it is delivered. Payload is valid during the call only.
type Received struct {
	Stream     *signal.Stream
	Header     wire.Header
	Payload    []byte
	Skip, Take int           // deliver samples Skip … Skip+Take−1 of the batch
	Late       bool          // newer samples of the stream were delivered before
	Retained   bool          // a kept value, no live sample
	Past       bool          // from the device's spool: it fills what came before, or what is missing; Events.Chunk follows
	Held       time.Duration // how long it was kept, if Retained
	Rung       ladder.Rung   // that it came on
	At         time.Time     // when it came, on the clock from which Conn.Clock tells the device's
}

// Path says which path a Conn uses.
type Path struct {
	Rung   ladder.Rung
	OK     bool        // false: there is no path now
	Both   bool        // in doubt or on trial: Beside carries the same
	Beside ladder.Rung // if Both
	Reason string      // why this one and no better one, in plain words
}

// Reply is the answer to a Ping: the path it took, there and back.
type Reply struct {
	Rung      ladder.Rung
	RoundTrip time.Duration
}
