package e2e

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// A device whose firewall lets nothing in that it has not asked for is met on its network all the same: it sends first. A browser
// hides its addresses under names that are asked for by multicast, and the answers do not come in either; that they meet is
// owed to the server, which tells the browser the address that it has seen, and the device by it.
func TestFirewallOfTheDevice(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			w := newWorld(t)
			must(t, w.dev.DenyInbound())
			device := w.startDevice(t, "board", "--source", "stdin", "--source", "sim,rate=20")
			declareLog(t, device)
			v := kind.start(t, w, "board")
			_, err := v.AwaitSample("", 0, firstPath)
			must(t, err)
			events := startProducer(t, device, 1)
			_, err = v.AwaitPath("udp", 0, firstPath)
			must(t, err)
			_, err = v.AwaitSample("udp", 0, firstPath)
			must(t, err)
			time.Sleep(3 * time.Second)
			verdict := settle(t, events, v, 1)
			t.Log(verdict)
			if !verdict.OK() {
				t.Error("events were lost, repeated, reordered or harmed")
			}
			if path, err := lastPath(v); err != nil || path != "udp" {
				t.Errorf("in the end it is on %q, %v", path, err)
			}
		})
	}
}

// lastPath is the rung that a viewer named last.
func lastPath(v *rig.Watcher) (rung string, err error) {
	events, err := v.Events()
	for _, e := range events {
		if e.Type == "path" {
			rung = e.Path
		}
	}
	return rung, err
}
