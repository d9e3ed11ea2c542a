package peer

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// idleCarrier is one on a rung that takes everything.
type idleCarrier struct {
	carrier.Carrier
	rung ladder.Rung
}

func (c idleCarrier) Rung() ladder.Rung       { return c.rung }
func (c idleCarrier) Send(carrier.Frame) bool { return true }

// TestLostUntilTheNextStep: a path that is left while another one is proved is no end of all paths, and a step takes the other.
func TestLostUntilTheNextStep(t *testing.T) {
	p := newPaths(time.Now)
	old, next := &leg{id: 1, carrier: idleCarrier{rung: ladder.UDP}}, &leg{id: 2, carrier: idleCarrier{rung: ladder.UDP}}
	expect := func(what string, want bool) {
		t.Helper()
		if p.lost() != want {
			t.Errorf("%s: lost is %v", what, !want)
		}
	}
	expect("there was none", false)
	for i, g := range []*leg{old, next} {
		now := time.Duration(i) * time.Millisecond
		p.up(now, g)
		p.prove(now, g)
	}
	p.step(2 * time.Millisecond)
	expect("it stands", false)
	p.down(3*time.Millisecond, p.carrying())
	expect("it is left for its successor", true)
	p.step(4 * time.Millisecond)
	expect("the successor is taken", false)
	p.down(5*time.Millisecond, p.carrying())
	expect("there is no other", false)
}
