package e2e

import (
	"regexp"
	"testing"
	"time"
)

const (
	// restFor has at least one word of a device in it, which says one in 48 s.
	restFor = time.Minute
	// restBytes is what an hour of rest may cost, all headers counted.
	restBytes = 100_000
)

// A device of low power that nobody watches costs next to nothing, whatever it measures, and its users see when it was heard.
// Who comes is shown its samples at once, and at their rate.
func TestLowPower(t *testing.T) {
	w := newWorld(t)
	w.startDevice(t, "hive", "--low-power", "--source", "sim,rate=100,streams=3", "--source", "host")
	time.Sleep(3 * time.Second) // what begins is over

	must(t, w.dev.CountWire())
	began := time.Now()
	time.Sleep(restFor)
	packets, bytes, err := w.dev.Wire()
	must(t, err)
	anHour := int(float64(bytes) / time.Since(began).Hours())
	t.Logf("%d packets of %d bytes in %v: %d bytes an hour", packets, bytes, restFor, anHour)
	if packets == 0 || anHour > restBytes {
		t.Errorf("a rest costs %d bytes an hour, with %d packets", anHour, packets)
	}
	expectState(t, w, `hive +Reachable, heard \d+ s ago`)

	asked := time.Now()
	v := w.watch(t, "hive")
	first, err := v.AwaitSample("", 0, firstPath)
	must(t, err)
	t.Logf("the first sample came %v after it was asked for", first.At.Sub(asked))
	time.Sleep(3 * time.Second)
	events, err := v.Events()
	must(t, err)
	samples := 0
	for _, e := range events {
		if e.Type == "sample" && !e.Retained {
			samples++
		}
	}
	if samples < 3*3*90 {
		t.Errorf("%d samples in 3 s of three streams at 100 Hz", samples)
	}
	expectState(t, w, `hive +Live`)
}

// expectState looks at what a user is told of the devices.
func expectState(t *testing.T, w *world, line string) {
	t.Helper()
	p, err := w.StartTelepath(w.view, nil, "devices")
	must(t, err)
	defer p.Kill()
	if code, err := p.Wait(20 * time.Second); code != 0 || err != nil {
		t.Fatalf("telepath devices: exit %d, %v: %s", code, err, p.Tail(5))
	}
	if !regexp.MustCompile(line).MatchString(p.Output()) {
		t.Errorf("telepath devices says %q, want %s", p.Output(), line)
	}
}
