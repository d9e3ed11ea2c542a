package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/control"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const (
	// safeWithin is the promise: from the last valid heartbeat until everything is safe.
	safeWithin = control.DefaultDeadman + 100*time.Millisecond
	// pressTime is how long somebody holds what moves nothing, before he lets go and begins again.
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

// input is a way to hold the rover's stick, forward, and to let go of it.
type input struct{ hold, letGo string }

var (
	upKey   = input{"key down ArrowUp", "key up ArrowUp"}
	downKey = input{"key down ArrowDown", "key up ArrowDown"}
	thumb   = input{"touch down 0 0.9", "touch up"}
	padUp   = input{"pad axes 0 -1", "pad axes 0 0"}
	rawUp   = input{"pad axes 0 0 0 1", "pad axes 0 0 0 0"} // the axis that the page is told points the other way
)

// Somebody takes control in a browser and drives: by the keyboard, with a game pad, and with his thumbs on a phone. Whatever ends
// his hand ends what moves. The device's telemetry says so, whatever the page believes.
func TestDrivesByHand(t *testing.T) {
	w := newLoneWorld(t)
	w.startDevice(t, "machine", "--source", "machine")
	judge := w.judge(t, "machine", roverDriven...)
	p := person{t, w.browse(t, "machine", "--hands"), judge}
	p.does("click Take control")
	_, err := judge.Await("a holder", 0, 10*time.Second, func(e rig.Event) bool {
		return e.Type == "sample" && e.Stream == "control/holder" && e.String() != ""
	})
	must(t, err)
	p.finds("You have control")

	for _, hand := range []struct {
		name string
		test func(person)
	}{{"keyboard", drivesByTheKeyboard}, {"game pad", drivesByAPad}, {"touch", drivesByTouch}} {
		t.Run(hand.name, func(t *testing.T) { hand.test(person{t, p.page, p.judge}) })
	}
}

// A key let go, a hidden tab, another one in front of it, a page that hangs, Esc.
func drivesByTheKeyboard(p person) {
	p.drives(upKey)
	_, err := p.judge.Await("another place", 0, 10*time.Second, moves("rover/x"))
	must(p.t, err)
	p.does(upKey.letGo)

	p.ends(upKey, ending{does: upKey.letGo})
	p.ends(upKey, ending{does: "hide", undo: "show", says: "Released: the page was hidden."})
	p.ends(upKey, ending{does: "cover", undo: "uncover", says: "Released: the page lost focus."})
	p.ends(upKey, ending{does: "hang 1500"})

	p.stops(downKey, "key press Escape")
	for _, said := range []string{"Stopped by", "Safe within", "Stopped: reset it first."} {
		p.finds(said)
	}
	p.doesNotMove(upKey, "it is stopped")
	p.resets()
	p.finds("Hold to drive")
	p.ends(upKey, ending{does: upKey.letGo})
}

// A stick that is let go, one within its dead zone, a pad that is unplugged or comes with its stick held; one that numbers its
// axes in its own way.
func drivesByAPad(p person) {
	p.does("pad plug standard 0 0")
	p.finds("Inputs: Fake pad (standard)")
	p.doesNotMove(input{"pad axes 0.08 -0.1", padUp.letGo}, "the stick is within its dead zone")
	p.ends(padUp, ending{does: padUp.letGo})
	p.ends(padUp, ending{does: "pad unplug", undo: "pad plug standard 0 0", says: "Released: the game pad was unplugged."})
	p.ends(padUp, ending{does: padUp.letGo})
	p.does("pad unplug")
	p.doesNotMove(input{"pad plug standard 0 -1", "pad unplug"}, "the pad came with its stick held")

	p.does("mapping raw 2 3")
	p.does("pad plug raw 0 0 0 0")
	p.doesNotMove(padUp, "that axis does not count")
	p.ends(rawUp, ending{does: rawUp.letGo})
	p.does("pad unplug")
}

// A thumb that is lifted, or taken away by the system; one that slips off the stick, which scrolls nothing; a stop by the other one.
func drivesByTouch(p person) {
	p.does("phone 360 740")
	p.does("key press c") // what was beside everything else would lie over it
	p.ends(thumb, ending{does: thumb.letGo})
	p.ends(thumb, ending{does: "touch cancel"})

	p.steers(thumb, "touch move 2 -1.2")
	p.stops(thumb, "touch press Stop")
	p.resets()
}
