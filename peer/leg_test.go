package peer

import (
	"testing"
	"time"
)

// Until one is answered full probes are two, and then one a second: more would fill a narrow way.
func TestFullProbes(t *testing.T) {
	g := &leg{}
	for _, c := range []struct {
		at   time.Duration
		full bool
	}{{0, true}, {100, true}, {400, false}, {1000, false}, {1100, true}, {1400, false}, {2100, true}} {
		if got := g.isFull(c.at * time.Millisecond); got != c.full {
			t.Errorf("at %d ms: full %v, want %v", c.at, got, c.full)
		}
	}
	g.proved = true
	if g.isFull(time.Minute) {
		t.Error("a full one though the leg is proved")
	}
}
