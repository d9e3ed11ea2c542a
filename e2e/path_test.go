package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// The promises of a path switch.
const (
	stepDown  = 1500 * time.Millisecond // from the cut to a fresh sample on another rung
	climbBack = 60 * time.Second        // from the end of the cut to the direct path
	firstPath = 20 * time.Second        // from start to the direct path, on a loaded machine
)

// Telemetry begins on the relay, before there is a direct path, and moves there while it flows. Both ways lead over a link of
// 100 ms there and back, as a real network's: without delay a data channel may be open before the first sample is made.
func TestBeginsOnTheRelay(t *testing.T) {
	w, far := newFarWorld(t, "delay=50ms")
	device, err := w.StartDevice(far.There, "board", "--source", "sim,rate=100")
	must(t, err)
	endWith(t, "board", device)
	must(t, w.AwaitLive(far.There, "board", firstPath))
	v, err := w.View(far.Here, "board")
	must(t, err)
	endWith(t, "view", v.Program)
	direct, err := v.AwaitSample("udp", 0, firstPath)
	must(t, err)
	named, err := v.Await("path", 0, firstPath, func(e rig.Event) bool { return e.Type == "path" && e.Path != "" })
	must(t, err)
	first, err := v.AwaitSample("", 0, firstPath)
	must(t, err)
	if named.Path != "ws" || first.Path != "ws" {
		t.Errorf("the path was named %s first, and the first sample came on %s, want ws", named.Path, first.Path)
	}
	t.Logf("first sample over a data channel %v after the first one over the relay", direct.At.Sub(first.At))
}

// Where UDP does not pass, the relay carries, and is named; as soon as UDP passes, the direct path takes over by itself.
func TestClimbsFromTheRelay(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			w := newWorld(t)
			w.startDevice(t, "board", "--source", "host", "--source", "sim,rate=20")
			must(t, w.view.CutUDP())
			v := kind.start(t, w, "board")
			_, err := v.AwaitPath("ws", 0, firstPath)
			must(t, err)
			_, err = v.AwaitSample("ws", 0, firstPath)
			must(t, err)
			mended := time.Now()
			must(t, w.view.MendUDP())
			direct, err := v.AwaitPath("udp", 0, climbBack)
			must(t, err)
			_, err = v.AwaitSample("udp", 0, climbBack)
			must(t, err)
			t.Logf("direct %v after UDP passed", direct.At.Sub(mended))
		})
	}
}

// Samples of the real machine come through a real data channel.
func TestHostSourceOverADataChannel(t *testing.T) {
	w := newWorld(t)
	w.startDevice(t, "board", "--source", "host")
	v := w.watch(t, "board")
	_, err := v.AwaitPath("udp", 0, firstPath)
	must(t, err)
	for _, stream := range []string{"cpu", "mem"} {
		_, err := v.Await("sample of "+stream, v.Mark(), 10*time.Second, func(e rig.Event) bool {
			return e.Type == "sample" && e.Path == "udp" && !e.Retained && containsFold(e.Stream, stream)
		})
		must(t, err)
	}
}

// A firewall drops UDP in the middle: the relay takes over within 1.5 s, no event is lost or comes twice, and when the rule
// is gone the direct path is back within a minute.
func TestUDPIsCutAndMended(t *testing.T) {
	for _, kind := range watchers {
		t.Run(kind.name, func(t *testing.T) {
			w := newWorld(t)
			device := w.startDevice(t, "board", "--source", "host", "--source", "stdin")
			declareLog(t, device)
			v := kind.start(t, w, "board")
			_, err := v.AwaitPath("udp", 0, firstPath)
			must(t, err)
			events := startProducer(t, device, 1)
			_, err = v.Await("an event", 0, 10*time.Second, isNumber(1))
			must(t, err)
			time.Sleep(2 * time.Second) // the direct path carries for a while
			must(t, v.AwaitStanding("udp", climbBack))

			mark := v.Mark()
			cut := time.Now()
			must(t, w.view.CutUDP())
			down, err := v.AwaitPath("ws", mark, 10*time.Second)
			must(t, err)
			time.Sleep(kind.dark)
			quiet := silence(t, v, cut)
			t.Logf("named the relay %v after the cut; longest silence %v", down.At.Sub(cut), quiet)
			if most := slack.Of(stepDown); quiet > most {
				t.Errorf("%v without a fresh event after the cut, want at most %v", quiet, most)
			}
			if took, most := down.At.Sub(cut), slack.Of(stepDown); took > most {
				t.Errorf("the relay was named %v after the cut, want at most %v: until then a dead path was shown as the one in use", took, most)
			}

			mark = v.Mark()
			mended := time.Now()
			must(t, w.view.MendUDP())
			up, err := v.AwaitPath("udp", mark, climbBack)
			must(t, err)
			t.Logf("back on the direct path %v after the cut was mended", up.At.Sub(mended))
			time.Sleep(2 * time.Second)

			verdict := settle(t, events, v, 1)
			t.Log(verdict)
			if !verdict.OK() {
				t.Error("events were lost, repeated, reordered or harmed")
			}
			if kind.shows {
				checkShown(t, v, events.Count())
			}
		})
	}
}

// checkShown reads the log that the page shows: its entries are the newest events, without a hole, up to the last.
func checkShown(t *testing.T, v *rig.Watcher, last uint64) {
	t.Helper()
	must(t, v.Write("log"))
	shown, err := v.Await("log of the page", 0, 10*time.Second, func(e rig.Event) bool { return e.Type == "log" })
	must(t, err)
	if len(shown.Lines) < 50 {
		t.Fatalf("the page's log shows %d entries", len(shown.Lines))
	}
	want := last - uint64(len(shown.Lines)) + 1
	for _, text := range shown.Lines {
		entry, err := ledger.Parse(text)
		if err != nil || entry.Number != want {
			t.Fatalf("the page's log shows %q where number %d belongs (%v)", text, want, err)
		}
		want++
	}
}

// silence is the longest time without an event arriving, from the cut on.
func silence(t *testing.T, v *rig.Watcher, cut time.Time) time.Duration {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	times := []time.Time{cut}
	for _, e := range events {
		if e.Type == "sample" && e.Stream == logStream && e.At.After(cut) {
			times = append(times, e.At)
		}
	}
	times = append(times, time.Now())
	slices.SortFunc(times, time.Time.Compare)
	var longest time.Duration
	for i := range times[1:] {
		longest = max(longest, times[i+1].Sub(times[i]))
	}
	return longest
}
