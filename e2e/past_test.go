package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// What a device made while nobody watched, before it was killed and after, is there for who comes: from the spool, behind
// what is live, without a hole but the one that the kill may have torn.
func TestThePastIsThere(t *testing.T) {
	for name, come := range map[string]func(t *testing.T, w *world) *rig.Watcher{
		"terminal": func(t *testing.T, w *world) *rig.Watcher { return w.watch(t, "board", "--since", "5m") },
		"Chromium": func(t *testing.T, w *world) *rig.Watcher { return w.browse(t, "board") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			device := w.startDevice(t, "board", "--source", "sim,rate=50")
			time.Sleep(3 * time.Second)
			device.Kill()
			<-device.Ended()
			w.startDevice(t, "board", "--source", "sim,rate=50")
			time.Sleep(2 * time.Second)
			checkPast(t, come(t, w))
		})
	}
}

// checkPast waits until what is live continues what is past, and both runs are whole.
func checkPast(t *testing.T, v *rig.Watcher) {
	t.Helper()
	var whole, why string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		events, err := v.Events()
		must(t, err)
		if whole, why = wholeRuns(events); whole != "" {
			t.Log(whole)
			return
		}
	}
	t.Error(why)
}

// wholeRuns describes the two runs if of the first one at least 2 s are there and of the second all up to the first live sample.
// What of Live is lost behind that is Live's own business.
func wholeRuns(events []rig.Event) (whole, why string) {
	came, until, live := map[string]map[uint64]bool{}, map[string]uint64{}, ""
	past := 0
	for _, e := range events {
		if e.Type != "sample" || e.Retained {
			continue
		}
		if came[e.Epoch] == nil {
			came[e.Epoch] = map[uint64]bool{}
		}
		came[e.Epoch][e.Seq] = true
		switch {
		case e.Past:
			past++
			if e.Epoch != live {
				until[e.Epoch] = max(until[e.Epoch], e.Seq)
			}
		case e.Epoch != live:
			live, until[e.Epoch] = e.Epoch, e.Seq
		default:
			until[e.Epoch] = min(until[e.Epoch], e.Seq)
		}
	}
	if live == "" || len(came) != 2 {
		return "", fmt.Sprintf("%d runs came, %d samples of the past, live is %q", len(came), past, live)
	}
	for epoch, end := range until {
		for seq := uint64(1); seq <= end; seq++ {
			if !came[epoch][seq] {
				return "", fmt.Sprintf("of run %s sample %d did not come, of the %d in front of what is live or over", epoch, seq, end)
			}
		}
		if end < 50 || epoch != live && end < 100 {
			return "", fmt.Sprintf("of run %s came only %d samples", epoch, end)
		}
	}
	return fmt.Sprintf("%d of this run, %d from the past in all", len(came[live]), past), ""
}

