package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// shotsVariable names a folder where pictures stay that somebody wants to look at.
const shotsVariable = "TELEPATH_SHOTS"

// shoots takes a picture of the page.
func (p person) shoots(name string) {
	p.t.Helper()
	dir := os.Getenv(shotsVariable)
	if dir == "" {
		dir = p.t.TempDir()
	}
	file := filepath.Join(dir, name+".png")
	mark := p.page.Mark()
	must(p.t, p.page.Write("shot "+file))
	_, err := p.page.Await("a picture", mark, 30*time.Second, func(e rig.Event) bool { return e.Type == "shot" })
	must(p.t, err)
	if info, err := os.Stat(file); err != nil || info.Size() == 0 {
		p.t.Errorf("%s: %v", file, err)
	}
}

// moves does something until the rover moves. A page that had no processor for 150 ms has let go: then the hand does, too, and
// comes again.
func (p person) moves(stream, begin, end string) {
	p.t.Helper()
	for range presses {
		mark := p.judge.Mark()
		p.does(begin)
		if p.waits(pressTime, mark, moves(stream)) {
			return
		}
		p.does(end)
	}
	p.t.Fatalf("%s: the rover does not move; the page says: %s", begin, p.reads())
}

// A finger on the stick of a small screen drives the rover, and so does a game pad; the finger that is lifted, the stick that is let
// go and the pad that is unplugged end it.
func TestDrivesByTouchAndPad(t *testing.T) {
	w := newLoneWorld(t)
	w.startDevice(t, "machine", "--source", "machine")
	judge := w.judge(t, "machine", append([]string{"--stream", roverTurn}, roverDriven...)...)
	p := person{t, w.browse(t, "machine", "--width=360", "--height=900"), judge}
	p.does("click Take control")
	p.finds("You have control")
	p.does("into view Hold to drive")

	p.moves(roverSpeed, "touch 0 -50", "touch")
	p.does("touch 50 -10")
	_, err := judge.Await("a turn", 0, 5*time.Second, moves(roverTurn))
	must(t, err)
	p.shoots("touch-360")
	isSafe(t, judge, roverSpeed, "the finger is lifted", p.does("touch"))

	p.does("width 1440")
	p.does("pad 0 0") // it counts from when it was seen at rest
	time.Sleep(100 * time.Millisecond)
	p.moves(roverSpeed, "pad 0 -1", "pad 0 0")
	p.does("into view Hold to drive")
	p.shoots("pad-1440")
	isSafe(t, judge, roverSpeed, "the pad's stick is let go", p.does("pad 0 0"))
	p.moves(roverSpeed, "pad 0.2 1", "pad 0 0")
	isSafe(t, judge, roverSpeed, "the pad is unplugged", p.does("pad"))
	p.finds("Released: the game pad was unplugged.")
}
