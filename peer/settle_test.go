package peer

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
)

// linkedHost runs a host that has a dialer of its own and only the given paths.
func (w *world) linkedHost(only ...ladder.Rung) (*Host, context.CancelFunc) {
	w.t.Helper()
	dial := (&node{}).dialer(w.relay, true)
	h, err := NewHost(HostConfig{
		Endpoint: Endpoint{URL: "http://relay", Only: only}, Key: deviceKey, Name: "bench",
		Dial: func(ctx context.Context) (carrier.Carrier, error) { return dial(ctx, nil, nil) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stop := func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error("Host.Run:", err)
		}
		done <- nil
	}
	w.t.Cleanup(stop)
	return h, stop
}

// TestRelayedDevice: who watches a device without direct paths is told so, and
// goes on trying nothing.
func TestRelayedDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		h, _ := w.linkedHost(ladder.WS)
		w.declareEvent(h, 1)
		time.Sleep(time.Second) // the device is there
		v := w.watch(nil)
		time.Sleep(time.Minute)
		v.mu.Lock()
		last := v.paths[len(v.paths)-1]
		v.mu.Unlock()
		if last.Rung != ladder.WS || !strings.Contains(last.Reason, "the device has no direct paths") {
			t.Errorf("on %v because %s", last.Rung, last.Reason)
		}
		v.node.mu.Lock()
		defer v.node.mu.Unlock()
		if n := len(v.node.legs); n != 1 {
			t.Errorf("%d attempts at a direct path, want the first alone", n)
		}
	})
}

// TestSettle: what was published before is in the ring and out of the hands of
// the publisher, however much.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		h, stop := w.linkedHost(ladder.WS)
		s := w.declareEvent(h, 1)
		time.Sleep(time.Second)
		const batches = 500 // twice what waits for the loop, at most
		for range batches {
			if err := s.Publish(1, make([]byte, 4<<10)); err != nil {
				t.Fatal(err)
			}
			if err := h.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		at := s.Position()
		if n := s.Dropped(); n != 0 || at.Seq != batches || at.Epoch != h.epoch || at.Stream != 1 {
			t.Errorf("%d dropped, at %+v", n, at)
		}
		var head uint64
		h.loop.ask(t.Context(), func() { head = s.ring.Head() })
		if head != batches {
			t.Errorf("the ring ends with %d", head)
		}
		stop()
		if err := h.Settle(t.Context()); err == nil {
			t.Error("settled after the end")
		}
	})
}
