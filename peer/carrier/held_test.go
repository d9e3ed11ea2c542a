package carrier

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

// of makes a frame that a relay passes on from a source to a Conn of the same number.
func of(source uint64, class wire.Class, text string) Frame {
	return Frame{Class: class, Source: source, Conn: source, Stream: 1, Bytes: []byte(text), Yields: class == wire.Signal}
}

// flooded is a queue in which source 1 has more signals than any packet of these tests holds.
func flooded() (q *Queue, flood func()) {
	q = NewQueue(Limits{})
	flood = func() { q.Push(of(1, wire.Signal, "flood"+strings.Repeat("x", 4000))) }
	for range 100 {
		flood()
	}
	return q, flood
}

const packetRoom = 16 << 10

// TestOthersSignalsKeepNoDataAway: of whatever class, and while the signals go on.
func TestOthersSignalsKeepNoDataAway(t *testing.T) {
	for _, class := range []wire.Class{wire.Live, wire.Event, wire.History} {
		q, flood := flooded()
		var b Batch
		signals := 0
		for i := range 100 {
			text := fmt.Sprintf("<%d>", i)
			q.Push(of(2, class, text))
			sent := ""
			for range 2 {
				for range 4 {
					flood()
				}
				q.Take(start, AllLanes, packetRoom, &b)
				sent += string(b.Packet)
				signals += strings.Count(string(b.Packet), "flood")
			}
			if !strings.Contains(sent, text) {
				t.Fatalf("class %d: frame %d did not go with the next two packets", class, i)
			}
		}
		if signals < 500 {
			t.Errorf("class %d: %d signals went meanwhile", class, signals)
		}
	}
}

// TestDataWaitForSignalsTheyCountOn: those of their own source, and what this end says on their Conn. Others' signals delay neither.
func TestDataWaitForSignalsTheyCountOn(t *testing.T) {
	describe := of(2, wire.Signal, "<describe>")
	opened := Frame{Class: wire.Signal, Conn: 2, Bytes: []byte("<opened>")}
	route := Frame{Class: wire.Signal, Conn: 3, Bytes: []byte("<route>")}
	shared := Frame{Class: wire.Live, Stream: 1, Bytes: []byte("<data>")}
	for name, c := range map[string]struct{ signal, data Frame }{
		"of its source":         {describe, of(2, wire.Live, "<data>")},
		"an Event":              {describe, of(2, wire.Event, "<data>")},
		"History":               {describe, of(2, wire.History, "<data>")},
		"for another server":    {describe, Frame{Class: wire.Live, Source: 2, Stream: 1, Bytes: []byte("<data>")}},
		"of this end":           {opened, of(2, wire.Live, "<data>")},
		"a route before shared": {route, shared},
	} {
		q, flood := flooded()
		q.Push(c.data)
		q.Push(c.signal)
		sent := ""
		for b := (Batch{}); !strings.Contains(sent, "<data>") && len(sent) < 4*packetRoom; {
			flood()
			q.Take(start, AllLanes, packetRoom, &b)
			sent += string(b.Packet)
		}
		signal, data := strings.Index(sent, string(c.signal.Bytes)), strings.Index(sent, "<data>")
		if signal < 0 || data < signal {
			t.Errorf("%s: the signal at %d, data at %d of %d bytes", name, signal, data, len(sent))
		}
	}
}

// TestFloodHoldsItsOwnData: they count on its signals, and those that are many stay in their order.
func TestFloodHoldsItsOwnData(t *testing.T) {
	q, _ := flooded()
	q.Push(of(1, wire.Live, "<live>"))
	q.Push(of(1, wire.Event, "<event>"))
	q.Push(Frame{Class: wire.Signal, Conn: 1, Bytes: []byte("<own>")}) // was said on its Conn behind all that
	q.Push(of(2, wire.Live, "<other>"))
	var order []string
	for b := (Batch{}); q.Take(start, AllLanes, packetRoom, &b); {
		for _, f := range b.Frames {
			if text := string(f.Bytes); text[0] == '<' {
				order = append(order, text)
			} else if slices.Contains(order, "<own>") {
				t.Fatal("a signal was overtaken by a later one of its Conn")
			}
		}
	}
	if want := []string{"<other>", "<own>", "<event>", "<live>"}; !slices.Equal(order, want) {
		t.Errorf("sent in the order %v, not %v", order, want)
	}
	if len(q.told)+len(q.shares) != 0 {
		t.Errorf("%v and %v are left of an empty queue", q.told, q.shares)
	}
}
