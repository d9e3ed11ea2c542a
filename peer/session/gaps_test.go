package session

import (
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

// TestTheNextGapFindsRoom: however many gaps are known beyond it, the one that the position stands before is passed. It comes
// again and again, and nothing else would make room.
func TestTheNextGapFindsRoom(t *testing.T) {
	in := NewInbox(1, wire.Event, scenarioEpoch, 0, NewEarly(0))
	gap := func(from, to uint64) []Delivery {
		return in.Gap(0, wire.Gap{Stream: 1, Epoch: scenarioEpoch, From: from, To: to, Reason: wire.GapRing}, nil)
	}
	const known = 2 * maxGaps
	for i := range uint64(known) {
		gap(10+2*i, 10+2*i)
	}
	if n := len(in.ordered.gaps.gaps); n != maxGaps {
		t.Fatalf("%d gaps are known, want %d", n, maxGaps)
	}
	const last = 10 + 2*known
	if out := gap(1, last); len(out) != 1 || out[0].Gap.To != last || in.Position().Seq != last {
		t.Errorf("%+v, position %d; want one gap up to %d", out, in.Position().Seq, last)
	}
}
