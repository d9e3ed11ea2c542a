package session

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Delivery is something for the application: samples of a batch, or, with
// Gap.From != 0, the declaration that samples will never come. Deliveries of an
// Event stream are in order, gaps included.
type Delivery struct {
	Header  wire.Header
	Payload []byte   // of the whole batch; valid until the next call of the Inbox
	Skip    int      // samples of the batch not to deliver, at its front
	Take    int      // samples to deliver, behind them
	Late    bool     // Live: newer ones were delivered before
	Newest  bool     // holds the stream's newest sample so far
	Gap     wire.Gap // what is missing; To 0: nobody knows how much. No samples then
}

// Stats counts samples.
type Stats struct {
	Delivered  uint64
	Late       uint64 // of these: Live, after newer ones
	Duplicates uint64
	Expired    uint64 // Live: past their deadline
	Limited    uint64 // Event: came early and there was no room to hold them; they come again
	Missing    uint64 // Event: declared in gaps of known extent
	Lost       uint64 // Live: never came, so far
}

// Inbox is the receiving side of one stream of one Conn, for one epoch. It
// takes frames from any carrier, in any order, any number of times.
//
// Streams of class Event, and with them Call and History, are delivered
// exactly once and in order; others at most once, on arrival.
type Inbox struct {
	stream  uint32
	class   wire.Class
	epoch   uint32
	ordered *ordered
	fresh   *fresh
}

// NewInbox returns the Inbox of a stream. start is the position after which
// delivery begins, early what all streams of the Conn share; Live ignores both.
func NewInbox(stream uint32, class wire.Class, epoch uint32, start uint64, early *Early) *Inbox {
	in := &Inbox{stream: stream, class: class, epoch: epoch}
	switch class {
	case wire.Event, wire.Call, wire.History:
		in.ordered = &ordered{position: start, early: hold{shared: early}, ackTimer: ackTimer{acked: -ackSpacing}}
	default:
		in.fresh = &fresh{}
	}
	return in
}

// Receive takes a Data frame and appends to out what it yields. age is that of
// the batch's last sample; negative: unknown. The reason is empty unless all of
// the frame was dropped.
func (in *Inbox) Receive(now time.Duration, h wire.Header, payload []byte, age time.Duration, out []Delivery) ([]Delivery, DropReason) {
	switch {
	case h.Stream != in.stream:
		return out, UnknownStream
	case h.Epoch != in.epoch:
		return out, OldEpoch
	case h.Class != in.class || h.Seq == 0 || h.Count < 1 || h.Count > wire.MaxCount:
		return out, Malformed
	case in.ordered != nil:
		return in.ordered.receive(now, h, payload, out)
	default:
		return in.fresh.receive(h, payload, age, out)
	}
}

// Gap takes a Gap frame and appends to out what it yields: what was held back
// behind the missing, and the missing itself, as far as it is missing
// and reached. What lies behind samples that may still come is declared
// when these have come, by Receive. Nothing is declared twice.
func (in *Inbox) Gap(now time.Duration, g wire.Gap, out []Delivery) []Delivery {
	if in.ordered == nil || g.Stream != in.stream || g.Epoch != in.epoch || g.From == 0 {
		return out
	}
	return in.ordered.gap(now, g, out)
}

// Position is how far an Event stream got, for an Ack.
func (in *Inbox) Position() wire.Position {
	p := wire.Position{Stream: in.stream, Epoch: in.epoch}
	if in.ordered != nil {
		p.Seq, p.Received = in.ordered.position, in.ordered.ranges()
	}
	return p
}

// Passed reports whether an Event stream got beyond a sample: it was delivered, or declared missing.
func (in *Inbox) Passed(seq uint64) bool { return in.ordered != nil && seq <= in.ordered.position }

// AckDue reports whether an Ack is due, and when at the latest.
func (in *Inbox) AckDue() (at time.Duration, due bool) {
	if in.ordered == nil || !in.ordered.ackDue {
		return Never, false
	}
	return in.ordered.ackAt, true
}

// Acked notes that an Ack with the Position was just sent.
func (in *Inbox) Acked(now time.Duration) {
	if in.ordered != nil {
		in.ordered.ackSent(now)
	}
}

// Stats returns the counts so far.
func (in *Inbox) Stats() Stats {
	if in.ordered != nil {
		return in.ordered.stats
	}
	return in.fresh.counts()
}
