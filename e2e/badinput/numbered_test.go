package badinput

import (
	"fmt"
	"testing"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// numbered writes the n-th of the events that must all arrive, once and in order, whatever is written between them.
func numbered(t *testing.T, d *program.Program, n int) {
	t.Helper()
	must(t, d.Write(fmt.Sprintf(`{"stream":"good","class":"event","value":"number %d"}`, n)))
}

// expectNumbered waits for the last of them and checks them all.
func expectNumbered(t *testing.T, v *rig.Watcher, last int) {
	t.Helper()
	want := fmt.Sprintf("number %d", last)
	_, err := v.Await(want, 0, patience, func(e rig.Event) bool { return goodEvent(e) && e.String() == want })
	must(t, err)
	events, err := v.Events()
	must(t, err)
	next := 1
	for _, e := range events {
		if e.Type == "gap" && e.Stream == "good" {
			t.Errorf("a gap from %d to %d: %s", e.From, e.To, e.Reason)
		}
		if !goodEvent(e) {
			continue
		}
		if got, want := e.String(), fmt.Sprintf("number %d", next); got != want || e.Seq != uint64(next) {
			t.Fatalf("seq %d: %q came, want %q", e.Seq, got, want)
		}
		next++
	}
}

func goodEvent(e rig.Event) bool { return e.Type == "sample" && e.Stream == "good" && !e.Retained }
