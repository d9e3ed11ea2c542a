package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// The code in the printed URL opens one session and no second one.
func TestLoginCodeIsForOneUse(t *testing.T) {
	w := newWorld(t)
	w.startDevice(t, "board", "--source", "host")
	w.browse(t, "board") // takes the code

	second, err := w.Browse(w.view, w.server.LoginURL, "board")
	must(t, err)
	endWith(t, "second Chromium", second.Program)
	opened, err := second.Await("page of the device", 0, 30*time.Second, func(e rig.Event) bool { return e.Type == "ready" || e.Type == "error" })
	must(t, err)
	if opened.Type == "ready" {
		t.Error("the same code opened a second session")
	}
}

// The server's own page and its health are there for everybody, telemetry is not.
func TestWithoutATokenThereIsNoList(t *testing.T) {
	w := newWorld(t)
	p, err := w.Start(w.view, programSpec(w.Bin+"/telepath", "devices", "--json", "--server", w.URL))
	must(t, err)
	endWith(t, "devices", p)
	code, err := p.Wait(10 * time.Second)
	must(t, err)
	if code == 0 {
		t.Errorf("`telepath devices` without a token succeeded:\n%s", p.Tail(10))
	}
}

// awaitLive waits until the device is there for viewers.
func (w *world) awaitLive(t *testing.T, name string) {
	t.Helper()
	eventually(t, name+" is listed as live", 10*time.Second, func() error { return w.isLive(name) })
}

// isLive says, as an error, if `telepath devices` does not list the device as live.
func (w *world) isLive(name string) error {
	p, err := w.StartTelepath(w.view, nil, "devices", "--json")
	if err != nil {
		return err
	}
	defer p.Kill()
	if code, err := p.Wait(10 * time.Second); code != 0 || err != nil {
		return fmt.Errorf("telepath devices: exit %d, %v: %s", code, err, p.Tail(5))
	}
	for line := range strings.Lines(p.Output()) {
		var e rig.Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Device == name && e.State == "live" {
			return nil
		}
	}
	return fmt.Errorf("%s is not live in: %s", name, p.Output())
}
