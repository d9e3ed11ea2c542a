package carriertest

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

var classes = []wire.Class{wire.Signal, wire.Call, wire.Event, wire.Setpoint, wire.Live, wire.History}

func everyClass(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	for _, way := range []struct{ from, to *end }{{a, b}, {b, a}} {
		for n, class := range classes {
			send(t, way.from, newFrame(class, n, 100))
			want := newFrame(class, n, 100)
			if got := way.to.next(t); !bytes.HasSuffix(want.Bytes, got.body) || len(got.body) != 100 {
				t.Fatalf("sent a %v frame, got %q", class, got.body)
			}
		}
	}
	checkTraffic(t, a, b)
	if drops := a.Stats().Drops; drops.Total() != 0 {
		t.Errorf("drops on an idle path: %v", drops)
	}
}

// checkTraffic compares the counters of both ends. The sender's may be a
// moment late: it counts when its write returns.
func checkTraffic(t *testing.T, from, to *end) {
	t.Helper()
	sent, got := from.Stats().Sent, to.Stats().Received
	for begin := time.Now(); sent != got && time.Since(begin) < patience; time.Sleep(time.Millisecond) {
		sent, got = from.Stats().Sent, to.Stats().Received
	}
	if sent != got || sent.Packets == 0 {
		t.Errorf("one sent %+v, the other received %+v", sent, got)
	}
}

// hurried: who sends may write himself, or leave it to the carrier, in turn; each of a few samples arrives once.
func hurried(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	for n := range 200 {
		for i := range byte(3) {
			f := newFrame(wire.Live, n, 100)
			f.Bytes[len(f.Bytes)-1] = i
			f.Eager = (n+int(i))%2 == 0
			send(t, a, f)
		}
		want, seen := fmt.Sprintf("live %d\x00", n), map[byte]bool{}
		for range 3 {
			got := b.next(t)
			last := got.body[len(got.body)-1]
			if !bytes.HasPrefix(got.body, []byte(want)) || seen[last] {
				t.Fatalf("in turn %d came %.20q, the %d-th", n, got.body, last)
			}
			seen[last] = true
		}
	}
}

func eventOrder(t *testing.T, h Harness) {
	const frames = 5000
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	go func() {
		for n := range frames {
			sendPatiently(t, a, newFrame(wire.Event, n, 200))
		}
	}()
	for n := range frames {
		want := fmt.Sprintf("event %d\x00", n)
		if got := b.next(t); !bytes.HasPrefix(got.body, []byte(want)) {
			t.Fatalf("frame %d is %.20q", n, got.body)
		}
	}
}

func bigFrames(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	sizes := []struct {
		class wire.Class
		size  int
	}{{wire.Signal, wire.MaxSignal}, {wire.Event, wire.MaxData}, {wire.Live, wire.MaxData}, {wire.Live, wire.MaxLiveData}}
	for n, s := range sizes {
		send(t, a, newFrame(s.class, n, s.size))
		if got := b.next(t); len(got.body) != s.size {
			t.Fatalf("sent a %v frame of %d bytes, got %d", s.class, s.size, len(got.body))
		}
	}
}

func control(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a, b := start(t, ca), start(t, cb)
	const probes = 20
	for n := range probes {
		probe := wire.AppendProbe(nil, wire.Hop{}, wire.Probe{ID: uint64(n), Full: true})
		send(t, a, carrier.Frame{Bytes: probe, Control: true})
	}
	for range probes {
		if got := b.next(t); got.kind != wire.TypeProbe {
			t.Fatalf("got frame type %d", got.kind)
		}
	}
}

// deaf runs c with a receiver that takes one packet and then sleeps till the
// end of the test.
func deaf(t *testing.T, c carrier.Carrier) {
	wake := make(chan struct{})
	startWith(t, c, func([]byte) { <-wake })
	t.Cleanup(func() { close(wake) })
}

// flood sends Live frames until some were dropped, and as many again; it
// fails if a Send blocks.
func flood(t *testing.T, c carrier.Carrier) (sent int) {
	const size, enough, most = 1000, 2000, 200_000
	for first := 0; sent < most; sent++ {
		before := time.Now()
		if !c.Send(newFrame(wire.Live, sent, size)) {
			t.Fatal("a Live frame was refused: Live drops its oldest")
		}
		if took := time.Since(before); took > time.Second {
			t.Fatalf("Send blocked for %v", took)
		}
		if c.Stats().Drops[carrier.QueueFull] > 0 && first == 0 {
			first = sent
		}
		if first > 0 && sent > first+enough {
			return sent + 1
		}
	}
	t.Fatalf("%d MB went to a receiver that does not read", most*size>>20)
	return 0
}

func deafReceiver(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	deaf(t, cb)
	a := start(t, ca)
	sent := flood(t, a)
	stats := a.Stats()
	if limit := 256 << 10; stats.Queued.Bytes > limit {
		t.Errorf("%d bytes wait, more than %d", stats.Queued.Bytes, limit)
	}
	// What neither waits nor was dropped is on the path, or in the one
	// packet that is being written.
	gone := uint64(sent-stats.Queued.Frames) - stats.Drops.Total()
	if onPath := stats.Sent.Bytes/1000 + 17; gone > onPath {
		t.Errorf("of %d frames %d are unaccounted for: %+v", sent, gone-onPath, stats)
	}
}

func refuses(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	deaf(t, cb)
	a := start(t, ca)
	flood(t, a)
	var refused uint64
	before := settledDrops(a)
	for n := range 1000 {
		if !a.Send(newFrame(wire.Event, n, 10_000)) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("10 MB of Event waited")
	}
	if counted := a.Stats().Drops[carrier.QueueFull] - before; counted != refused {
		t.Errorf("%d frames were refused, %d counted", refused, counted)
	}
}

// settledDrops is how many frames were dropped because a queue was full, once
// the packet that was being written at the end of a flood is back in the queue
// and may have found no room there.
func settledDrops(c carrier.Carrier) (n uint64) {
	const longerThanAWrite = 150 * time.Millisecond
	for {
		n = c.Stats().Drops[carrier.QueueFull]
		time.Sleep(longerThanAWrite)
		if c.Stats().Drops[carrier.QueueFull] == n {
			return n
		}
	}
}

func flushes(t *testing.T, h Harness) {
	ca, cb := h.Connect(t)
	a := start(t, ca)
	var got atomic.Int64
	b := startWith(t, cb, func(packet []byte) {
		for f := (wire.Frame{}); len(packet) > 0; {
			f, packet, _ = wire.NextFrame(packet)
			if f.Type == wire.TypeSignal { // there may be marks beside them
				got.Add(1)
			}
		}
	})
	const frames = 20
	for n := range frames {
		send(t, a, newFrame(wire.Signal, n, 1000))
	}
	a.Close(wire.CodeByName("unauthorized"), "")
	a.wait(t)
	b.wait(t)
	if got.Load() != frames {
		t.Errorf("%d of %d frames came before the end", got.Load(), frames)
	}
}
