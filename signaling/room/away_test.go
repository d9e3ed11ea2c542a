package room

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// leaveBehind is a device that comes, leaves a value of 4 KiB behind, and goes.
func leaveBehind(t *testing.T, r *Room, name string) {
	t.Helper()
	s, _ := join(t, r, hello(name, time.Minute))
	s.Handle(signalFrame(t, 0, signal.Message{
		Type: signal.Describe, Epoch: "1", Revision: 1,
		Streams: []signal.Stream{{ID: 1, Name: "load", Class: "live"}},
	}), time.Now())
	header := wire.AppendHeader(nil, wire.Header{Class: wire.Live, Stream: 1, Epoch: 1, Seq: 1, Count: 1})
	body := append(header, bytes.Repeat([]byte("x"), 4<<10)...)
	if no := s.Handle(wire.Frame{Type: wire.TypeData, Hop: wire.Hop{Store: true}, Body: body}, time.Now()); no != nil {
		t.Fatal(no)
	}
	s.End(Drained)
}

func kept(r *Room, name string) int {
	d := r.devices[hello(name, 0).ID]
	return len(d.retained.Frames(1, func(uint32) bool { return true }, time.Now())) + len(d.description.all())
}

// However many keys one comes with, what all of them left behind is bounded; those who went last keep what they left.
func TestWhatDevicesThatAreAwayLeftIsBounded(t *testing.T) {
	r := New(Config{MaxAway: 64 << 10}, nil)
	for i := range 100 {
		leaveBehind(t, r, fmt.Sprint("d", i))
		if r.away > r.cfg.MaxAway {
			t.Fatalf("%d bytes after %d devices", r.away, i)
		}
	}
	if kept(r, "d0") != 0 || kept(r, "d99") != 2 {
		t.Errorf("of the first %d are kept, of the last %d", kept(r, "d0"), kept(r, "d99"))
	}
	if len(r.devices) != 100 || r.counters.Limit.Load() == 0 {
		t.Errorf("%d devices are known, %d values counted", len(r.devices), r.counters.Limit.Load())
	}
	// One that is back is not counted, one that is removed leaves nothing.
	before := r.away
	s, _ := join(t, r, hello("d99", time.Minute))
	if r.away >= before || kept(r, "d99") != 2 {
		t.Errorf("%d bytes, %d before it came back", r.away, before)
	}
	s.End(Drained)
	for i := range 100 {
		if no := r.Remove(hello(fmt.Sprint("d", i), 0).ID); no != nil {
			t.Fatal(no)
		}
	}
	if r.away != 0 {
		t.Errorf("%d bytes of nobody", r.away)
	}
}
