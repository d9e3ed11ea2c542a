package peer

import "github.com/telepath-iot/telepath/peer/wire"

// Control is who decides at a device what commands do (docs/protocol.md, section 10). Its methods are called one at a time
// per Conn, from the host's loop, and must not block. What they are given is of a Conn whose role may command.
type Control interface {
	Command(from Operator, body []byte) // body: a Command's JSON, of at most wire.MaxCommand bytes; not kept
	Drive(from Operator, body []byte)   // body: a Drive; not kept
	// Gone: the Conn is over, or the host; only of one that has said something. Perhaps from within Publish, Say or Tick of whoever
	// brings the loop something: it must not wait for what the callers of these hold.
	Gone(from Operator)
}

// Operator is a Conn that may command: the same one as long as the Conn lives. Its methods may be called from any goroutine,
// and never block.
type Operator interface {
	ID() string          // of the Conn (UUID)
	Role() string        // viewer, operator or admin, as the server told with the latest open
	Say(outcome []byte)  // an Outcome's JSON, which is copied: on the best path; nowhere, while there is none
	Tick(tick wire.Tick) // on the two best proven paths; a newer one takes the place of one that waits
}
