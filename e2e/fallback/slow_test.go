package fallback

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/outcome"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// slowHop is behind a proxy that takes at full speed what it delivers slowly: of 100 Hz x 100 B one stream alone fills it.
const slowHop = "rate=64kbit delay=20ms"

// slowFor is how long samples are looked at. `make soak` has the full five minutes.
var slowFor = seconds("TELEPATH_SLOW_SECONDS", 16)

// climbed bounds how long the climb to the best rung may take here. settling is how long that rung may take, once it is reached, to
// be alone and to find out how fast it is, and until attempts at better ones, which cost a second of this hop together, are rare.
const (
	climbed  = 25 * time.Second
	settling = 8 * time.Second
)

// slow is a load on a slow hop.
type slow struct {
	streams int
	behind  string // dev or view
	only    string // the rungs that the viewer keeps to; empty: all
	rung    string // that the viewer is on in the end
	bound   freshness
}

// TestSlowHop: fresh values come through a buffering nginx and a slow hop, however much is published: on the data channels
// over TCP that are the best there is, and on the others that are asked for.
func TestSlowHop(t *testing.T) {
	one := freshness{p95: 500 * time.Millisecond, stalest: time.Second}
	climbing := one
	climbing.stalest = 2 * time.Second             // attempts at better rungs, and the link's way down when it idles, want a second of the hop now and then
	ten := freshness{p95: 1500 * time.Millisecond} // how old the newest value gets is measured only: streams do not share the hop evenly
	for _, s := range []slow{
		{1, "view", "", "turn-tcp", climbing}, // the device is on turn-udp: the hop is another one's
		{1, "dev", "", "turn-udp", climbing},  // and here the viewer
		{10, "view", "", "turn-tcp", ten},
		{10, "dev", "", "turn-udp", ten},
		{1, "view", "relay-tcp,ws", "relay-tcp", one},
		{1, "view", "ws", "ws", one},
	} {
		t.Run(fmt.Sprintf("%d streams/before %s, %s", s.streams, s.behind, cmp.Or(s.only, "all rungs")), func(t *testing.T) {
			t.Parallel()
			row := outcome.Slow{Test: t.Name(), Streams: s.streams}
			outcome.Tell(t, &row, func(failed bool) { row.Failed = failed })
			row.Tries = inTime(t, func(t *testing.T) error { return slowCell(t, s, &row) })
		})
	}
}

// slowCell looks once, and returns what was too old.
func slowCell(t *testing.T, s slow, row *outcome.Slow) (late error) {
	c := newCell(t, s.behind)
	w := slowNginx(t, c)
	var ofView []string
	if s.only != "" {
		ofView = []string{"--only", s.only}
	}
	far, near := c.boxed(w), c.Rig
	if s.behind == "dev" {
		far, near = near, far
	}
	source := fmt.Sprintf("sim,rate=100,size=100,streams=%d,class=live", s.streams)
	agent, err := near.StartDevice(c.dev, device, "--source", source)
	must(t, err)
	endWith(t, "agent", agent)
	linked(t, agent)
	v, err := far.View(c.view, device, ofView...)
	must(t, err)
	endWith(t, "view", v.Program)
	firstSample(t, v, 0)
	_, err = v.AwaitPath(s.rung, 0, climbed)
	must(t, err)
	time.Sleep(settling)
	begun := time.Now()
	before := c.memory(t, agent, v)
	time.Sleep(slowFor)
	after := c.memory(t, agent, v)
	f := freshnessOf(t, v, begun)
	row.P50, row.P95, row.Max, row.Stalest, row.Before, row.After = f.p50, f.p95, f.longest, f.stalest, before, after
	t.Logf("%d streams before %s on %s: %v; memory %v, then %v MiB", s.streams, s.behind, s.rung, f, before, after)
	if f.streams != s.streams {
		t.Errorf("samples of %d streams came, want %d", f.streams, s.streams)
	}
	checkFlat(t, before, after)
	switch {
	case f.p95 > slack.Of(s.bound.p95):
		return fmt.Errorf("p95 of the age %v, want at most %v", f.p95, slack.Of(s.bound.p95))
	case s.bound.stalest > 0 && f.stalest > slack.Of(s.bound.stalest):
		return fmt.Errorf("for a while the newest value shown was %v old, want at most %v", f.stalest, slack.Of(s.bound.stalest))
	}
	return nil
}

