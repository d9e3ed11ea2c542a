package peer

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestGoodbyeOvertakes: signals overtake Events in queues. What was on its
// way when the device said goodbye is delivered, not declared lost.
func TestGoodbyeOvertakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		d := w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(func(c *ViewConfig) { c.NoDirect = true })
		time.Sleep(time.Second)
		link := d.medium()
		link.Cut()
		time.Sleep(100 * time.Millisecond) // of Events that wait
		go func() {
			time.Sleep(flushTime + carrier.FlushTime/2)
			link.Heal()
		}()
		d.stop()
		w.mu.Lock()
		last := w.published[d.event.epoch]
		w.mu.Unlock()
		time.Sleep(2 * byeGrace)
		v.mu.Lock()
		if next := v.next[d.event.epoch]; next != last+1 || len(v.gaps) > 0 {
			t.Errorf("%d of %d Events came, gaps %+v", next-1, last, v.gaps)
		}
		v.mu.Unlock()
	})
}

// TestOfferSurvivesLink: an offer that was lost with a link is made again.
func TestOfferSurvivesLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.boot(50 * time.Millisecond)
		time.Sleep(time.Second)
		w.ether.Cut() // so that the first attempt fails, and the second is told after accept
		v := w.watch(nil)
		time.Sleep(6 * time.Second)
		w.ether.Heal()
		made := w.ether.Made()
		w.await(10*time.Second, "another attempt", func() bool { return w.ether.Made() > made })
		v.medium().Break(errors.New("reset"))
		took := w.await(4*time.Second, "direct", func() bool { return v.rung() == "udp" })
		t.Logf("direct %v after the link broke", took)
	})
}

// TestLargeOpenWaitsForNothing: an open that has no room in the request is
// sent as soon as there is a link.
func TestLargeOpenWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		d := w.boot(50 * time.Millisecond)
		for i := range 200 {
			w.declareEvent(d.host, i)
		}
		time.Sleep(time.Second)
		v := w.watch(func(c *ViewConfig) { c.NoDirect = true })
		time.Sleep(time.Second)
		var open []byte
		v.conn.loop.ask(t.Context(), func() { open = v.conn.openForRequest() })
		if open != nil {
			t.Fatalf("an open of %d bytes goes into the request", len(open))
		}
		w.relay.Stop()
		w.relay.Start()
		began := time.Now()
		w.await(4*time.Second, "samples after a resume", func() bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.lastEvent.After(began)
		})
		var waited time.Duration
		v.conn.loop.ask(t.Context(), func() { waited = time.Duration(v.conn.opens) })
		if waited != 0 {
			t.Errorf("%d opens were not accepted", waited)
		}
	})
}

// TestDeclareWhileRunning: what is published right after Declare reaches who
// watches, from the first sample on.
func TestDeclareWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		d := w.boot(time.Hour)
		time.Sleep(time.Second)
		got := map[string]uint64{}
		v := w.watch(func(c *ViewConfig) {
			c.Events = Events{
				Batch: func(r Received) { got[r.Stream.Name] = r.Header.Seq },
				Gap:   func(s *signal.Stream, _ wire.Gap) { t.Errorf("a gap in %s", s.Name) },
			}
		})
		time.Sleep(time.Second)
		for i := range 40 {
			s := w.declareEvent(d.host, i)
			for range 3 {
				_ = s.Publish(1, []byte{1})
			}
		}
		time.Sleep(time.Second)
		v.stop()
		for name, seq := range got {
			if seq != 3 {
				t.Errorf("%s: %d of 3 came", name, seq)
			}
		}
		if len(got) != 40 {
			t.Errorf("of %d streams something came, want 40", len(got))
		}
	})
}

// TestFirstSamples: a viewer sees the first sample after three one-way trips
// on the relay, connecting included, and the first one on a data channel as
// soon as that is open: its proof is not waited for.
func TestFirstSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const period = 10 * time.Millisecond
		w := newWorld(t, peertest.Config{Delay: oneWay})
		d := w.boot(period)
		time.Sleep(time.Second)
		if d.ways.Load() != 0 {
			t.Error("a way is told of, and nobody is there")
		}
		began := time.Now()
		took := map[string]time.Duration{}
		v := w.watch(func(c *ViewConfig) {
			c.Events.Batch = func(r Received) {
				if r.Header.Class == wire.Live && !r.Retained && took[r.Rung.String()] == 0 {
					took[r.Rung.String()] = time.Since(began)
				}
			}
		})
		time.Sleep(time.Second)
		v.stop()
		// Connecting, the open to the device, data to the viewer.
		first := 2*oneWay + 2*oneWay + 2*oneWay + period
		if took["ws"] > first {
			t.Errorf("first sample after %v, want %v", took["ws"], first)
		}
		// The open, the answer, the connection's four trips, the sample.
		direct := 2*oneWay + 2*oneWay + 2*oneWay + 4*oneWay + oneWay + period
		if took["udp"] > direct {
			t.Errorf("first sample on a data channel after %v, want %v", took["udp"], direct)
		}
		if ways := d.ways.Load(); ways != 2 {
			t.Errorf("%d ways are told of, want the relay and the data channels", ways)
		}
	})
}

