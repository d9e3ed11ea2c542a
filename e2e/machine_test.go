package e2e

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/pole"
)

// The loop over the network is closed: 100 ms there and back and a loss of 5 % in each direction, and the pole stays up.
// It has the machine to itself: a loop that the processor comes late to is no longer the network's.
func TestBalancesOverABadLink(t *testing.T) {
	skipUnlessAsked(t)
	b, err := pole.NewBench()
	must(t, err)
	defer b.Close()
	trial := pole.Trial{Link: "delay=50ms loss=5%", Seed: 1, Path: "udp", For: 20 * time.Second}
	r, err := b.Run(trial)
	must(t, err)
	t.Logf("%+v", *r)
	if !trial.Stood(r) {
		t.Errorf("up for %.1f s, then: %s", r.Up, r.Ended)
	}
}
