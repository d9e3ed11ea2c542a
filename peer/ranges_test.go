package peer

import (
	"math/rand/v2"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

// ranges are what a plain set is.
func TestRanges(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var have ranges
		want := map[uint64]bool{}
		for range 60 {
			from := 1 + r.Uint64N(80)
			to := from + r.Uint64N(6)
			for seq := from; seq <= to; seq++ {
				want[seq] = true
			}
			have.add(from, to)
		}
		for i := 1; i < len(have); i++ {
			if have[i].From <= have[i-1].To+1 {
				t.Fatalf("seed %d: %v are not apart", seed, have)
			}
		}
		missing := map[uint64]bool{}
		for _, hole := range have.missing(10, 70) {
			for seq := hole.From; seq <= hole.To; seq++ {
				missing[seq] = true
			}
		}
		for seq := uint64(1); seq <= 90; seq++ {
			if missing[seq] != (seq >= 10 && seq <= 70 && !want[seq]) {
				t.Fatalf("seed %d: missing %d: %v; the set is %v", seed, seq, missing[seq], have)
			}
		}
	}
}

func TestRangesAreBounded(t *testing.T) {
	var r ranges
	for seq := uint64(1); seq < 3*maxRanges; seq++ {
		r.add(2*seq, 2*seq)
	}
	if len(r) > maxRanges {
		t.Errorf("%d ranges", len(r))
	}
	if holes := r.missing(1, 3); len(holes) != 1 || holes[0] != (wire.Range{From: 1, To: 1}) {
		t.Errorf("%v are missing of the oldest, which count as filled", holes)
	}
}
