package peer

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestDescribedOnce: what a stream is is told to the server and to a viewer once, however often links are made again; but where an
// Event stream begins each time, and to a server that knows nothing all.
func TestDescribedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		d := w.boot(40 * time.Millisecond)
		event, live := d.event.id, d.live.id
		time.Sleep(time.Second)
		v := w.watch(nil)
		time.Sleep(2 * time.Second)
		expect := func(after string, want ...uint32) {
			t.Helper()
			time.Sleep(15 * time.Second)
			got := w.relay.Described()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: streams %v were described, want %v", after, got, want)
			}
		}
		expect("the beginning", event, event, live, live)
		d.medium().Break(errors.New("cut"))
		expect("the device's link was cut", event)
		v.medium().Break(errors.New("cut"))
		expect("the viewer's link was cut", event)
		more := w.declare(d.host, "more", wire.Live).id
		expect("another stream", more, more)
		d.medium().Break(errors.New("cut"))
		expect("another cut", event, more) // the viewer heard of it on the direct path, which does not say that this was all
		d.medium().Break(errors.New("cut"))
		expect("one more", event)
		d.live.Describe(json.RawMessage(`{"unit":"W"}`))
		expect("described anew", live, live)
		w.relay.Stop()
		w.relay.Start()
		expect("a server that knows nothing", event, event, live, live, more) // of the live one the viewer, as above
		w.settle(v)
	})
}

// TestUnknownStreamIsToldAgain: a viewer that lacks a description, though it was told of all, gets it.
func TestUnknownStreamIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		d := w.boot(40 * time.Millisecond)
		told := 0
		time.Sleep(time.Second)
		v := w.watch(func(cfg *ViewConfig) {
			cfg.Events.Streams = func(_ string, streams []signal.Stream) { told += len(streams) }
		})
		time.Sleep(2 * time.Second)
		v.conn.loop.ask(t.Context(), func() {
			delete(v.conn.streams, d.live.id)
			told = 0
		})
		time.Sleep(3 * time.Second)
		v.conn.loop.ask(t.Context(), func() {
			if told == 0 || v.conn.streams[d.live.id] == nil {
				t.Error("the stream is still unknown")
			}
		})
		w.settle(v)
	})
}
