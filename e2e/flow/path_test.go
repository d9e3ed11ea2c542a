package flow

import (
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestRelayThenDirect(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	h, linked := w.device("bench", 1)
	live, event := declare(t, h, "live", wire.Live), declare(t, h, "event", wire.Event)
	w.run(h, linked)
	stopLive, stopEvent := ticker(live, 10*time.Millisecond), ticker(event, 10*time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	v := w.view(peer.ViewConfig{Device: "bench", From: "start"})
	v.until(t, "samples", 5*time.Second, func() bool { return len(v.seqs["live"]) > 5 && len(v.seqs["event"]) > 5 })
	v.until(t, "direct", 10*time.Second, v.onRung(ladder.UDP))
	v.locked(func() {
		if first := slices.IndexFunc(v.paths, func(p string) bool { return p != "none" }); v.paths[first] != "ws" {
			t.Errorf("began on %v, want the relay", v.paths)
		}
	})
	time.Sleep(2 * time.Second)
	stopLive()
	n := stopEvent()
	v.until(t, "all events", 5*time.Second, func() bool { return uint64(len(v.seqs["event"])) == n })
	v.locked(func() {
		consecutive(t, "event", v.seqs["event"], v.values["event"])
		if v.seqs["event"][0] != 1 || len(v.gaps) > 0 {
			t.Errorf("events begin with %d, gaps %v", v.seqs["event"][0], v.gaps)
		}
	})
}

// TestLinkDiesUnderDirectPath: whatever happens to the device's link, a direct
// path carries on, and nothing is lost or repeated when the link is back.
func TestLinkDiesUnderDirectPath(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	w.via = newCable(t, w.addr)
	h, linked := w.device("bench", 1)
	event := declare(t, h, "event", wire.Event)
	w.run(h, linked)
	stop := ticker(event, 10*time.Millisecond)
	v := w.view(peer.ViewConfig{Device: "bench", From: "start"})
	v.until(t, "direct", 15*time.Second, v.onRung(ladder.UDP))
	w.via.pull()
	time.Sleep(time.Second)
	w.via.stall(true)
	before := 0
	v.locked(func() { before = len(v.seqs["event"]) })
	v.until(t, "events while the link stands still", time.Second, func() bool { return len(v.seqs["event"]) > before+20 })
	time.Sleep(6 * time.Second) // until both ends have given the link up
	w.via.stall(false)
	time.Sleep(3 * time.Second)
	n := stop()
	v.until(t, "all events", 5*time.Second, func() bool { return uint64(len(v.seqs["event"])) == n })
	v.locked(func() {
		consecutive(t, "event", v.seqs["event"], v.values["event"])
		if len(v.gaps) > 0 {
			t.Errorf("gaps %v", v.gaps)
		}
	})
	if s := h.Stats(); s.Sent.Packets == 0 || s.Drops["malformed"] > 0 {
		t.Errorf("the device's stats: %+v", s)
	}
}

// TestStalledLinkIsReplaced: a link that stands still is given up and made
// anew; on the relay alone the Events come late, each once.
func TestStalledLinkIsReplaced(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	w.via = newCable(t, w.addr)
	h, linked := w.device("bench", 1)
	event := declare(t, h, "event", wire.Event)
	w.run(h, linked)
	stop := ticker(event, 10*time.Millisecond)
	v := w.view(peer.ViewConfig{Device: "bench", From: "start", NoDirect: true})
	v.until(t, "events", 5*time.Second, func() bool { return len(v.seqs["event"]) > 20 })
	w.via.stall(true)
	v.until(t, "that there is no path", 8*time.Second, v.onRungName("none"))
	w.via.stall(false)
	w.via.pull()
	v.until(t, "the relay again", 10*time.Second, v.onRung(ladder.WS))
	n := stop()
	v.until(t, "all events", 10*time.Second, func() bool { return uint64(len(v.seqs["event"])) == n })
	v.locked(func() { consecutive(t, "event", v.seqs["event"], v.values["event"]) })
}
