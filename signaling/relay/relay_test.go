package relay

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// sink is a link that keeps what it is sent.
type sink struct {
	mu     sync.Mutex
	frames []carrier.Frame
}

func (s *sink) Send(f carrier.Frame) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frames = append(s.frames, f)
	return true
}

// take opens what came and forgets it.
func (s *sink) take(t *testing.T) (frames []wire.Frame) {
	t.Helper()
	for _, f := range s.frames {
		opened, rest, err := wire.NextFrame(f.Bytes)
		if err != nil || len(rest) != 0 {
			t.Fatalf("a frame of %d bytes: %v, %d behind it", len(f.Bytes), err, len(rest))
		}
		if opened.Hop.Conn != f.Conn {
			t.Fatalf("the frame has conn %d, the queue was told %d", opened.Hop.Conn, f.Conn)
		}
		frames = append(frames, opened)
	}
	s.frames = nil
	return frames
}

func liveBody(stream uint32, seq uint64, payload string) []byte {
	h := wire.Header{Class: wire.Live, Stream: stream, Epoch: 7, Seq: seq, Count: 1, Deadline: 250}
	return append(wire.AppendHeader(nil, h), payload...)
}

func publish(t *testing.T, table *Table, f wire.Frame) int {
	t.Helper()
	l, ok, err := LabelFrame(f, time.Now())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return table.Publish(f, l)
}

func TestPublishGoesWhereRoutesLead(t *testing.T) {
	var table Table
	var a, b sink
	legA, legB, legB2 := &Leg{To: &a, Conn: 1}, &Leg{To: &b, Conn: 1}, &Leg{To: &b, Conn: 5000}
	table.Route(legA, true, []uint32{1, 2})
	table.Route(legB, true, []uint32{1})
	table.Route(legB2, true, []uint32{1})
	table.Route(legB2, true, []uint32{1}) // said twice counts once
	shared := wire.Frame{Type: wire.TypeData, Body: liveBody(1, 1, "x"), Hop: wire.Hop{Priority: wire.High}}
	if n := publish(t, &table, shared); n != 3 {
		t.Fatalf("sent to %d legs", n)
	}
	if got := a.take(t); len(got) != 1 || got[0].Hop.Conn != 1 || got[0].Hop.Priority != wire.High || !bytes.Equal(got[0].Body, shared.Body) {
		t.Fatalf("a got %+v", got)
	}
	if got := b.take(t); len(got) != 2 || got[0].Hop.Conn+got[1].Hop.Conn != 5001 {
		t.Fatalf("b got %+v", got)
	}
	table.Route(legA, false, []uint32{1})
	table.Remove(legB)
	table.Remove(legB2)
	if n := publish(t, &table, shared); n != 0 {
		t.Fatalf("sent to %d legs that were taken out", n)
	}
	if n := publish(t, &table, wire.Frame{Type: wire.TypeData, Body: liveBody(2, 1, "x")}); n != 1 {
		t.Fatalf("the other stream went to %d legs", n)
	}
	table.Remove(legA)
	if len(table.routes) != 0 {
		t.Fatalf("routes are left: %v", table.routes)
	}
}

// TestSameNumberSharesBytes: what differs in nothing is made once.
func TestSameNumberSharesBytes(t *testing.T) {
	var table Table
	sinks := make([]sink, 5)
	for i, conn := range []uint64{1, 2, 1, 2, 1} { // not sorted
		table.Route(&Leg{To: &sinks[i], Conn: conn}, true, []uint32{1})
	}
	publish(t, &table, wire.Frame{Type: wire.TypeData, Body: liveBody(1, 1, "x")})
	made := map[*byte]uint64{}
	for i := range sinks {
		made[&sinks[i].frames[0].Bytes[0]] = sinks[i].frames[0].Conn
	}
	if len(made) != 2 {
		t.Fatalf("%d buffers for two numbers", len(made))
	}
}

// TestTrunkGetsOneCopy: however many legs lead over it, and without a number.
func TestTrunkGetsOneCopy(t *testing.T) {
	var table Table
	var trunk, other, viewer sink
	for conn := range uint64(4) {
		table.Route(&Leg{To: &trunk, Conn: conn + 1, Trunk: true}, true, []uint32{1})
		table.Route(&Leg{To: &viewer, Conn: conn + 1}, true, []uint32{1})
		table.Route(&Leg{To: &other, Conn: conn + 1, Trunk: true}, true, []uint32{1})
	}
	publish(t, &table, wire.Frame{Type: wire.TypeData, Body: liveBody(1, 1, "x")})
	for _, s := range []*sink{&trunk, &other} {
		if got := s.take(t); len(got) != 1 || got[0].Hop.Conn != 0 {
			t.Fatalf("a trunk got %+v", got)
		}
	}
	if got := viewer.take(t); len(got) != 4 {
		t.Fatalf("the viewer got %d", len(got))
	}
}

