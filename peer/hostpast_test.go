package peer

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// pastSink keeps what is sent.
type pastSink struct {
	carrier.Carrier
	got []carrier.Frame
}

func (s *pastSink) Send(f carrier.Frame) bool {
	s.got = append(s.got, f)
	return true
}

// TestThePastLeavesAPath: what waits on a path that is in use no more is void, and nothing else is.
func TestThePastLeavesAPath(t *testing.T) {
	relay, direct := &pastSink{}, &pastSink{}
	r, d := &leg{carrier: relay, number: 1}, &leg{carrier: direct}
	p := &transfer{ways: map[*leg]*atomic.Bool{}}
	send := func(use ...*leg) {
		p.leave(use)
		if !p.send(use, []byte("chunk")) {
			t.Fatal("nobody took it")
		}
	}
	send(r)
	send(d, r)
	send(d)
	send(d, r)
	for i, void := range []bool{true, true, false} {
		if relay.got[i].Void.Load() != void {
			t.Errorf("relayed chunk %d is void: %v", i, !void)
		}
	}
	for i, f := range direct.got {
		if f.Void.Load() {
			t.Errorf("direct chunk %d is void", i)
		}
	}
	p.leave(nil)
	if !relay.got[2].Void.Load() || !direct.got[2].Void.Load() {
		t.Error("the transfer is over, and something of it waits")
	}
}

// On a short path little has gone when a probe is answered: the next one goes when enough has.
func TestTheNextProbeGoesWhenEnoughWent(t *testing.T) {
	const probed = time.Second
	for _, c := range []struct {
		heard bool
		since int
		want  time.Duration
	}{
		{false, pastProbeBytes, pastProbeEvery},
		{true, pastProbeBytes - 1, pastProbeEvery},
		{true, pastProbeBytes, pastProbeSpacing},
	} {
		p := &transfer{probed: probed, heard: c.heard, since: c.since}
		if got := p.probeAt(); got != probed+c.want {
			t.Errorf("answered: %v, %d bytes since: at %v, want %v", c.heard, c.since, got, probed+c.want)
		}
	}
}
