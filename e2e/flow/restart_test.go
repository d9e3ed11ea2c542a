package flow

import (
	"fmt"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestServerRestart(t *testing.T) {
	for _, direct := range []bool{true, false} {
		t.Run(fmt.Sprintf("direct=%v", direct), func(t *testing.T) {
			dir, addr := t.TempDir(), freePort(t)
			w := start(t, dir, addr)
			h, linked := w.device("bench", 1)
			event := declare(t, h, "event", wire.Event)
			w.run(h, linked)
			stop := ticker(event, 10*time.Millisecond)
			v := w.view(peer.ViewConfig{Device: "bench", From: "start", NoDirect: !direct})
			want := ladder.WS
			if direct {
				want = ladder.UDP
			}
			v.until(t, "path", 15*time.Second, v.onRung(want))
			w.stop()
			time.Sleep(time.Second)
			start(t, dir, addr)
			time.Sleep(500 * time.Millisecond)
			n := stop()
			v.until(t, "all events", 20*time.Second, func() bool { return uint64(len(v.seqs["event"])) >= n })
			v.locked(func() {
				consecutive(t, "event", v.seqs["event"], v.values["event"])
				if len(v.gaps) > 0 {
					t.Errorf("gaps %v", v.gaps)
				}
			})
		})
	}
}

func TestDeviceRestartIsAGap(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	h, linked := w.device("bench", 1)
	event := declare(t, h, "event", wire.Event)
	stop := w.run(h, linked)
	v := w.view(peer.ViewConfig{Device: "bench", From: "start"})
	tick := ticker(event, 10*time.Millisecond)
	v.until(t, "samples", 5*time.Second, func() bool { return len(v.seqs["event"]) > 20 })
	tick()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h2, linked2 := w.device("bench", 1)
	event2 := declare(t, h2, "event", wire.Event)
	w.run(h2, linked2)
	before := 0
	v.locked(func() { before = len(v.seqs["event"]) })
	stop2 := ticker(event2, 10*time.Millisecond)
	v.until(t, "samples of the second run", 5*time.Second, func() bool { return len(v.seqs["event"]) > before+20 })
	stop2()
	v.locked(func() {
		consecutive(t, "second run", v.seqs["event"][before:], v.values["event"][before:])
		if len(v.gaps) > 0 { // it said goodbye and everything was acknowledged
			t.Errorf("gaps %v", v.gaps)
		}
	})
}
