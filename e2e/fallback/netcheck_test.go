package fallback

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// checked is what `telepath netcheck --json` has told.
type checked struct {
	code     int
	took     time.Duration
	expected string
	because  string
	failures []string // of all checks
}

// netcheckWithin is what netcheck promises, and a loaded machine's start of a program.
const netcheckWithin = 8*time.Second + time.Second

// netcheck runs it behind the box.
func netcheck(t *testing.T, c *cell, w way) (got checked) {
	t.Helper()
	var mu sync.Mutex
	began := time.Now()
	p, err := c.boxed(w).StartTelepath(c.behind, func(line program.Line) {
		var l struct{ Type, Failure, Expected, Because string }
		if err := json.Unmarshal([]byte(line.Text), &l); err != nil {
			t.Errorf("%q: %v", line.Text, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if l.Type == "summary" {
			got.expected, got.because = l.Expected, l.Because
		}
		if l.Failure != "" {
			got.failures = append(got.failures, l.Failure)
		}
	}, "netcheck", "--json")
	must(t, err)
	endWith(t, "netcheck", p)
	code, err := p.Wait(patience)
	must(t, err)
	mu.Lock()
	defer mu.Unlock()
	got.code, got.took = code, time.Since(began)
	t.Logf("after %v: %s, because %s", got.took.Round(time.Millisecond), got.expected, got.because)
	return got
}

// TestNetcheck: what a user learns on each network agrees with how the programs fare there.
func TestNetcheck(t *testing.T) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			c := newCell(t, "view")
			got := netcheck(t, c, n.cross(t, c))
			if got.code != 0 || got.expected != n.rungs[0] || got.took > slack.Of(netcheckWithin) {
				t.Errorf("exit code %d, expected path %q, want %q", got.code, got.expected, n.rungs[0])
			}
			if strings.HasPrefix(n.name, "squid") && !slices.Contains(got.failures, "ice-tcp-blocked") {
				t.Errorf("data channels over TCP go past the proxy, or it is not told: %v", got.failures)
			}
			for _, named := range n.named {
				// UDP is a matter between the two ends, which no server answers for.
				if named != "udp-blocked" && !slices.Contains(got.failures, named) {
					t.Errorf("%s is not among the failures %v", named, got.failures)
				}
			}
		})
	}
}

// TestNetcheckRefused: where nothing gets through, it says why, and tries a wrong password once.
func TestNetcheckRefused(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			c := newCell(t, "view")
			w := r.cross(t, c)
			got := netcheck(t, c, w)
			if got.code != 1 || got.expected != "none" || got.took > slack.Of(netcheckWithin) {
				t.Errorf("exit code %d, expected path %q, want none", got.code, got.expected)
			}
			if len(got.failures) != 1 || !slices.Contains(r.failure, got.failures[0]) {
				t.Errorf("the failures are %v, want one of %v", got.failures, r.failure)
			}
			if w.after != nil {
				w.after(t)
			}
		})
	}
}
