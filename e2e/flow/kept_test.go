package flow

import (
	"encoding/binary"
	"fmt"
	"sync"
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

// TestGoodbyeOnTheWayBack: devices whose links were cut end while they come back, each at another moment of that. A cut publishes
// the will, a goodbye never does, so each has published it once.
func TestGoodbyeOnTheWayBack(t *testing.T) {
	const devices, apart = 16, 40 * time.Millisecond // in all more than the pauses before the first two tries
	w := start(t, t.TempDir(), "127.0.0.1:0")
	w.via = newCable(t, w.addr)
	var stops []func() error
	var viewers []*viewer
	for i := range byte(devices) {
		h, linked := w.device(fmt.Sprint("bench ", i), i)
		status := declare(t, h, "status", wire.Event)
		if err := h.SetWill(status, binary.BigEndian.AppendUint64(nil, 99)); err != nil {
			t.Fatal(err)
		}
		stops = append(stops, w.run(h, linked))
		v := w.view(peer.ViewConfig{Device: fmt.Sprint("bench ", i), NoDirect: true})
		v.until(t, "the relay", 10*time.Second, v.onRung(ladder.WS))
		viewers = append(viewers, v)
	}
	w.via.unplug()
	for _, v := range viewers {
		v.until(t, "the will", 5*time.Second, func() bool { return v.retained["status"] == 1 })
	}
	w.via.plug()
	var ends sync.WaitGroup
	for i, stop := range stops {
		ends.Go(func() {
			time.Sleep(time.Duration(i) * apart)
			_ = stop()
		})
	}
	ends.Wait()
	time.Sleep(300 * time.Millisecond) // for what must not come
	for i, v := range viewers {
		v.locked(func() {
			if n := v.retained["status"]; n != 1 {
				t.Errorf("the device that ended %v after the cable was back has published %d wills", time.Duration(i)*apart, n)
			}
		})
	}
}
