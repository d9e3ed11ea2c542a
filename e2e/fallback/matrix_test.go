package fallback

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/outcome"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// counted is how long events flow in a cell. `make soak` has the full minute.
var counted = seconds("TELEPATH_CELL_SECONDS", 3)

// pagesAtOnce is 1 where `make soak` measures times: a page takes half a processor.
var pagesAtOnce = number("TELEPATH_PAGES_AT_ONCE", 3)

// TestMatrix is every network before every program in a terminal.
func TestMatrix(t *testing.T) { visitAll(t, 6, inView, ofAgent) }

// TestPages is every network before a page. A browser's start takes the whole machine and nobody measures beside it; while
// events are counted in one page, the next one may begin.
func TestPages(t *testing.T) {
	if err := rig.WarmUpChromium(t.Context(), t.TempDir()); err != nil {
		t.Log(err) // each cell will say it again
	}
	visitAll(t, pagesAtOnce, inChromium)
}

// visitAll measures each network before each visitor, so many at a time.
func visitAll(t *testing.T, atATime int, visitors ...visitor) {
	room := make(chan struct{}, atATime)
	for _, n := range networks {
		for _, v := range visitors {
			if n.only != nil && !slices.Contains(n.only, v.name) {
				continue
			}
			t.Run(n.name+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				room <- struct{}{}
				defer func() { <-room }()
				measureCell(t, n, v)
			})
		}
	}
}

func measureCell(t *testing.T, n network, v visitor) {
	row := outcome.Cell{Test: t.Name()}
	outcome.Tell(t, &row, func(failed bool) { row.Failed = failed })
	row.Tries = inTime(t, func(t *testing.T) error {
		if got := visitCell(t, n, v, &row); !got.within(n) {
			return fmt.Errorf("%v, want at most %v and %v", got, slack.Of(n.bound()), slack.Of(secondVisit))
		}
		return nil
	})
}

// visitCell goes through a cell once, checks what happens in it, and returns how long that took. The row tells of it.
func visitCell(t *testing.T, n network, v visitor, row *outcome.Cell) times {
	t.Helper()
	c := newCell(t, v.host)
	visit := v.first(t, c, n.cross(t, c))
	if visit.rung != "" { // an agent's is not known to the viewer
		checkRung(t, n, visit)
	}
	verdict := countEvents(t, visit)
	said := visit.says(t)
	for _, failure := range n.named {
		if !tells(said, failure) {
			t.Errorf("%s is not named in:\n%s", failure, said)
		}
	}
	if !slices.Contains(n.named, "tls-intercepted") && tells(said, "tls-intercepted") {
		t.Errorf("nobody opens TLS here, and yet it says:\n%s", said)
	}
	got := times{visit.took, visit.again(t)}
	row.First, row.Again, row.Rung = got.first, got.again, visit.rung
	row.Sent, row.Lost, row.Repeated, row.Disorder, row.InGaps = verdict.Sent, verdict.Lost, verdict.Twice, verdict.Disorder, verdict.InGaps
	t.Logf("%v; %v", got, verdict)
	return got
}

// times are those of a cell's first samples.
type times struct{ first, again time.Duration }

func (got times) String() string {
	return fmt.Sprintf("first sample after %v, again after %v", got.first.Round(time.Millisecond), got.again.Round(time.Millisecond))
}

func (got times) within(n network) bool {
	return got.first <= slack.Of(n.bound()) && got.again <= slack.Of(secondVisit)
}

// climbWithin is how long a link may be on a lower rung than the network lets through: that it was faster is known at once,
// the better one has 2 s from then on (docs/protocol.md, section 6.8), and a loaded machine a moment more.
const climbWithin = 4 * time.Second

// checkRung: the first sample comes on what works, whichever is faster, and then the link is on the best of it.
func checkRung(t *testing.T, n network, v *visit) {
	t.Helper()
	if !n.lets(v.rung) {
		t.Errorf("the first sample came on %s, which does not get through here", v.rung)
	}
	if slices.Contains(n.rungs, v.rung) {
		return
	}
	began := time.Now()
	_, err := v.watcher.Await("better path", 0, climbWithin, func(e rig.Event) bool {
		return e.Type == "path" && slices.Contains(n.rungs, e.Path)
	})
	if err != nil {
		t.Errorf("the first sample came on %s, and then no path was one of %v: %v", v.rung, n.rungs, err)
	}
	t.Logf("the first sample came on %s, the link was on one of %v %v later", v.rung, n.rungs, time.Since(began).Round(time.Millisecond))
}

// countEvents lets events flow for a while and closes the book on them.
func countEvents(t *testing.T, v *visit) ledger.Verdict {
	t.Helper()
	events := rig.StartProducer(v.agent, 1)
	t.Cleanup(events.Stop)
	time.Sleep(counted)
	verdict, err := events.Settle(v.watcher, 1)
	if err != nil {
		t.Error(err)
	}
	if want := int(counted / (100 * time.Millisecond)); verdict.Delivered < want || !verdict.OK() {
		t.Errorf("%v: want at least %d, all of them, once, in order", verdict, want)
	}
	return verdict
}

// wordsOf is a failure's reason in the table that all programs take it from.
func wordsOf(failure string) string {
	text, err := os.ReadFile("../../peer/carrier/failures.json")
	if err != nil {
		panic(err)
	}
	var table map[string]struct{ Reason string }
	if err := json.Unmarshal(text, &table); err != nil {
		panic(err)
	}
	if table[failure].Reason == "" {
		panic("no failure is called " + failure)
	}
	return table[failure].Reason
}

// seconds is a time that the environment may set.
func seconds(variable string, otherwise int) time.Duration {
	return time.Duration(number(variable, otherwise)) * time.Second
}

// number is what the environment says, if it says something.
func number(variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		panic(variable + " is no number from 1 on: " + text)
	}
	return n
}
