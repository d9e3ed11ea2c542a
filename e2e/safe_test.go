package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// keyEvery is how often a terminal repeats a key that is held.
const keyEvery = 30 * time.Millisecond

// holds types a key, as if somebody held it, until the test ends or the result is called.
func holds(t *testing.T, terminal *program.Program, key string) (letGo func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(keyEvery); ; {
			select {
			case <-tick.C:
				if terminal.Write(key) != nil {
					return // it is gone
				}
			case <-stop:
				tick.Stop()
				return
			}
		}
	}()
	letGo = func() { close(stop); <-done }
	t.Cleanup(func() {
		select {
		case <-done:
		default:
			letGo()
		}
	})
	return letGo
}

// drive drives the device with the first axis' key, on host view.
func (w *world) drive(t *testing.T, device string) {
	t.Helper()
	terminal, err := w.Drive(w.view, "operator", device)
	must(t, err)
	endWith(t, "drive", terminal)
	holds(t, terminal, "w")
}

// actuator is an axis that a program sets and another makes safe: both write down when, and that is what counts.
type actuator struct{ ledger, config string }

func newActuator(t *testing.T) actuator {
	t.Helper()
	dir := t.TempDir()
	a := actuator{filepath.Join(dir, "ledger"), filepath.Join(dir, "control.yaml")}
	script := filepath.Join(dir, "motor")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\necho \"$(date +%s%N) $*\" >>"+a.ledger+"\n"), 0o755))
	must(t, os.WriteFile(a.config, fmt.Appendf(nil, `name: rover
exec:
  safe: [%s, safe]
  axes:
    - {name: speed, min: -1, max: 1, set: [%s, set, "{value}"]}
`, script, script), 0o600))
	return a
}

// entry is a line of an actuator's ledger.
type entry struct {
	at   time.Time
	safe bool
}

func (a actuator) entries(t *testing.T) (all []entry) {
	t.Helper()
	data, err := os.ReadFile(a.ledger)
	if !errors.Is(err, fs.ErrNotExist) { // nothing was done yet
		must(t, err)
	}
	for line := range strings.Lines(string(data)) {
		when, what, ok := strings.Cut(strings.TrimSpace(line), " ")
		ns, err := strconv.ParseInt(when, 10, 64)
		if !ok || err != nil {
			continue // it was killed while it wrote
		}
		all = append(all, entry{time.Unix(0, ns), what == "safe" || what == "set 0"})
	}
	return all
}

// awaitMoving waits until it was set to something that is not safe.
func (a actuator) awaitMoving(t *testing.T, judged func() string) {
	t.Helper()
	for end := time.Now().Add(slack.Of(15 * time.Second)); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if all := a.entries(t); len(all) > 0 && !all[len(all)-1].safe {
			return
		}
	}
	t.Fatalf("it does not move:\n%s", judged())
}

// becameSafe checks that nothing moves any more so soon after something happened.
func (a actuator) becameSafe(t *testing.T, what string, since time.Time) {
	t.Helper()
	time.Sleep(time.Until(since.Add(slack.Of(safeWithin) + 500*time.Millisecond)))
	var safe time.Time
	for _, e := range a.entries(t) {
		switch {
		case !e.safe:
			safe = time.Time{}
		case safe.IsZero():
			safe = e.at
		}
	}
	took := safe.Sub(since).Round(time.Millisecond)
	t.Logf("%s: safe %v after it", what, took)
	if most := slack.Of(safeWithin); safe.IsZero() || took > most {
		t.Errorf("%s: safe at %v, %v after it, want at most %v", what, safe, took, most)
	}
}

// Somebody drives in a terminal, and all his paths are cut: what moves is safe soon after, as the actuator's own book says. What else
// may become of a hand is in e2e/safety.
func TestSafeWithoutAHand(t *testing.T) {
	w, a := newWorld(t), newActuator(t)
	agent := w.startDevice(t, "rover", "--control", a.config)
	w.drive(t, "rover")
	a.awaitMoving(t, func() string { return agent.Tail(20) })
	time.Sleep(time.Second) // it moves on: the guard watches, and both paths carry
	a.awaitMoving(t, func() string { return agent.Tail(20) })
	since := time.Now()
	must(t, w.view.Unplug())
	a.becameSafe(t, "all paths are cut", since)
}
