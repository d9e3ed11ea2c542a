package peer

import (
	"net/netip"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
)

// TestLegComesFrom where its carrier says, also one that has raced; others do not say.
func TestLegComesFrom(t *testing.T) {
	here := netip.MustParseAddr("192.0.2.1")
	for name, c := range map[string]struct {
		g    *leg
		want netip.Addr
	}{
		"it says so":  {&leg{carrier: located{&sink{}, here}}, here},
		"and raced":   {&leg{carrier: &entrant{Carrier: located{&sink{}, here}}}, here},
		"it does not": {&leg{carrier: &entrant{Carrier: &sink{}}}, netip.Addr{}},
	} {
		if got := c.g.from(); got != c.want {
			t.Errorf("%s: from %v, want %v", name, got, c.want)
		}
	}
}

// located is a carrier that knows its address.
type located struct {
	*sink
	addr netip.Addr
}

func (l located) LocalAddr() netip.Addr { return l.addr }

// Until one is answered full probes are two, and then one a second: more would fill a narrow way.
func TestFullProbes(t *testing.T) {
	g := &leg{carrier: &sink{rung: ladder.RelayUDP}}
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
	for _, rung := range []ladder.Rung{ladder.WS, ladder.SSE, ladder.Poll} {
		if (&leg{carrier: &sink{rung: rung}}).isFull(time.Minute) {
			t.Errorf("a full one on %v, where TCP cuts what it carries", rung)
		}
	}
}
