package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// What the badge calls the rungs of a link over HTTP.
var badges = map[string]string{"sse": "Relay · event stream", "poll": "Relay · long polling"}

// A page that is kept to one rung of the relay shows live data on it, says so, and loses or repeats no event.
func TestPageOnEachRung(t *testing.T) {
	for rung, badge := range badges {
		t.Run(rung, func(t *testing.T) {
			w := newWorld(t)
			device := w.startDevice(t, "board", "--source", "sim,rate=20", "--source", "stdin")
			declareLog(t, device)
			w.server.LoginURL = strings.Replace(w.server.LoginURL, "#", "?only="+rung+"#", 1)
			v := w.browse(t, "board")
			path, err := v.AwaitPath(rung, 0, firstPath)
			must(t, err)
			if !strings.HasPrefix(path.Text, badge) {
				t.Errorf("the badge says %q, want %q", path.Text, badge)
			}
			events := startProducer(t, device, 1)
			_, err = v.AwaitSample(rung, v.Mark(), 10*time.Second)
			must(t, err)
			time.Sleep(3 * time.Second)
			verdict := settle(t, events, v, 1)
			t.Log(verdict)
			if !verdict.OK() {
				t.Error("events were lost, repeated, reordered or harmed")
			}
			checkShown(t, v, events.Count())
			checkRung(t, v, rung)
		})
	}
}

// checkRung: no sample came, and no path was named, on another rung.
func checkRung(t *testing.T, v *rig.Watcher, rung string) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	for _, e := range events {
		if (e.Type == "sample" || e.Type == "path") && e.Path != rung && e.Path != "" {
			t.Fatalf("a %s on %s, though the page was kept to %s", e.Type, e.Path, rung)
		}
	}
}
