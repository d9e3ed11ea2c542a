package badinput

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

const (
	stoppedFor = 6 * time.Second
	textEvery  = 5 * time.Millisecond // of 8,000 bytes, once as event and twice as live
	// missed is how many texts there are at least while the viewer is stopped: 6 MB of events, of which the ring holds 1 MiB, and
	// 19 MB in all, more than sockets hold. A busy machine makes fewer in that time than it takes for a gap.
	missed = 800
	// growth is what a program may take on for a viewer that stopped, in bytes: the queues of one link, a ring, and what the
	// collector has not fetched yet.
	growth = 24 << 20
)

// TestStoppedViewer: a viewer whose process is stopped costs nobody memory and others nothing. What it missed it gets once it
// goes on: from the device's disk, or as a gap if that keeps nothing.
func TestStoppedViewer(t *testing.T) {
	for _, path := range []string{"--relay", ""} {
		t.Run("path "+path, func(t *testing.T) {
			slow := stopAViewer(t, []string{"--spool", "none"}, strings.Fields(path)...)
			_, err := slow.Await("gap", 0, patience, func(e rig.Event) bool { return e.Type == "gap" && e.Stream == "text" && e.Reason == "ring" })
			must(t, err)
		})
	}
	t.Run("spool", func(t *testing.T) { expectWhole(t, stopAViewer(t, nil), "text") })
}

// stopAViewer stops one for a while, and returns it when it gets what is fresh again.
func stopAViewer(t *testing.T, device []string, args ...string) (slow *rig.Watcher) {
	t.Helper()
	w := newWorld(t)
	d := w.device(t, "board", device...)
	numbered(t, d, 1)
	slow = w.view(t, "board", args...)
	good := w.view(t, "board", append(args, "--from", "start")...)
	n := produce(t, d, 1, time.Second, 1)
	before := map[*program.Program]int{w.server.Program: memory(t, w.server.Program), d: memory(t, d)}
	must(t, syscall.Kill(slow.PID(), syscall.SIGSTOP))
	n = produce(t, d, n, stoppedFor, missed)
	for p, was := range before {
		if now := memory(t, p); now > was+growth {
			t.Errorf("a program grew from %d to %d kB", was>>10, now>>10)
		}
	}
	must(t, syscall.Kill(slow.PID(), syscall.SIGCONT))
	mark := slow.Mark()
	n = produce(t, d, n, time.Second, 1)
	expectNumbered(t, good, n)
	_, err := slow.Await("fresh sample", mark, patience, func(e rig.Event) bool {
		return goodEvent(e) && e.AgeMS != nil && *e.AgeMS < 1000
	})
	must(t, err)
	if len(args) > 0 && w.counted(t, `telepath_drops_total{reason="queue-full"}`) == 0 {
		t.Error("what the stopped viewer lost is not counted")
	}
	numbered(t, d, n+1)
	last := fmt.Sprintf("number %d", n+1)
	_, err = slow.Await(last, mark, patience, func(e rig.Event) bool { return goodEvent(e) && e.String() == last })
	must(t, err)
	return slow
}

// expectWhole says that of a stream all that was made since the viewer came was printed, in order, and no gap, until the newest.
func expectWhole(t *testing.T, v *rig.Watcher, stream string) {
	t.Helper()
	whole := func() (last uint64, count int) {
		events, err := v.Events()
		must(t, err)
		for _, e := range events {
			switch {
			case e.Stream != stream || e.Retained:
			case e.Type == "gap":
				t.Fatalf("a gap from %d to %d: %s", e.From, e.To, e.Reason)
			case e.Type == "sample" && last > 0 && e.Seq != last+1:
				t.Fatalf("%d came behind %d", e.Seq, last)
			case e.Type == "sample":
				last, count = e.Seq, count+1
			}
		}
		return last, count
	}
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		if last, count := whole(); count >= missed && last >= uint64(missed) {
			return
		}
		if time.Now().After(end) {
			last, count := whole()
			t.Fatalf("%d came, up to %d", count, last)
		}
	}
}

// produce writes long texts of both classes, and a numbered event with every tenth, for a while, and at least so many.
func produce(t *testing.T, d *program.Program, n int, span time.Duration, least int) int {
	t.Helper()
	text := strings.Repeat("y", 8000)
	tick := time.NewTicker(textEvery)
	defer tick.Stop()
	for end, i := time.Now().Add(span), 0; i < least || time.Now().Before(end); i++ {
		<-tick.C
		must(t, d.Write(fmt.Sprintf(`{"stream":"text","value":"%s"}`, text)))
		must(t, d.Write(fmt.Sprintf(`{"stream":"fresh","class":"live","value":"%s"}`, text)))
		must(t, d.Write(fmt.Sprintf(`{"stream":"fresh","class":"live","value":"%s"}`, text)))
		if i%10 == 0 {
			n++
			numbered(t, d, n)
		}
	}
	return n
}

// memory is a program's resident memory, in bytes.
func memory(t *testing.T, p *program.Program) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + pid(p) + "/status")
	must(t, err)
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	fields := strings.Fields(string(rest))
	kB, err := strconv.Atoi(fields[0])
	must(t, err)
	return kB << 10
}

func pid(p *program.Program) string { return strconv.Itoa(p.PID()) }
