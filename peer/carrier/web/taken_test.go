package web

import (
	"math/rand/v2"
	"testing"
)

// TestTaken: whatever comes when, and however often, is taken once, what may not be ahead is in its order, and nothing is forgotten.
func TestTaken(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var state taken
		ahead, was := map[uint64]bool{}, map[uint64]bool{}
		for range 1000 {
			u := up{n: 1 + random.Uint64N(state.all+maxAhead+3)}
			if _, known := ahead[u.n]; !known {
				ahead[u.n] = random.IntN(2) == 0
			}
			u.ahead = ahead[u.n]
			want := upNext
			switch {
			case was[u.n]:
				want = upRepeated
			case u.n > state.all+maxAhead:
				want = upTooFar
			case !u.ahead && u.n > 1 && missing(was, u.n):
				want = upEarly
			}
			if got := state.fate(u); got != want {
				t.Fatalf("%+v with %+v comes to %d, want %d", u, state, got, want)
			}
			if want != upNext {
				continue
			}
			before := state.all
			was[u.n] = true
			if moved := state.add(u.n); moved != (state.all != before) || missing(was, state.all+1) || was[state.all+1] {
				t.Fatalf("after %d: moved %t from %d to %+v", u.n, moved, before, state)
			}
		}
	}
}

// missing reports whether one before n was not taken.
func missing(was map[uint64]bool, n uint64) bool {
	for before := uint64(1); before < n; before++ {
		if !was[before] {
			return true
		}
	}
	return false
}
