package e2e

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// The promises of a tab that is loaded again.
const (
	newestAgain = time.Second     // from the reload to the newest value of a Live stream, beside loading the page itself
	eventsAgain = 5 * time.Second // from the reload to an Event that was made after it
)

// A tab is loaded again and again while Events come: each time it shows what it had, goes on behind it, and misses nothing
// of what came while it was away.
func TestTabIsReloaded(t *testing.T) {
	w := newWorld(t)
	device := w.startDevice(t, "board", "--source", "stdin", "--source", "sim,rate=20")
	declareLog(t, device)
	v := w.browse(t, "board")
	events := rig.ProduceEvery(device, 1, 20*time.Millisecond)
	t.Cleanup(events.Stop)
	_, err := v.Await("an event", 0, 10*time.Second, isNumber(1))
	must(t, err)

	life := 0
	for range 3 {
		time.Sleep(1500 * time.Millisecond)
		life = reload(t, v, events)
	}
	verdict, err := events.SettleLife(v, 1, life)
	must(t, err)
	t.Log(verdict)
	if !verdict.OK() {
		t.Error("events were lost, repeated, reordered or harmed")
	}
	checkShown(t, v, events.Count())
}

// reload loads the tab again and returns where its new life begins among its events.
func reload(t *testing.T, v *rig.Watcher, events *rig.Producer) int {
	t.Helper()
	mark := v.Mark()
	made := events.Count()
	must(t, v.Write("reload"))
	began, err := v.Await("reload", mark, 10*time.Second, func(e rig.Event) bool { return e.Type == "reload" })
	must(t, err)
	load, err := v.Await("a new document", v.MarkOf(began), 10*time.Second, func(e rig.Event) bool { return e.Type == "load" })
	must(t, err)
	life := v.MarkOf(load)
	newest, err := v.Await("a live value", life, 10*time.Second, func(e rig.Event) bool {
		return e.Type == "sample" && e.Class == "live" && !e.Restored
	})
	must(t, err)
	event, err := v.Await("an event made after the reload", life, eventsAgain, isNumber(made+1))
	must(t, err)
	ready, err := v.Await("the device's page", life, 10*time.Second, func(e rig.Event) bool { return e.Type == "ready" })
	must(t, err)
	t.Logf("after the reload: page there %v, newest value %v, Events %v", ready.At.Sub(began.At), newest.At.Sub(began.At), event.At.Sub(began.At))
	if late := newest.At.Sub(ready.At); late > slack.Of(newestAgain) {
		t.Errorf("the newest value came %v after the page was there, want at most %v", late, newestAgain)
	}
	return life
}
