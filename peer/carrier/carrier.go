// Package carrier moves packets over one path between two ends.
//
// A Conn outlives its paths; each path under it is a Carrier: the WebSocket
// to the signaling server (carrier/ws) or what stands in for it, plain HTTP
// requests (carrier/web), a data-channel connection between viewer and device
// (carrier/rtc). All of them keep one contract, and
// carriertest checks it once for all:
//
//   - Send never blocks. A frame goes into a bounded queue of its class or is
//     refused; every frame that is not sent is counted under a reason.
//   - Run owns the path: it reads, writes, and returns with the reason when
//     the path is over. Nothing it started outlives it.
//   - Frames arrive as packets. A packet holds whole frames; the receiver
//     takes it apart (package wire).
//   - A path gives no promises beyond its own life. Exactly once, order and
//     resending across paths belong to package session.
//
// The Queue in front of every path is ours on purpose: what waits in the
// buffers of a kernel or of SCTP can neither be overtaken by a fresh sample
// nor dropped when it is stale. So paths keep their own buffers small and
// take from the Queue as late as they can.
package carrier

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Carrier is one path. Send, Rung, Stats and Close may be called from any
// goroutine, also from within receive, before Run and after it.
type Carrier interface {
	// Run moves packets until the path is over or ctx ends, and returns why:
	// a *CloseError where one end closed it with a code, ErrClosed where the
	// other end closed it without one, ctx's cause, or what broke. receive is
	// called from one goroutine at a time; packet is valid only during the
	// call. When ctx ends, what is queued is still sent, within FlushTime.
	// Run is called once.
	Run(ctx context.Context, receive func(packet []byte)) error

	// Send queues one frame. False: it was refused, counted, and is the
	// caller's again.
	Send(f Frame) bool

	// Rung says how good the path is. It may change while ICE improves it.
	Rung() ladder.Rung

	// Stats is a snapshot of queue and counters.
	Stats() Stats

	// Close asks the path to end: what is queued is still sent, within
	// FlushTime, then the other end is told code and reason where the path can
	// carry them. It does not wait; Run returns when it is done. The first
	// reason given is the one that counts.
	Close(code wire.Code, reason string)
}

// FlushTime bounds how long a carrier that was asked to end goes on sending
// what it has queued. Long enough for a refusal or a `bye` on a slow link,
// short enough that nobody notices that a program waits for it.
const FlushTime = 500 * time.Millisecond

// Frame is one whole frame, length and all, with what a queue needs to know
// of it.
type Frame struct {
	// Bytes belong to the carrier from Send on until they are sent, and may
	// be shared by many carriers: nobody modifies them.
	Bytes []byte

	// Class decides how the frame is queued.
	Class wire.Class

	// Control marks Probe, Echo, Ack and Gap: queued with Setpoint's urgency,
	// never replacing one another. Class, Conn and Stream do not matter then.
	Control bool

	// Conn and Stream name the stream: of Setpoint frames of one stream only
	// the newest is kept, and the newest Live frame of a stream has no
	// deadline. Conn is the frame's conn number, 0 if it has none.
	Conn   uint64
	Stream uint32

	// Eager asks that the frame be written in the sender's own goroutine if
	// that cannot block: it saves the wake-up of a writer, and is for senders
	// that have few to serve. A carrier may ignore it.
	Eager bool

	// Deadline, if not zero, is when a Live frame has become worthless; what came
	// first in it has by Span before that.
	Deadline time.Time
	Span     time.Duration

	// Source, if not 0, is whom a Control frame, or one of class Call or Signal,
	// is passed on for: of a full lane, whoever has most in it loses first.
	Source uint64

	// Twice asks that, where a path has a channel that does not wait for what was
	// lost, a short frame goes there as well: for what may come twice.
	Twice bool

	// Void, if not nil, is set by who sent a frame of class History when it is not wanted on this path any more: where it still
	// waits, it is dropped.
	Void *atomic.Bool

	// Waiting, if not nil, is how many frames that share it wait here: the queue adds one when it takes this one, and takes it
	// off when this one leaves, sent or dropped.
	Waiting *atomic.Int64

	// Yields marks what is passed on for somebody else: it may fill half a
	// lane, so that there always is room for what this end itself has to say.
	Yields bool
}

func (f Frame) void() bool { return f.Void != nil && f.Void.Load() }

// Stats is a snapshot of a carrier.
type Stats struct {
	Queued   Depth   // waiting now
	Drops    Drops   // frames that were not sent, by reason
	Sent     Traffic // handed to the path
	Received Traffic
}

// Depth is how much waits in a queue.
type Depth struct{ Frames, Bytes int }

// Traffic counts packets and their bytes.
type Traffic struct{ Packets, Bytes uint64 }
