package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// inboxWorld plays inbox-*.scenario.
type inboxWorld struct {
	early *Early
	boxes map[uint32]*Inbox
	in    *Inbox // of the line's stream; the first one if that has none
	out   []Delivery
	drop  DropReason
}

func newInboxWorld() *inboxWorld {
	return &inboxWorld{early: NewEarly(0), boxes: map[uint32]*Inbox{}}
}

const scenarioEpoch = 7

func (w *inboxWorld) event(now time.Duration, verb string, a arguments) error {
	w.out, w.drop = w.out[:0], ""
	stream := uint32(a.number("stream", 1))
	if w.in = w.boxes[stream]; w.in == nil {
		w.in = w.boxes[1]
	}
	switch verb {
	case "step":
	case "early":
		w.early = NewEarly(int(a.number("bytes", 0)))
	case "acked":
		w.in.Acked(now)
	case "inbox":
		class, ok := wire.ParseClass(a.words[0])
		if !ok {
			return fmt.Errorf("no class %q", a.words[0])
		}
		w.in = NewInbox(stream, class, scenarioEpoch, a.number("start", 0), w.early)
		w.boxes[stream] = w.in
	case "data":
		return w.data(now, a)
	case "gap":
		r, err := parseRange(a.words[0])
		g := wire.Gap{
			Stream: stream, Epoch: uint32(a.number("epoch", scenarioEpoch)),
			From: r.From, To: r.To, Reason: parseReason(a.text("reason", "ring")),
		}
		w.out = w.in.Gap(now, g, w.out)
		return err
	default:
		return fmt.Errorf("no verb %q", verb)
	}
	return nil
}

func (w *inboxWorld) data(now time.Duration, a arguments) error {
	seq, count, err := parseBatch(a.words[0])
	if err != nil {
		return err
	}
	class, ok := wire.ParseClass(a.text("class", w.in.class.String()))
	if !ok {
		return fmt.Errorf("no such class")
	}
	h := wire.Header{
		Class: class, Stream: uint32(a.number("stream", 1)), Epoch: uint32(a.number("epoch", scenarioEpoch)),
		Seq: seq, Count: count, Deadline: a.number("deadline", 0),
	}
	payload := payloadOf(h)
	if size := int(a.number("size", 0)); size > len(payload) {
		payload = append(payload, make([]byte, size-len(payload))...)
	}
	w.out, w.drop = w.in.Receive(now, h, payload, a.time("age", -1), w.out)
	for _, d := range w.out {
		if d.Gap.From == 0 && !bytes.HasPrefix(d.Payload, payloadOf(d.Header)) {
			return fmt.Errorf("payload of %d+%d is %.20q", d.Header.Seq, d.Header.Count, d.Payload)
		}
	}
	clear(payload) // what was held back has to be a copy
	return nil
}

func payloadOf(h wire.Header) []byte { return fmt.Appendf(nil, "%d+%d", h.Seq, h.Count) }

func parseReason(name string) wire.GapReason {
	for r := wire.GapRing; r <= wire.GapSpool; r++ {
		if r.String() == name {
			return r
		}
	}
	return 0
}

func (w *inboxWorld) check(_ time.Duration, what string, want []string) (have []string, err error) {
	switch what {
	case "deliver":
		for _, d := range w.out {
			have = append(have, formatDelivery(d))
		}
	case "newest":
		have = []string{"no"}
		if n := len(w.out); n > 0 && w.out[n-1].Newest {
			have = []string{"yes"}
		}
	case "drop":
		have = strings.Fields(string(w.drop))
	case "position":
		p := w.in.Position()
		have = append(have, fmt.Sprint(p.Seq))
		for _, r := range p.Received {
			have = append(have, formatRange(r.From, r.To))
		}
	case "ack":
		if at, due := w.in.AckDue(); due {
			have = []string{formatTime(at, want[0])}
		}
	case "stats":
		have = w.stats(want)
	case "early":
		have = []string{fmt.Sprint(w.early.Used())}
	default:
		err = fmt.Errorf("no check %q", what)
	}
	return have, err
}

func formatDelivery(d Delivery) string {
	if d.Gap.From != 0 {
		return "gap:" + formatRange(d.Gap.From, d.Gap.To) + ":" + d.Gap.Reason.String()
	}
	from := d.Header.Seq + uint64(d.Skip)
	text := formatRange(from, from+uint64(d.Take)-1)
	if d.Late {
		text += "!late"
	}
	return text
}

func (w *inboxWorld) stats(want []string) (have []string) {
	s := w.in.Stats()
	values := map[string]uint64{
		"delivered": s.Delivered, "late": s.Late, "duplicates": s.Duplicates, "expired": s.Expired,
		"limited": s.Limited, "missing": s.Missing, "lost": s.Lost,
	}
	for _, word := range want {
		name, _, _ := strings.Cut(word, "=")
		have = append(have, fmt.Sprintf("%s=%d", name, values[name]))
	}
	return have
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	for _, class := range []wire.Class{wire.Live, wire.Event} {
		in := NewInbox(1, class, scenarioEpoch, 0, NewEarly(0))
		out := make([]Delivery, 0, 8)
		payload := make([]byte, 100)
		seq := uint64(1)
		allocated := testing.AllocsPerRun(1000, func() {
			h := wire.Header{Class: class, Stream: 1, Epoch: scenarioEpoch, Seq: seq, Count: 5}
			out, _ = in.Receive(0, h, payload, -1, out[:0])
			seq += 5
		})
		if allocated != 0 {
			t.Errorf("%v: %v allocations a batch, want 0", class, allocated)
		}
	}
}

func BenchmarkLiveReceive(b *testing.B) {
	in := NewInbox(1, wire.Live, scenarioEpoch, 0, nil)
	out := make([]Delivery, 0, 8)
	payload := make([]byte, 100)
	h := wire.Header{Class: wire.Live, Stream: 1, Epoch: scenarioEpoch, Seq: 1, Count: 2}
	b.ReportAllocs()
	for b.Loop() {
		out, _ = in.Receive(0, h, payload, -1, out[:0])
		h.Seq += 2
	}
}
