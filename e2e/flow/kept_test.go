package flow

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestRetained(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	h, linked := w.device("bench", 1)
	live := declare(t, h, "live", wire.Live)
	w.run(h, linked)
	_ = live.Publish(1, binary.BigEndian.AppendUint64(nil, 7))
	v := w.view(peer.ViewConfig{Device: "bench"})
	v.until(t, "the value, which nobody has asked for before", 2*time.Second, func() bool { return v.retained["live"] == 1 })
	time.Sleep(1500 * time.Millisecond) // the server has it by now, too
	late := w.view(peer.ViewConfig{Device: "bench"})
	late.until(t, "the value", 2*time.Second, func() bool { return late.retained["live"] > 0 })
	time.Sleep(300 * time.Millisecond)
	late.locked(func() {
		if n := late.retained["live"]; n != 1 {
			t.Errorf("the same value was shown %d times", n)
		}
	})
}

// TestWills: a device that is cut leaves its will, each time; one that says
// goodbye does not, however early.
func TestWills(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	w.via = newCable(t, w.addr)
	h, linked := w.device("bench", 1)
	status := declare(t, h, "status", wire.Event)
	if err := h.SetWill(status, binary.BigEndian.AppendUint64(nil, 99)); err != nil {
		t.Fatal(err)
	}
	stop := w.run(h, linked)
	v := w.view(peer.ViewConfig{Device: "bench", NoDirect: true})
	for cuts := 1; cuts <= 2; cuts++ {
		v.until(t, "the relay", 10*time.Second, v.onRung(ladder.WS))
		_ = status.Publish(1, binary.BigEndian.AppendUint64(nil, 1))
		v.until(t, "the stream", 5*time.Second, func() bool { return len(v.seqs["status"]) == cuts })
		w.via.unplug() // not for a moment only: a device that is back before it was missed leaves none
		v.until(t, "the will", 5*time.Second, func() bool { return v.retained["status"] == cuts })
		v.until(t, "that the device is away", 5*time.Second, v.onRungName("none"))
		w.via.plug()
	}
	v.until(t, "the relay", 10*time.Second, v.onRung(ladder.WS))
	_ = stop()
	time.Sleep(300 * time.Millisecond)
	v.locked(func() {
		if n := v.retained["status"]; n != 2 {
			t.Errorf("%d wills after two cuts and a goodbye", n)
		}
	})
}
