package peer

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestCutAndHeal: a direct path that dies is replaced by the relay within
// 1.5 s, by samples that are fresh, and taken again within a minute after it is back.
func TestCutAndHeal(t *testing.T) {
	for _, dark := range []time.Duration{2 * time.Second, 20 * time.Second, 5 * time.Minute} {
		t.Run(dark.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { cutAndHeal(t, dark) })
		})
	}
}

func cutAndHeal(t *testing.T, dark time.Duration) {
	w := newWorld(t, peertest.Config{Delay: oneWay})
	w.boot(10 * time.Millisecond)
	time.Sleep(time.Second)
	v := w.watch(nil)
	onUDP := func() bool { return v.rung() == "udp" }
	w.await(5*time.Second, "direct", onUDP)
	time.Sleep(15 * time.Second) // old enough not to count as dying young
	w.ether.Cut()
	cut := time.Now()
	onRelay := w.await(1500*time.Millisecond, "fresh samples on the relay", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.lastRung == "ws" && v.lastLive.After(cut)
	})
	time.Sleep(dark)
	w.ether.Heal()
	back := w.await(time.Minute, "direct again", onUDP)
	t.Logf("on the relay after %v, direct again after %v", onRelay, back)
	w.settle(v)
	if len(v.gaps) > 0 {
		t.Errorf("gaps %v", v.gaps)
	}
}

// TestDirectAloneIsNotRelayed: once a direct path carries alone, nothing goes
// up the device's link for that viewer, and the server is told so.
func TestDirectAloneIsNotRelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		relayed := w.watch(func(c *ViewConfig) { c.NoDirect = true })
		v := w.watch(nil)
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(3 * time.Second)
		if n := w.relay.Routed(); n != 2 { // of the other viewer
			t.Errorf("%d streams are copied by the server, want 2", n)
		}
		relayed.stop()
		time.Sleep(time.Second)
		before := w.relay.Shared()
		time.Sleep(5 * time.Second)
		if n := w.relay.Shared() - before; n > 0 || w.relay.Routed() > 0 {
			t.Errorf("%d frames went up, %d streams are copied, and nobody is on the relay", n, w.relay.Routed())
		}
	})
}

// TestQuietWhenNobodyWatches: without viewers a device probes nothing and
// keeps nothing of those that were there.
func TestQuietWhenNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		d := w.boot(time.Hour)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		v.stop()
		time.Sleep(time.Second)
		if n := d.conns(); n != 0 {
			t.Errorf("%d Conns are left after their viewer has gone", n)
		}
		before := d.host.Stats()
		const watch = 30
		time.Sleep(watch * time.Second)
		after := d.host.Stats()
		answers := after.Received.Packets - before.Received.Packets // the relay asks once a second
		if sent := after.Sent.Packets - before.Sent.Packets; sent > answers+watch/3+1 {
			t.Errorf("%d packets in %d s, %d of them answers", sent, watch, answers)
		}
	})
}

func (d *device) conns() (n int) {
	d.host.loop.ask(d.world.t.Context(), func() { n = len(d.host.conns) })
	return n
}

// TestViewerGoneForGood: without a goodbye, a Conn is kept for a minute after
// its last path.
func TestViewerGoneForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		d := w.boot(50 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		v.kill()
		time.Sleep(awayMax - 5*time.Second)
		if n := d.conns(); n != 1 {
			t.Errorf("%d Conns, want the one that may come back", n)
		}
		time.Sleep(10 * time.Second)
		if n := d.conns(); n != 0 {
			t.Errorf("%d Conns are left", n)
		}
	})
}

// TestDirectOutlivesServer: while the server is away a direct path carries on,
// for longer than a Conn without a path is kept.
func TestDirectOutlivesServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.boot(50 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(3 * time.Second)
		w.relay.Stop()
		time.Sleep(3 * awayMax)
		v.mu.Lock()
		if age := time.Since(v.lastLive); age > 200*time.Millisecond {
			t.Errorf("the newest sample is %v old", age)
		}
		v.mu.Unlock()
		w.relay.Start()
		w.settle(v)
	})
}

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
		w.boot(period)
		time.Sleep(time.Second)
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
	})
}
