package e2e

import (
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
