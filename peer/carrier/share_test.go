package carrier

import (
	"bytes"
	"fmt"
	"strings"
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

// passedOn is a signal that a relay passes on for somebody.
func passedOn(source uint64, bytes int, text string) Frame {
	return Frame{Class: wire.Signal, Source: source, Yields: true, Bytes: []byte(text + strings.Repeat("x", bytes-len(text)))}
}

// TestSignalsPassedOnAreShared: who floods a path with signals loses its own. What this end has to say itself is nobody's to push out.
func TestSignalsPassedOnAreShared(t *testing.T) {
	for name, size := range map[string]int{"short": 100, "long": 50_000} {
		q := NewQueue(Limits{})
		own := Frame{Class: wire.Signal, Bytes: []byte("own ")}
		for range 2000 {
			q.Push(passedOn(1, size, "flood "))
		}
		if !q.Push(passedOn(2, 1000, "open ")) || !q.Push(own) {
			t.Errorf("%s: one source keeps the others out", name)
		}
		for range 2000 {
			q.Push(passedOn(1, size, "flood "))
		}
		if d := q.Depth(SetOf(LaneSignal)); d.Bytes > defaultLimits[LaneSignal].Bytes/2+len(own.Bytes) {
			t.Errorf("%s: %+v of what is passed on", name, d)
		}
		sent := ""
		for b := (Batch{}); q.Take(start, AllLanes, wire.MaxPacket, &b); {
			sent += string(b.Packet)
		}
		if !strings.Contains(sent, "open ") || !strings.Contains(sent, "own ") || len(q.shares) != 0 {
			t.Errorf("%s: open and own word did not go, shares %v", name, q.shares)
		}
	}
	q := NewQueue(small(1000, 4))
	for range 3 {
		q.Push(Frame{Class: wire.Signal, Bytes: []byte("own ")})
	}
	if q.Push(passedOn(1, 10, "")) || q.Depth(AllLanes).Frames != 3 {
		t.Error("what is passed on pushed out this end's own")
	}
}

// TestCommandsWaitForNoFlood: neither of signals that are passed on for others, nor of their control frames. The signals go on meanwhile, the
// long ones, too.
func TestCommandsWaitForNoFlood(t *testing.T) {
	const room = 16 << 10
	q := NewQueue(Limits{})
	flood := func() {
		q.Push(passedOn(1, 50_000, "long"))
		q.Push(Frame{Control: true, Source: 1, Bytes: make([]byte, 1000)})
	}
	for range 300 {
		flood()
	}
	var b Batch
	signals := 0
	for i := range 100 {
		q.Push(frame(wire.Call, fmt.Sprintf("stop%d", i), 0, 0))
		q.Push(frame(wire.Setpoint, fmt.Sprintf("drive%d", i), 1, 0))
		sent := ""
		for range 2 {
			flood()
			q.Take(start, AllLanes, room, &b)
			sent += string(b.Packet)
			signals += strings.Count(string(b.Packet), "long")
		}
		if !strings.Contains(sent, fmt.Sprintf("stop%d", i)) || !strings.Contains(sent, fmt.Sprintf("drive%d", i)) {
			t.Fatalf("stop and Drive %d did not go with the next two packets", i)
		}
	}
	if signals < 90 {
		t.Errorf("%d signals went meanwhile", signals)
	}
}

// TestWhoNeedNotYieldGivesWayToNobodyWhoMust: a lane that is half full of what yields takes what need not, and keeps it, though it is the largest.
func TestWhoNeedNotYieldGivesWayToNobodyWhoMust(t *testing.T) {
	q := NewQueue(small(2000, 100))
	for source := uint64(1); source <= 9; source++ {
		q.Push(passedOn(source, 100, "viewer "))
	}
	open := Frame{Class: wire.Signal, Source: 99, Bytes: []byte("open " + strings.Repeat("o", 700))}
	if !q.Push(open) {
		t.Fatal("no room for what need not yield")
	}
	for source := uint64(1); source <= 20; source++ {
		q.Push(passedOn(source, 100, "viewer "))
	}
	sent := ""
	for b := (Batch{}); q.Take(start, AllLanes, wire.MaxPacket, &b); {
		sent += string(b.Packet)
	}
	if !strings.Contains(sent, "open ") || len(q.shares) != 0 {
		t.Errorf("it was pushed out; shares %v are left", q.shares)
	}
}
