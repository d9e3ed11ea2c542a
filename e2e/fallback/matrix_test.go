package fallback

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// counted is how long events flow in a cell. `make soak` has the full minute.
var counted = seconds("TELEPATH_CELL_SECONDS", 5)

// TestMatrix is every network before every program.
func TestMatrix(t *testing.T) {
	if err := rig.WarmUpChromium(t.Context(), t.TempDir()); err != nil {
		t.Log(err) // each cell will say it again
	}
	for _, n := range networks {
		for _, v := range visitors {
			t.Run(n.name+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				visitCell(t, n, v)
			})
		}
	}
}

func visitCell(t *testing.T, n network, v visitor) {
	c := newCell(t, v.host)
	visit := v.first(t, c, n.cross(t, c))
	if visit.took > n.bound() {
		t.Errorf("the first sample came after %v, want at most %v", visit.took, n.bound())
	}
	if visit.rung != "" && !slices.Contains(n.rungs, visit.rung) {
		t.Errorf("it came on %s, want %v", visit.rung, n.rungs)
	}
	verdict := countEvents(t, visit)
	said := visit.says(t)
	for _, why := range n.named {
		if why.isTold(v.name) && !tells(said, why.failure) {
			t.Errorf("%s is not named in:\n%s", why.failure, said)
		}
	}
	again := visit.again(t)
	if again > secondVisit {
		t.Errorf("on the second visit the first sample came after %v, want at most %v", again, secondVisit)
	}
	t.Logf("first sample after %v, again after %v; %v", visit.took.Round(time.Millisecond), again.Round(time.Millisecond), verdict)
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
	text := os.Getenv(variable)
	if text == "" {
		return time.Duration(otherwise) * time.Second
	}
	d, err := time.ParseDuration(text + "s")
	if err != nil {
		panic(variable + ": " + err.Error())
	}
	return d
}
