package session

import (
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestStamps(t *testing.T) {
	const ms, day = 1000, 86_400_000_000
	var s Stamps
	for i, step := range []struct {
		epoch    uint32
		seq      uint64
		t, ahead int64
		want     bool
	}{
		{7, 1, 10 * day, -5 * ms, false},
		{7, 3, 10*day + 20*ms, -5 * ms, false},
		{7, 2, 9 * day, -day, false},            // it was overtaken
		{7, 4, 10*day - 60*ms, -90 * ms, false}, // two threads of a program
		{7, 5, 9 * day, -day, true},
		{7, 6, 9*day + 10*ms, -day, false},
		{7, 7, 11 * day, day, true},
		{7, 8, 11*day + 10*ms, day, false}, // said once
		{7, 9, 11*day + 20*ms, -5 * ms, false},
		{8, 1, day, -10 * day, false}, // another run may have another clock
		{9, 1, 20 * day, 10 * day, true},
	} {
		h := wire.Header{Class: wire.Live, Epoch: step.epoch, Seq: step.seq, Count: 1}
		if got := s.Turned(h, step.t, step.ahead); got != step.want {
			t.Errorf("step %d: %v, want %v", i, got, step.want)
		}
	}
}
