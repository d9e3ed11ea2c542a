package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

const (
	// safeWithin is the promise: from the last valid heartbeat until everything is safe.
	safeWithin = control.DefaultDeadman + 100*time.Millisecond
	// pressTime is how long somebody holds a key who sees nothing move, before he lets go and presses again.
	pressTime = 2 * time.Second
	presses   = 8
)

const roverSpeed = "control/rover-speed"

// roverDriven are what the device itself publishes of its rover: the judge of everything that is done here.
var roverDriven = []string{"--stream", "control/*", "--stream", "rover/x", "--stream", hornStream}

// judge watches the device from a host whose network nobody touches.
func (w *world) judge(t *testing.T, device string, args ...string) *rig.Watcher {
	t.Helper()
	v, err := w.View(w.srv, device, args...)
	must(t, err)
	endWith(t, "the judge's view", v.Program)
	return v
}

// at is a sample's time by the device's clock, which is this machine's.
func at(e rig.Event) time.Time { return time.UnixMicro(int64(e.T * 1e6)) }

func number(e rig.Event) float64 {
	v, err := strconv.ParseFloat(string(e.Value), 64)
	if err != nil {
		return 0
	}
	return v
}

// moves matches a fresh sample of a stream that is not neutral.
func moves(stream string) func(rig.Event) bool {
	return func(e rig.Event) bool { return e.Type == "sample" && e.Stream == stream && number(e) != 0 }
}

// rested is since when an axis is neutral, by the device's own word and clock; false: it is not.
func rested(t *testing.T, judge *rig.Watcher, stream string) (since time.Time, ok bool) {
	t.Helper()
	events, err := judge.Events()
	must(t, err)
	for _, e := range events {
		switch {
		case e.Type != "sample" || e.Stream != stream:
		case number(e) != 0:
			ok = false
		case !ok:
			since, ok = at(e), true
		}
	}
	return since, ok
}

// person is somebody at the page of a machine.
type person struct {
	t     *testing.T
	page  *rig.Watcher
	judge *rig.Watcher
}

// does has him do something, and returns when he began.
func (p person) does(what string) time.Time {
	p.t.Helper()
	mark := p.page.Mark()
	must(p.t, p.page.Write(what))
	began, err := p.page.Await(what, mark, 30*time.Second, func(e rig.Event) bool { return e.Type == "does" && e.Text == what })
	must(p.t, err)
	_, err = p.page.Await("the end of "+what, mark, 30*time.Second, func(e rig.Event) bool { return e.Type == "did" && e.Text == what })
	must(p.t, err)
	return began.At
}

// drives holds a key until the rover moves. A page that had no processor for 150 ms has let go: then he does, too, and presses
// again.
func (p person) drives(key string) {
	p.t.Helper()
	for range presses {
		mark := p.judge.Mark()
		p.does("key down " + key)
		if p.waits(pressTime, mark, moves(roverSpeed)) {
			return
		}
		p.does("key up " + key)
	}
	p.t.Fatalf("the rover does not move; the page says: %s", p.reads())
}

func (p person) waits(most time.Duration, mark int, match func(rig.Event) bool) bool {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		events, err := p.judge.Events()
		must(p.t, err)
		for _, e := range events[mark:] {
			if match(e) {
				return true
			}
		}
	}
	return false
}

// reads is what the page says of control.
func (p person) reads() string {
	p.t.Helper()
	mark := p.page.Mark()
	must(p.t, p.page.Write("control"))
	said, err := p.page.Await("what it says of control", mark, 30*time.Second, func(e rig.Event) bool { return e.Type == "control" })
	must(p.t, err)
	return said.Text
}

// finds waits until the page says something.
func (p person) finds(parts ...string) {
	p.t.Helper()
	var text string
	for end := time.Now().Add(slack.Of(5 * time.Second)); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if text = p.reads(); hasAll(text, parts) {
			return
		}
	}
	p.t.Errorf("the page does not say %q: %s", parts, text)
}

// isSafe checks that an axis came to rest so soon after something happened, and stays there.
func isSafe(t *testing.T, judge *rig.Watcher, stream, what string, since time.Time) {
	t.Helper()
	time.Sleep(time.Until(since.Add(safeWithin + 200*time.Millisecond))) // and what is on its way comes
	rest, ok := rested(t, judge, stream)
	for end := time.Now().Add(slack.Of(2 * time.Second)); !ok && time.Now().Before(end); rest, ok = rested(t, judge, stream) {
		time.Sleep(20 * time.Millisecond)
	}
	took := rest.Sub(since).Round(time.Millisecond)
	t.Logf("%s: at rest %v after it", what, took)
	if most := slack.Of(safeWithin); !ok || took > most {
		t.Errorf("%s: at rest (%v) after %v, want at most %v", what, ok, took, most)
	}
}

// Somebody takes control in a browser and drives by the keyboard. Whatever ends his hand ends what moves: the key let go, Esc,
// a hidden tab, another one in front of it, a page that hangs. The device's telemetry says so, whatever the page believes.
func TestDrivesByTheKeyboard(t *testing.T) {
	w := newLoneWorld(t)
	w.startDevice(t, "machine", "--source", "machine")
	judge := w.judge(t, "machine", roverDriven...)
	p := person{t, w.browse(t, "machine"), judge}
	p.does("click Take control")
	_, err := judge.Await("a holder", 0, 10*time.Second, func(e rig.Event) bool {
		return e.Type == "sample" && e.Stream == "control/holder" && e.String() != ""
	})
	must(t, err)
	p.finds("You have control")

	p.drives("ArrowUp")
	_, err = judge.Await("another place", 0, 10*time.Second, moves("rover/x"))
	must(t, err)
	isSafe(t, judge, roverSpeed, "key up", p.does("key up ArrowUp"))

	for _, end := range []struct{ away, back, says string }{
		{"hide", "show", "Released: the page was hidden."},
		{"cover", "uncover", "Released: the page lost the focus."},
		{"hang 1500", "", ""},
	} {
		p.drives("ArrowUp")
		isSafe(t, judge, roverSpeed, end.away, p.does(end.away))
		if end.back != "" {
			p.does(end.back)
			p.finds(end.says)
		}
		p.does("key up ArrowUp")
	}

	p.drives("ArrowDown")
	isSafe(t, judge, roverSpeed, "Esc", p.does("key press Escape"))
	_, err = judge.Await("the stop", 0, 10*time.Second, isControl("stopped", "true"))
	must(t, err)
	p.finds("Stopped by", "Safe within", "Stopped: reset it first.")
	p.does("key up ArrowDown")
	mark := judge.Mark()
	p.does("key down ArrowUp")
	time.Sleep(500 * time.Millisecond)
	p.does("key up ArrowUp")
	if p.waits(0, mark, moves(roverSpeed)) {
		t.Error("it moves while it is stopped")
	}
	p.does("hold 1300 Hold to reset")
	_, err = judge.Await("the reset", mark, 10*time.Second, isControl("stopped", "false"))
	must(t, err)
	p.finds("Hold to drive")
	p.drives("ArrowUp")
	p.does("key up ArrowUp")
}
