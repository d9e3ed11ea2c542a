package carrier

import (
	"bytes"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

// TestControlIsShared: who floods a path loses its own frames, many or long.
func TestControlIsShared(t *testing.T) {
	for name, size := range map[string]int{"short": 10, "long": 60_000} {
		q := NewQueue(Limits{})
		push := func(source uint64, text string) {
			if !q.Push(Frame{Control: true, Source: source, Bytes: []byte(text)}) {
				t.Fatalf("%s: refused", name)
			}
		}
		push(0, "own ")
		for range 3 {
			push(1, "one ")
		}
		for range 2000 {
			push(2, string(make([]byte, size)))
		}
		push(3, "late ")
		for range 2000 {
			push(2, string(make([]byte, size)))
		}
		var b Batch
		var sent []byte
		for q.Take(start, AllLanes, 65_536, &b) {
			sent = append(sent, bytes.ReplaceAll(b.Packet, []byte{0}, nil)...)
		}
		if string(sent) != "own one one one late " {
			t.Errorf("%s: sent %q", name, sent)
		}
		if len(q.shares) != 0 {
			t.Errorf("%s: shares %v of an empty lane", name, q.shares)
		}
	}
}

// TestCallIsShared: who floods a path with calls loses its own; the calls of one end alone are refused.
func TestCallIsShared(t *testing.T) {
	q := NewQueue(Limits{LaneCall: {Bytes: 4000, Frames: 4}})
	push := func(source uint64, text string) bool {
		return q.Push(Frame{Class: wire.Call, Source: source, Bytes: []byte(text)})
	}
	for i := range 6 {
		if took := push(1, string(rune('a'+i))); took != (i < 4) {
			t.Errorf("call %d of one source: %v", i, took)
		}
	}
	if !push(2, "stop ") || push(1, "x") || !push(3, "reset ") {
		t.Error("one source keeps the others out")
	}
	var b Batch
	q.Take(start, AllLanes, 100, &b)
	if string(b.Packet) != "abstop reset " || q.Drops()[QueueFull] != 5 || len(q.shares) != 0 {
		t.Errorf("sent %q, %v", b.Packet, q.Drops())
	}
}

// TestSharesSurviveReturn: what comes back counts again.
func TestSharesSurviveReturn(t *testing.T) {
	q := NewQueue(Limits{})
	q.Push(Frame{Control: true, Source: 1, Bytes: []byte("one ")})
	var b Batch
	q.Take(start, AllLanes, 100, &b)
	q.Return(&b)
	if len(q.shares) != 1 {
		t.Errorf("shares %v", q.shares)
	}
	q.Clear()
	if len(q.shares) != 0 {
		t.Errorf("shares %v of an empty lane", q.shares)
	}
}