// TestPublishAllocatesOneBuffer: not one for each subscriber.
func TestPublishAllocatesOneBuffer(t *testing.T) {
	var table Table
	for range 100 {
		table.Route(&Leg{To: &void{}, Conn: 1}, true, []uint32{1})
	}
	f := wire.Frame{Type: wire.TypeData, Body: liveBody(1, 1, "x")}
	if n := testing.AllocsPerRun(100, func() { publish(t, &table, f) }); n > 2 { // the pool may be emptied meanwhile
		t.Fatalf("%v allocations for a frame to 100 subscribers", n)
	}
}

func TestForwardRewritesHopOnly(t *testing.T) {
	var s sink
	body := liveBody(3, 9, "payload")
	f := wire.Frame{Type: wire.TypeData, Body: body, Hop: wire.Hop{Conn: 3, Retained: true, Held: 77, Store: true, Priority: wire.Urgent}}
	l, _, err := LabelFrame(f, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	Forward(&s, f, l, 900)
	queued := s.frames[0]
	if queued.Class != wire.Live || queued.Stream != 3 || time.Until(queued.Deadline) > 250*time.Millisecond || queued.Deadline.IsZero() {
		t.Fatalf("queued as %+v", queued)
	}
	want := wire.Hop{Conn: 900, Retained: true, Held: 77, Priority: wire.Urgent}
	if got := s.take(t)[0]; got.Hop != want || !bytes.Equal(got.Body, body) {
		t.Fatalf("%+v", got)
	}
}

func TestLabels(t *testing.T) {
	event := append(wire.AppendHeader(nil, wire.Header{Class: wire.Event, Stream: 4, Epoch: 1, Seq: 1, Count: 1}), 'x')
	for name, c := range map[string]struct {
		frame wire.Frame
		want  Label
		ok    bool
		bad   bool
	}{
		"event":   {wire.Frame{Type: wire.TypeData, Body: event}, Label{Class: wire.Event, Stream: 4}, true, false},
		"gap":     {wire.Frame{Type: wire.TypeGap, Body: wire.AppendGap(nil, wire.Gap{Stream: 4, Epoch: 1, From: 1})}, Label{Control: true, Stream: 4}, true, false},
		"ack":     {wire.Frame{Type: wire.TypeAck}, Label{Control: true}, true, false},
		"command": {wire.Frame{Type: wire.TypeCommand}, Label{Class: wire.Call}, true, false},
		"outcome": {wire.Frame{Type: wire.TypeOutcome}, Label{Class: wire.Call}, true, false},
		"drive":   {wire.Frame{Type: wire.TypeDrive}, Label{Class: wire.Setpoint}, true, false},
		"tick":    {wire.Frame{Type: wire.TypeTick}, Label{Class: wire.Setpoint}, true, false},
		"signal":  {wire.Frame{Type: wire.TypeSignal}, Label{Class: wire.Signal}, true, false},
		"unknown": {wire.Frame{Type: 77}, Label{}, false, false},
		"broken":  {wire.Frame{Type: wire.TypeData, Body: event[:5]}, Label{}, true, true},
		"sealed version": {
			wire.Frame{Type: wire.TypeData, Body: append([]byte{0x24}, event[1:]...)}, Label{}, true, true,
		},
	} {
		got, ok, err := LabelFrame(c.frame, time.Now())
		if ok != c.ok || (err != nil) != c.bad || !c.bad && got != c.want {
			t.Errorf("%s: %+v %v %v", name, got, ok, err)
		}
	}
}

func TestRetained(t *testing.T) {
	var r Retained
	all := func(uint32) bool { return true }
	now := time.Now()
	keep := func(stream uint32, seq uint64, payload string, at time.Time) bool {
		body := liveBody(stream, seq, payload)
		h, _, err := wire.ParseData(body)
		if err != nil {
			t.Fatal(err)
		}
		return r.Keep(h, body, at)
	}
	keep(2, 5, "five", now.Add(-3*time.Second))
	keep(2, 4, "four", now) // came late: it must not take the newer one's place
	keep(1, 1, "one", now)
	var s sink
	for _, f := range r.Frames(6, all, now) {
		if !f.Deadline.IsZero() {
			t.Error("a retained value has a deadline")
		}
		s.Send(f)
	}
	got := s.take(t)
	if len(got) != 2 || !bytes.HasSuffix(got[0].Body, []byte("one")) || !bytes.HasSuffix(got[1].Body, []byte("five")) ||
		!got[1].Hop.Retained || got[1].Hop.Held != 3000 || got[1].Hop.Conn != 6 {
		t.Fatalf("%+v", got)
	}
	if frames := r.Frames(6, func(s uint32) bool { return s == 1 }, now); len(frames) != 1 {
		t.Fatalf("%d frames of one stream", len(frames))
	}
	for stream := range uint32(wire.MaxStreams) {
		keep(stream+10, 1, "x", now)
	}
	if n := len(r.Frames(1, all, now)); n != wire.MaxStreams {
		t.Fatalf("%d streams are kept", n)
	}
	r.Clear()
	large := strings.Repeat("x", wire.MaxData-100)
	kept := 0
	for stream := range uint32(wire.MaxStreams) {
		if keep(stream+1, 1, large, now) {
			kept++
		}
	}
	if most := maxRetained / len(large); kept != most {
		t.Fatalf("%d of %d long values are kept, want %d", kept, wire.MaxStreams, most)
	}
	if !keep(1, 2, large, now) || !keep(1, 3, "short", now) {
		t.Fatal("a value cannot take its own place when the room is full")
	}
	r.Clear()
	if n := len(r.Frames(1, all, now)); n != 0 {
		t.Fatalf("%d are left", n)
	}
}

func TestWillStandsInFront(t *testing.T) {
	var r Retained
	all := func(uint32) bool { return true }
	body := liveBody(1, 5, "value")
	h, _, err := wire.ParseData(body)
	if err != nil {
		t.Fatal(err)
	}
	r.Keep(h, body, time.Now())
	r.Keep(wire.Header{Class: wire.Event, Stream: 1, Epoch: 9, Seq: 1, Count: 1, Will: true}, []byte("will"), time.Now())
	if f := r.Frames(1, all, time.Now()); len(f) != 1 || !bytes.HasSuffix(f[0].Bytes, []byte("will")) {
		t.Fatalf("%d frames", len(f))
	}
	r.Revive()
	if f := r.Frames(1, all, time.Now()); len(f) != 1 || !bytes.HasSuffix(f[0].Bytes, []byte("value")) {
		t.Fatalf("%d frames after the return", len(f))
	}
}

// TestRoutesWhilePublishing is for the race detector.
func TestRoutesWhilePublishing(t *testing.T) {
	var table Table
	var done sync.WaitGroup
	for conn := range uint64(4) {
		done.Go(func() {
			leg := &Leg{To: new(sink), Conn: conn + 1}
			for i := range 200 {
				table.Route(leg, i%2 == 0, []uint32{1, 2})
				table.Routed(leg)
			}
			table.Remove(leg)
		})
	}
	for range 200 {
		publish(t, &table, wire.Frame{Type: wire.TypeData, Body: liveBody(1, 1, "x")})
	}
	done.Wait()
}

// void is a link that costs nothing.
type void struct{ n int }

func (v *void) Send(carrier.Frame) bool { v.n++; return true }

// BenchmarkPublish is the relay's part of a shared frame: how it grows with
// the subscribers, and with their numbers being the same or not.
func BenchmarkPublish(b *testing.B) {
	for _, subscribers := range []int{1, 10, 100, 1000} {
		for _, numbers := range []string{"same", "distinct"} {
			b.Run(fmt.Sprintf("%d/%s", subscribers, numbers), func(b *testing.B) {
				var table Table
				for i := range subscribers {
					conn := uint64(1)
					if numbers == "distinct" {
						conn += uint64(i)
					}
					table.Route(&Leg{To: &void{}, Conn: conn}, true, []uint32{1})
				}
				f := wire.Frame{Type: wire.TypeData, Body: liveBody(1, 1, string(make([]byte, 100)))}
				now := time.Now()
				b.ReportAllocs()
				for b.Loop() {
					l, _, err := LabelFrame(f, now)
					if err != nil {
						b.Fatal(err)
					}
					table.Publish(f, l)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subscribers), "ns/subscriber")
			})
		}
	}
}