// TestWatcherOfAnEarlierRunGetsAllOfThisOne: what a device publishes before a
// Conn that watched its earlier run is back, is not before that Conn's time. Streams may have other
// numbers by then, and there may be new ones.
func TestWatcherOfAnEarlierRunGetsAllOfThisOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		s, err := h.Declare(StreamConfig{Name: "log", Class: wire.Event})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_ = s.Publish(1, []byte("x"))
		}
		h.step(h.loop.now())
		earlier := signal.FormatEpoch(h.epoch ^ 1)
		for name, c := range map[string]struct {
			open signal.Message
			want uint64
		}{
			"newcomer":          {signal.Message{}, 3},
			"of this run":       {signal.Message{Epoch: signal.FormatEpoch(h.epoch)}, 3},
			"of an earlier one": {signal.Message{Epoch: earlier}, 0},
			"other numbers":     {signal.Message{Positions: map[uint32]string{s.id + 1: earlier + ":9"}}, 0},
			"the same number":   {signal.Message{Epoch: earlier, Positions: map[uint32]string{s.id: earlier + ":9"}}, 0},
		} {
			c.open.Type, c.open.ID = signal.Open, name
			h.linkSignal(h.loop.now(), uint64(len(name)), c.open)
			if o := h.conns[name].outboxes[s.id]; o == nil || o.Start() != c.want {
				t.Errorf("%s: begins after %+v, want %d", name, o, c.want)
			}
		}
	})
}

// presence is what the server says of the device at the other end.
func presence(state string, session uint64) signal.Message {
	return signal.Message{Type: signal.State, Device: fmt.Appendf(nil, `{"id":"bench","state":%q,"session":%d}`, state, session)}
}

// TestRefusedOpenIsRepeated: who was refused is not told when the device comes.
func TestRefusedOpenIsRepeated(t *testing.T) {
	c := bareConn(t, Events{})
	c.hear(t, presence(signal.StateOffline, 1))
	if wake := c.reopen(c.loop.now()); wake < c.loop.now()+time.Minute {
		t.Errorf("the open is repeated at %v though the device is known to be offline", wake)
	}
	c.hear(t, signal.Message{Type: signal.Refused, Code: "unknown-device"}) // a server that was restored from an older copy
	if wake := c.reopen(c.loop.now()); wake > c.loop.now()+openMax {
		t.Errorf("the open is not repeated before %v", wake)
	}
}

// TestRefusedOpenWaitsAsItsCodeSays, never longer than an open that nobody answers, but where the code says so.
func TestRefusedOpenWaitsAsItsCodeSays(t *testing.T) {
	for _, tc := range []struct {
		code        string
		tries       int
		least, most time.Duration
	}{
		{"draining", 1, 0, time.Second},
		{"draining", 2, 0, time.Second},
		{"draining", 3, 100 * time.Millisecond, time.Second},
		{"too-many", 1, 25 * time.Millisecond, 250 * time.Millisecond},
		{"too-many", 4, 200 * time.Millisecond, 2 * time.Second},
		{"too-many", 40, time.Second, 10 * time.Second},
		{"of a later version", 1, 25 * time.Millisecond, 250 * time.Millisecond},
		{"offline", 1, 30 * time.Second, 30 * time.Second},
	} {
		for range 50 {
			c := bareConn(t, Events{})
			c.accepted, c.opens = false, tc.tries
			before := c.loop.now()
			c.hear(t, signal.Message{Type: signal.Refused, Code: tc.code})
			wait, slack := c.reopen(c.loop.now())-before, c.loop.now()-before
			if c.opens == tc.tries && (wait < tc.least || wait > tc.most+slack) {
				t.Fatalf("%s after %d opens: the next one after %v, want %v to %v", tc.code, tc.tries, wait, tc.least, tc.most)
			}
		}
	}
}

// TestAcceptOfAnEarlierSession: it comes behind the news that the device has another session, which knows nothing of us.
func TestAcceptOfAnEarlierSession(t *testing.T) {
	c := bareConn(t, Events{})
	accept := signal.Message{Type: signal.Accept, ID: c.id, Epoch: signal.FormatEpoch(7)}
	c.hear(t, presence(signal.StateLive, 2))
	c.hear(t, accept)
	if c.accepted {
		t.Error("it counts for the new one")
	}
	c.reopen(c.loop.now())
	c.hear(t, accept)
	if !c.accepted || !c.asked {
		t.Error("that of the new session does not count")
	}
}
