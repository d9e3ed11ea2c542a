// Package relay moves frames between links. It reads headers, never payloads
// (I6), and knows nothing of devices, viewers and presence: package room tells
// it who gets what.
//
//	device's link ── shared frame (no conn number) ──► Table ──┬──► Leg: viewer's link, conn 1
//	                                                           └──► Leg: viewer's link, conn 4
//	device's link ◄── frame with a conn number, rewritten ───────── viewer's link
//
// A shared frame goes up once and is copied here for those who are routed to
// its stream. Copies differ in the conn number alone, so viewers that happen
// to use the same number, nearly all, share one buffer. Every leg ends in the
// bounded queue of its link: a slow viewer loses by the rules of the delivery
// class, and nobody waits for it (I5).
package relay

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Sender is the sending side of a link. Send never blocks; it takes over the
// frame's bytes and never changes them. False: the frame was dropped, counted.
type Sender interface {
	Send(f carrier.Frame) bool
}

// Label is what a queue must know of a frame.
type Label struct {
	Class    wire.Class
	Stream   uint32
	Control  bool
	Deadline time.Time
	Source   uint64 // see carrier.Frame
}

// LabelFrame reads a frame's label. The deadline counts from now: the sample's own
// time is in the payload, which is not for a relay to read. ok is false for a
// type that is not known, which is skipped.
func LabelFrame(f wire.Frame, now time.Time) (l Label, ok bool, err error) {
	switch f.Type {
	case wire.TypeData:
		h, _, err := wire.ParseData(f.Body)
		return LabelData(h, now), true, err
	case wire.TypeGap:
		g, err := wire.ParseGap(f.Body)
		return Label{Control: true, Stream: g.Stream}, true, err
	case wire.TypeAck, wire.TypeProbe, wire.TypeEcho:
		return Label{Control: true}, true, nil
	case wire.TypeSignal:
		return Label{Class: wire.Signal}, true, nil
	case wire.TypeCommand, wire.TypeOutcome:
		return Label{Class: wire.Call}, true, nil
	case wire.TypeTick, wire.TypeDrive: // the newest of a Conn takes the place of one that waits
		return Label{Class: wire.Setpoint}, true, nil
	}
	return Label{}, false, nil
}

// LabelData is the label of a Data frame.
func LabelData(h wire.Header, now time.Time) Label {
	l := Label{Class: h.Class, Stream: h.Stream}
	if h.Deadline != 0 {
		l.Deadline = now.Add(time.Duration(h.Deadline) * time.Millisecond)
	}
	return l
}

// Build makes the frame that goes out: the body as it came, behind another hop part.
func (l Label) Build(t wire.Type, hop wire.Hop, body []byte) carrier.Frame {
	bytes := make([]byte, 0, wire.FrameSize(hop, len(body)))
	return l.frame(wire.AppendFrame(bytes, t, hop, body), hop.Conn)
}

func (l Label) frame(bytes []byte, conn uint64) carrier.Frame {
	return carrier.Frame{
		Bytes: bytes, Class: l.Class, Control: l.Control,
		Conn: conn, Stream: l.Stream, Deadline: l.Deadline, Source: l.Source, Twice: l.Class == wire.Call,
	}
}

// Forward sends a frame on to one link under the conn number used there.
func Forward(to Sender, f wire.Frame, l Label, conn uint64) bool {
	hop := f.Hop
	hop.Conn, hop.Store = conn, false
	built := l.Build(f.Type, hop, f.Body)
	built.Eager = f.Last
	return to.Send(built)
}

// Echo answers a probe that asks this hop. came is when it was read.
func Echo(to Sender, body []byte, came time.Time) error {
	e, err := wire.AnswerProbe(body)
	if err != nil {
		return err
	}
	e.T2, e.T3 = micros(came), micros(time.Now())
	to.Send(Label{Control: true}.frame(wire.AppendEcho(nil, wire.Hop{}, e), 0))
	return nil
}

func micros(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }
