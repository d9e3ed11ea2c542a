package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// person is somebody at the page of a machine.
type person struct {
	t     *testing.T
	page  *rig.Watcher
	judge *rig.Watcher
}

// does has him do something, and returns when he began.
func (p person) does(what string) time.Time {
	p.t.Helper()
	began, _ := p.did(what)
	return began.At
}

// asks has the page say a number.
func (p person) asks(what string) float64 {
	p.t.Helper()
	_, did := p.did(what)
	return number(did)
}

func (p person) did(what string) (began, ended rig.Event) {
	p.t.Helper()
	began, ended, err := p.page.Does(what)
	must(p.t, err)
	return began, ended
}

// tooBusy is what a page says that had no processor for 150 ms: it has let go, as it must.
const tooBusy = "Released: this page was too busy to see the hand."

// drives holds an input until the rover moves. A page that was too busy has let go: then he does, too, and begins again.
func (p person) drives(in input) {
	p.t.Helper()
	for range presses {
		mark := p.judge.Mark()
		p.does(in.hold)
		if p.waits(pressTime, mark, moves(roverSpeed)) {
			return
		}
		p.does(in.letGo)
	}
	p.t.Fatalf("the rover does not move; the page says: %s", p.reads())
}

// doesNotMove holds an input that moves nothing, for a reason.
func (p person) doesNotMove(in input, why string) {
	p.t.Helper()
	mark := p.judge.Mark()
	p.does(in.hold)
	time.Sleep(500 * time.Millisecond)
	p.does(in.letGo)
	if p.waits(0, mark, moves(roverSpeed)) {
		p.t.Errorf("it moves, though %s", why)
	}
}

// ending is what ends a hand that holds something.
type ending struct {
	does string
	undo string // what has to be done before the hand can come again
	says string // what the page says of it, then
}

// ends holds an input, and ends that while the rover moves: it is safe soon after.
func (p person) ends(in input, by ending) {
	p.t.Helper()
	for range presses {
		p.drives(in)
		ended := p.comesToRest(by.does, p.does(by.does))
		if by.undo != "" {
			p.does(by.undo)
		}
		if ended && by.says != "" {
			ended = !strings.Contains(p.finds(by.says, tooBusy), tooBusy)
		}
		if by.does != in.letGo {
			p.does(in.letGo)
		}
		if ended {
			return
		}
	}
	p.t.Fatalf("each time the page let go before %q; it says: %s", by.does, p.reads())
}

// stops holds an input, and stops the machine while the rover moves.
func (p person) stops(in input, does string) {
	p.t.Helper()
	for range presses {
		p.drives(in)
		since := p.does(does)
		ended := p.comesToRest(does, since)
		_, err := p.judge.Await("the stop", 0, 10*time.Second, func(e rig.Event) bool {
			return isControl("stopped", "true")(e) && at(e).After(since)
		})
		must(p.t, err)
		p.does(in.letGo)
		if ended {
			return
		}
		p.resets()
	}
	p.t.Fatalf("each time the page let go before %q; it says: %s", does, p.reads())
}

// steers holds an input and moves it until the rover turns. What it does is the page's to count, which must not scroll under it.
func (p person) steers(in input, moved string) {
	p.t.Helper()
	for range presses {
		p.drives(in)
		before, mark := p.asks("scrolled"), p.judge.Mark()
		p.does(moved)
		turned := p.waits(pressTime, mark, moves("control/rover-turn"))
		if after := p.asks("scrolled"); after != before {
			p.t.Errorf("the page has scrolled from %v to %v under %s", before, after, moved)
		}
		p.does(in.letGo)
		if turned {
			return
		}
	}
	p.t.Fatalf("%s does not turn the rover; the page says: %s", moved, p.reads())
}

// resets holds the button for it.
func (p person) resets() {
	p.t.Helper()
	mark := p.judge.Mark()
	p.does("hold 1300 Hold to reset")
	_, err := p.judge.Await("the reset", mark, 10*time.Second, isControl("stopped", "false"))
	must(p.t, err)
}

// comesToRest checks that the rover is safe so soon after something happened, and stays there. False: it was at rest already, since the
// page had let go before.
func (p person) comesToRest(what string, since time.Time) bool {
	p.t.Helper()
	time.Sleep(time.Until(since.Add(safeWithin + 200*time.Millisecond))) // and what is on its way comes
	rest, ok := p.rested()
	for end := time.Now().Add(slack.Of(2 * time.Second)); !ok && time.Now().Before(end); rest, ok = p.rested() {
		time.Sleep(20 * time.Millisecond)
	}
	took := rest.Sub(since).Round(time.Millisecond)
	if ok && took <= 0 {
		p.t.Logf("%s: it was at rest already", what)
		return false
	}
	p.t.Logf("%s: at rest %v after it", what, took)
	if most := slack.Of(safeWithin); !ok || took > most {
		p.t.Errorf("%s: at rest (%v) after %v, want at most %v", what, ok, took, most)
	}
	return true
}

// rested is since when the rover does not move, by the device's own word and clock; false: it does.
func (p person) rested() (since time.Time, ok bool) {
	p.t.Helper()
	events, err := p.judge.Events()
	must(p.t, err)
	for _, e := range events {
		switch {
		case e.Type != "sample" || e.Stream != roverSpeed:
		case number(e) != 0:
			ok = false
		case !ok:
			since, ok = at(e), true
		}
	}
	return since, ok
}

func (p person) waits(most time.Duration, mark int, match func(rig.Event) bool) bool {
	p.t.Helper()
	for end := time.Now().Add(most); ; time.Sleep(10 * time.Millisecond) {
		events, err := p.judge.Events()
		must(p.t, err)
		for _, e := range events[mark:] {
			if match(e) {
				return true
			}
		}
		if time.Now().After(end) {
			return false
		}
	}
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

// finds waits until the page says one of several things, and returns all that it says.
func (p person) finds(any ...string) string {
	p.t.Helper()
	var text string
	for end := time.Now().Add(slack.Of(5 * time.Second)); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		text = p.reads()
		for _, part := range any {
			if strings.Contains(text, part) {
				return text
			}
		}
	}
	p.t.Errorf("the page does not say %q: %s", any, text)
	return text
}