// slowNginx puts the hop before who is behind, and at its other end, beside the server, an nginx that buffers what it can.
func slowNginx(t *testing.T, c *cell) way {
	t.Helper()
	must(t, c.behind.CutUDP())
	connection, _, _ := strings.Cut(examples(t, "nginx")[0], "\nserver {")
	location := strings.ReplaceAll(examples(t, "nginx")[1], "proxy_buffering off;",
		"proxy_buffering on; proxy_buffers 64 64k; proxy_ignore_headers X-Accel-Buffering;")
	c.serveBehindNginx(t)
	c.startNginx(t, 80, connection+"\nserver {\nlisten 80;\n"+location+"}\n")
	c.stretch(t, slowHop)
	return way{url: "http://" + serverOnHop + "/telepath"}
}

// freshness is how old what was shown was: all programs run on one machine, so one clock.
type freshness struct {
	streams, samples  int
	fewest, most      int // samples of a stream
	p50, p95, longest time.Duration
	stalest           time.Duration // the newest value of a stream got this old before a newer one was shown
}

func (f freshness) String() string {
	return fmt.Sprintf("%d samples of %d streams (%d to %d each), age p50 %v, p95 %v, at most %v; the newest shown was at most %v old",
		f.samples, f.streams, f.fewest, f.most, f.p50.Round(time.Millisecond), f.p95.Round(time.Millisecond), f.longest.Round(time.Millisecond), f.stalest.Round(time.Millisecond))
}

func freshnessOf(t *testing.T, v *rig.Watcher, begun time.Time) (f freshness) {
	t.Helper()
	events, err := v.Events()
	must(t, err)
	var ages []time.Duration
	newest, count := map[string]time.Time{}, map[string]int{}
	shown := func(stream string, now time.Time) {
		if made, known := newest[stream]; known {
			f.stalest = max(f.stalest, now.Sub(made))
		}
	}
	for _, e := range events {
		if e.Type != "sample" || e.Retained || e.At.Before(begun) {
			continue
		}
		made := time.UnixMicro(int64(math.Round(e.T * 1e6)))
		ages = append(ages, e.At.Sub(made))
		count[e.Stream]++
		shown(e.Stream, e.At)
		if made.After(newest[e.Stream]) {
			newest[e.Stream] = made
		}
	}
	for stream := range newest {
		shown(stream, time.Now())
	}
	if len(ages) == 0 {
		t.Fatal("not one sample was shown")
	}
	slices.Sort(ages)
	f.streams, f.samples = len(newest), len(ages)
	counts := slices.Sorted(maps.Values(count))
	f.fewest, f.most = counts[0], counts[len(counts)-1]
	f.p50, f.p95, f.longest = ages[len(ages)/2], ages[len(ages)*95/100], ages[len(ages)-1]
	return f
}

// memory is what server, agent and viewer hold, in MiB.
func (c *cell) memory(t *testing.T, agent *program.Program, v *rig.Watcher) (mib []float64) {
	t.Helper()
	for _, p := range []*program.Program{c.server.Program, agent, v.Program} {
		mib = append(mib, resident(t, p.PID()))
	}
	return mib
}

var residentLine = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB`)

func resident(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	found := residentLine.FindSubmatch(status)
	if found == nil {
		t.Fatalf("no memory of %d is told", pid)
	}
	kib, err := strconv.ParseFloat(string(found[1]), 64)
	must(t, err)
	return math.Round(kib/1024*10) / 10
}

// growth that is no leak, in MiB: Go's heap breathes.
const growth = 8

func checkFlat(t *testing.T, before, after []float64) {
	t.Helper()
	for i, name := range []string{"server", "agent", "viewer"} {
		if after[i] > before[i]+growth {
			t.Errorf("the %s grew from %.1f to %.1f MiB", name, before[i], after[i])
		}
	}
}
