package balance

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
)

var update = flag.Bool("update", false, "record testdata/run.scenario anew")

const recorded = "testdata/run.scenario"

func TestScenarios(t *testing.T) {
	if *update {
		record(t)
	}
	files, err := filepath.Glob("testdata/*.scenario")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := New(Config{})
			for i, line := range strings.Split(string(data), "\n") {
				line, _, _ = strings.Cut(line, "#")
				event, checks, _ := strings.Cut(line, "=>")
				if words := strings.Fields(event); len(words) > 0 {
					play(t, fmt.Sprintf("line %d", i+1), c, words, checks)
				}
			}
		})
	}
}

func play(t *testing.T, where string, c *Controller, words []string, checks string) {
	t.Helper()
	now := duration(t, words[0])
	switch words[1] {
	case "measured":
		c.Measured(duration(t, words[2]))
	case "saw":
		c.Saw(sample(t, words[2:]), now)
	case "decide":
		force, ok := c.Decide(now)
		for check := range strings.SplitSeq(checks, ";") {
			if want := strings.Fields(check); !holds(t, want, force, ok, c.Horizon(now)) {
				t.Fatalf("%s: force %v, ok %v, horizon %v; want %s", where, force, ok, c.Horizon(now), check)
			}
		}
	default:
		t.Fatalf("%s: %q", where, words[1])
	}
}

func holds(t *testing.T, want []string, force float64, ok bool, horizon time.Duration) bool {
	t.Helper()
	switch want[0] {
	case "blind":
		return !ok
	case "horizon":
		return horizon == duration(t, want[1])
	default:
		return math.Abs(force-float(t, want[1])) <= 1e-6
	}
}

func sample(t *testing.T, words []string) (s Sample) {
	t.Helper()
	numbers := map[string]*float64{"x": &s.State.X, "v": &s.State.V, "angle": &s.State.Angle, "spin": &s.State.Spin}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case name == "t":
			s.T = duration(t, value)
		case name == "down":
			s.State.Down = true
		default:
			*numbers[name] = float(t, value)
		}
	}
	return s
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func float(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// record writes what a run was told and what it decided, with samples as far as they are written down.
func record(t *testing.T) {
	t.Helper()
	var out strings.Builder
	ms := func(d time.Duration) string { return strconv.FormatFloat(float64(d)/1e6, 'f', -1, 64) + "ms" }
	w := newWorld(bad(0.2), Config{}, 1)
	fmt.Fprintf(&out, "# Recorded, see README.md.\n0ms measured %s\n", ms(w.control.roundTrip))
	w.saw = func(s Sample, now time.Duration) {
		fmt.Fprintf(&out, "%s saw t=%s x=%v v=%v angle=%v spin=%v\n", ms(now), ms(s.T), s.State.X, s.State.V, s.State.Angle, s.State.Spin)
	}
	w.told = func(now time.Duration, force float64, ok bool) {
		fmt.Fprintf(&out, "%s decide => force %v", ms(now), force)
		if ok {
			fmt.Fprintf(&out, "; horizon %s\n", ms(w.control.Horizon(now)))
		} else {
			out.WriteString("; blind\n")
		}
	}
	w.pole = cartpole.State{Angle: 0.15, X: -0.5}
	w.balance(1500 * time.Millisecond)
	if err := os.WriteFile(recorded, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
