package carrier

import (
	"bytes"
	"testing"
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
