package main

import (
	"math"
	"testing"
	"time"
)

var begin = time.UnixMicro(1_800_000_000_000_000)

// made is the n-th sample of a sender that began with the window, arrived at an age.
func made(n int, age time.Duration) arrival {
	at := begin.Add(time.Duration(n)*10*time.Millisecond + 3*time.Millisecond)
	return arrival{seq: uint64(n + 100), made: at, at: at.Add(age)}
}

func window100() window { return window{from: begin, to: begin.Add(time.Second)} } // holds samples 0 to 99

func TestRowCountsWhatWasMade(t *testing.T) {
	var all []arrival
	for n := -5; n < 105; n++ { // also before and after
		all = append(all, made(n, 30*time.Millisecond))
	}
	for name, c := range map[string]struct {
		got          []arrival
		within, came float64
	}{
		"all":                  {all, 100, 100},
		"the edges are lost":   {append(append(all[:3:3], all[15:95]...), all[108:]...), 80, 80}, // 10 to 89 of it
		"nothing else came":    {all[15:95], 80, 80},
		"some come late":       {append(all[5:95:95], made(90, time.Second), made(91, 251*time.Millisecond)), 90, 92},
		"one comes twice":      {append(all[5:105:105], made(50, 40*time.Millisecond)), 100, 100},
		"they come in any way": {append(all[55:105:105], all[5:55]...), 100, 100},
	} {
		row := &peerRow{}
		row.enter(window100(), c.got, spent{}, "")
		if len(row.within) != 1 || math.Abs(row.within[0]-c.within) > 1e-9 || math.Abs(row.came[0]-c.came) > 1e-9 || row.made != 100 {
			t.Errorf("%s: within %v, came %v of %v; want %v and %v of 100", name, row.within, row.came, row.made, c.within, c.came)
		}
	}
}

func TestRowOfNothingHasFailed(t *testing.T) {
	row := &peerRow{}
	row.enter(window100(), []arrival{made(200, 0)}, spent{}, "")
	if len(row.within) != 0 || len(row.failed) != 1 {
		t.Errorf("got %+v", row)
	}
}

func TestFreshIsWhatWasMadeAfterwards(t *testing.T) {
	w := window100()
	w.lit = w.to
	row := &peerRow{}
	row.enterOutage(w, []arrival{made(-1, 30*time.Millisecond), made(40, 700*time.Millisecond), made(99, 40*time.Millisecond), made(120, 50*time.Millisecond)})
	if row.fresh[0] != 253 || row.late[0] != 1 { // number 120 is made 203 ms after the end
		t.Errorf("fresh after %v ms, %v late; want 253 and 1", row.fresh, row.late)
	}
	row.enterOutage(w, []arrival{made(40, 700*time.Millisecond)})
	if !math.IsInf(row.fresh[1], 1) {
		t.Errorf("nothing fresh came, the row has %v", row.fresh[1])
	}
}

func TestNothingIsBesideARowThatFailed(t *testing.T) {
	one, two := &peerRow{p99: []float64{2, 4}}, &peerRow{p99: []float64{1, 4}}
	if got := beside(one, two, ofP99); got != "1.00" {
		t.Errorf("ratios 2 and 1 have a median of %s", got)
	}
	two.fail(errNothing)
	if got := beside(one, two, ofP99); got != "" {
		t.Errorf("beside one that failed: %s", got)
	}
}
