package peer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
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
