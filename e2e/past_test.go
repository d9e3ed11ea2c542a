package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// What a device made while nobody watched, before it was killed and after, is there for who comes: from the spool, behind
// what is live, without a hole but the one that the kill may have torn.
func TestThePastIsThere(t *testing.T) {
	for name, come := range map[string]func(t *testing.T, w *world) *rig.Watcher{
		"terminal": func(t *testing.T, w *world) *rig.Watcher { return w.watch(t, "board", "--since", "5m") },
		"Chromium": func(t *testing.T, w *world) *rig.Watcher { return w.browse(t, "board") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			device := w.startDevice(t, "board", "--source", "sim,rate=50")
			time.Sleep(3 * time.Second)
			device.Kill()
			<-device.Ended()
			w.startDevice(t, "board", "--source", "sim,rate=50")
			time.Sleep(2 * time.Second)
			checkPast(t, come(t, w))
		})
	}
}

// checkPast waits until what is live continues what is past, and both runs are whole.
func checkPast(t *testing.T, v *rig.Watcher) {
	t.Helper()
	var whole, why string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		events, err := v.Events()
		must(t, err)
		if whole, why = wholeRuns(events); whole != "" {
			t.Log(whole)
			return
		}
	}
	t.Error(why)
}

// wholeRuns describes the two runs if of the first one at least 2 s are there and of the second all up to the newest live sample.
func wholeRuns(events []rig.Event) (whole, why string) {
	came, newest, live := map[string]map[uint64]bool{}, map[string]uint64{}, ""
	past := 0
	for _, e := range events {
		if e.Type != "sample" || e.Retained {
			continue
		}
		if came[e.Epoch] == nil {
			came[e.Epoch] = map[uint64]bool{}
		}
		came[e.Epoch][e.Seq] = true
		newest[e.Epoch] = max(newest[e.Epoch], e.Seq)
		if e.Past {
			past++
		} else {
			live = e.Epoch
		}
	}
	if live == "" || len(came) != 2 {
		return "", fmt.Sprintf("%d runs came, %d samples of the past, live is %q", len(came), past, live)
	}
	for epoch, seqs := range came {
		if n := uint64(len(seqs)); n != newest[epoch] || n < 100 {
			return "", fmt.Sprintf("of run %s came %d samples up to %d", epoch, n, newest[epoch])
		}
	}
	return fmt.Sprintf("%d of this run, %d from the past in all", len(came[live]), past), ""
}
