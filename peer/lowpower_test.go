package peer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestLowPower: a device of low power that nobody watches says a word in a keep alive, with its newest values. Who comes
// finds it as any other, at once; when he has gone, it rests again.
func TestLowPower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.rests = true
		d := w.boot(50 * time.Millisecond)
		time.Sleep(time.Minute)
		d.expectRest(t)

		var held time.Duration // of the newest value that was kept
		v := w.watch(func(c *ViewConfig) {
			batch := c.Events.Batch
			c.Want = []string{"live"}
			c.Events.Batch = func(r Received) {
				if r.Retained && r.Header.Class == wire.Live && held == 0 {
					held = r.Held
				}
				batch(r)
			}
		})
		time.Sleep(10 * time.Second)
		v.mu.Lock()
		if held == 0 || held > LowPowerKeepAlive {
			t.Errorf("the value that was kept is %v old", held)
		}
		if n := len(v.fresh); n < 195 || v.silence > 100*time.Millisecond {
			t.Errorf("%d samples in 10 s at 20 Hz, with a silence of %v", n, v.silence)
		}
		v.mu.Unlock()

		before := d.host.Stats().Sent.Packets
		time.Sleep(10 * time.Second)
		if said := d.host.Stats().Sent.Packets - before; said < 190 {
			t.Errorf("%d packets in 10 s to who watches", said)
		}
		v.stop()
		time.Sleep(awayMax + 5*time.Second)
		d.expectRest(t)
	})
}

// TestRestLetsNewsPass: a value that comes after a longer rest does not wait for the next word.
func TestRestLetsNewsPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.rests = true
		d := w.boot(time.Hour)
		time.Sleep(10*time.Minute + 7*time.Second)
		before := d.host.Stats().Sent.Packets
		if err := d.event.Publish(1, value(d.event.epoch, 1, w.size)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if d.host.Stats().Sent.Packets == before {
			t.Error("nothing was sent within a second")
		}
	})
}

// expectRest listens for ten minutes.
func (d *device) expectRest(t *testing.T) {
	t.Helper()
	const long, word = 10 * time.Minute, LowPowerKeepAlive * 4 / 5
	before := d.host.Stats().Sent
	time.Sleep(long)
	after := d.host.Stats().Sent
	packets, bytes := after.Packets-before.Packets, after.Bytes-before.Bytes
	// The values, a probe, and the answer to the server's may be a packet each.
	if least, most := uint64(long/word), 3*uint64(long/word+1); packets < least || packets > most {
		t.Errorf("%d packets in %v of rest, want %d to %d", packets, long, least, most)
	}
	if most := uint64(200 * (long/word + 1)); bytes > most {
		t.Errorf("%d bytes in %v of rest, want at most %d", bytes, long, most)
	}
}

// TestRestHasABudget: however many values a device has, in a rest they cost the same.
func TestRestHasABudget(t *testing.T) {
	h := &Host{cfg: HostConfig{LowPower: true}, link: &link{keepAlive: LowPowerKeepAlive}}
	for bytes, want := range map[int]time.Duration{0: 48 * time.Second, 700: 48 * time.Second, 16_000: 1000 * time.Second} {
		if got := h.pause(bytes); got != want {
			t.Errorf("%v after %d bytes, want %v", got, bytes, want)
		}
	}
	h.conns = map[string]*hostConn{"someone": {paths: newPaths(time.Now)}}
	if got := h.pause(16_000); got != storeEvery {
		t.Errorf("%v while somebody watches", got)
	}
}