// Events that a device made while the server was away, before it was killed, come from its spool when both are back: each
// once, in order, before those of the next run, for the terminal and for the page.
func TestEventsOutliveTheirProgram(t *testing.T) {
	for _, watcher := range watchers {
		t.Run(watcher.name, func(t *testing.T) {
			w := newWorld(t)
			args := []string{"--source", "stdin", "--only", "ws"}
			device := w.startDevice(t, "board", args...)
			v := w.watchLog(t, device, watcher.start, logLine, isLogLine)

			w.server.Kill()
			for n := 2; n <= 100; n++ {
				must(t, device.Write(logLine(n)))
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(500 * time.Millisecond) // what was made is written within 100 ms
			device.Kill()
			<-device.Ended()
			w.startServer(t)
			again := w.startDevice(t, "board", args...)
			for n := 101; n <= 120; n++ {
				must(t, again.Write(logLine(n)))
			}
			_, err := v.Await("the last event", 0, 30*time.Second, isLogLine(120))
			must(t, err)
			checkLines(t, v, 120)
		})
	}
}

// watchLog watches a board that writes lines, with line 0 before and line 1 behind the viewer, until that has come.
func (w *world) watchLog(t *testing.T, device *program.Program, start func(*testing.T, *world, string) *rig.Watcher, line func(int) string, is func(int) func(rig.Event) bool) *rig.Watcher {
	t.Helper()
	must(t, device.Write(line(0)))
	v := start(t, w, "board")
	_, err := v.AwaitPath("ws", 0, 20*time.Second)
	must(t, err)
	must(t, device.Write(line(1)))
	_, err = v.Await("the first event", 0, 10*time.Second, is(1))
	must(t, err)
	return v
}

// Events of an outage that are more than the device's ring holds come from its spool: each once, in order, between what came
// before it and what is made behind it; nothing is declared missing.
func TestEventsOutlastTheRing(t *testing.T) {
	const last = 2000
	long := strings.Repeat(".", 1000)
	line := func(n int) string { return fmt.Sprintf(`{"stream": "log", "value": "line %d %s"}`, n, long) }
	is := func(n int) func(rig.Event) bool {
		return func(e rig.Event) bool {
			return e.Type == "sample" && !e.Retained && e.Stream == "log" && strings.HasPrefix(string(e.Value), fmt.Sprintf(`"line %d .`, n))
		}
	}
	for _, watcher := range watchers {
		t.Run(watcher.name, func(t *testing.T) {
			w := newWorld(t)
			device := w.startDevice(t, "board", "--source", "stdin", "--only", "ws")
			v := w.watchLog(t, device, watcher.start, line, is)

			w.server.Kill()
			for n := 2; n <= last-20; n++ {
				must(t, device.Write(line(n)))
				time.Sleep(time.Millisecond) // a disk takes it
			}
			w.startServer(t)
			for n := last - 19; n <= last; n++ {
				must(t, device.Write(line(n)))
				time.Sleep(50 * time.Millisecond)
			}
			_, err := v.Await("the last event", 0, 30*time.Second, is(last))
			must(t, err)
			events, err := v.Events()
			must(t, err)
			next := 1
			for _, e := range events {
				switch {
				case e.Type == "gap" && e.Stream == "log":
					t.Errorf("declared missing: %d to %d (%s)", e.From, e.To, e.Reason)
				case e.Type != "sample" || e.Retained || e.Stream != "log" || is(0)(e):
				case !is(next)(e):
					t.Fatalf("%.20s came, want line %d", e.Value, next)
				default:
					next++
				}
			}
		})
	}
}

// A page is loaded again while the device is away, which was killed with Events that nobody had got. What the page's new life
// lacks of that run comes from the spool, before the next one; missing is only what nobody can know of: the end that the kill may have torn.
func TestAReloadedPageGetsTheRestOfAKilledRun(t *testing.T) {
	w := newWorld(t)
	args := []string{"--source", "stdin", "--only", "ws"}
	device := w.startDevice(t, "board", args...)
	must(t, device.Write(logLine(0)))
	v := w.browse(t, "board")
	_, err := v.AwaitPath("ws", 0, 20*time.Second)
	must(t, err)
	must(t, device.Write(logLine(1)))
	first, err := v.Await("the first event", 0, 10*time.Second, isLogLine(1))
	must(t, err)
	time.Sleep(500 * time.Millisecond) // the page's storage has it, 200 ms after it came

	w.server.Kill()
	for n := 2; n <= 100; n++ {
		must(t, device.Write(logLine(n)))
	}
	time.Sleep(500 * time.Millisecond) // what was made is written within 100 ms
	device.Kill()
	<-device.Ended()
	w.startServer(t)
	mark := v.Mark()
	must(t, v.Write("reload"))
	load, err := v.Await("a new document", mark, 20*time.Second, func(e rig.Event) bool { return e.Type == "load" })
	must(t, err)
	again := w.startDevice(t, "board", args...)
	for n := 101; n <= 120; n++ {
		must(t, again.Write(logLine(n)))
	}
	life := v.MarkOf(load)
	_, err = v.Await("the last event", life, 30*time.Second, isLogLine(120))
	must(t, err)
	checkLinesSince(t, v, life, 120)
	checkGapsBehind(t, v, life, first.Epoch, first.Seq+99)
}

// checkGapsBehind says that what was declared missing of a run lies behind a sample of it.
func checkGapsBehind(t *testing.T, v *rig.Watcher, mark int, epoch string, last uint64) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	for _, e := range events[mark:] {
		if e.Type == "gap" && (e.Epoch != epoch || e.From <= last) {
			t.Errorf("declared missing: %s:%d to %d (%s), want nothing up to %s:%d", e.Epoch, e.From, e.To, e.Reason, epoch, last)
		}
	}
}

func logLine(n int) string { return fmt.Sprintf(`{"stream": "log", "value": "line %d"}`, n) }

func isLogLine(n int) func(rig.Event) bool {
	return func(e rig.Event) bool {
		return e.Type == "sample" && !e.Retained && e.Stream == "log" && string(e.Value) == fmt.Sprintf(`"line %d"`, n)
	}
}

// checkLines says that the lines from 1 on came, each once and in order.
func checkLines(t *testing.T, v *rig.Watcher, last int) { checkLinesSince(t, v, 0, last) }

// checkLinesSince is checkLines for a viewer that began anew behind a mark, with what it had kept.
func checkLinesSince(t *testing.T, v *rig.Watcher, mark, last int) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	next := 1
	for _, e := range events[mark:] {
		if e.Type != "sample" || e.Retained || e.Stream != "log" || isLogLine(0)(e) {
			continue
		}
		if !isLogLine(next)(e) {
			t.Fatalf("%s came, want line %d", e.Value, next)
		}
		next++
	}
	if next != last+1 {
		t.Errorf("line %d did not come", next)
	}
}
