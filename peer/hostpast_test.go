package peer

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
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

// flies sends chunks of a transfer that nobody acknowledges, until no more may be under way, and returns how many bytes are.
func (h *Host) flies(p *transfer, on ladder.Rung) int {
	chunk := make([]byte, 10_000)
	for {
		p.flight.SetLimit(h.mayBeUnacked(p, on))
		p.last++
		p.queue.Push(0, session.Batch{Seq: p.last, Count: 1, Body: chunk})
		if _, ok := p.outbox.Next(0, 0); !ok {
			return p.flight.Used()
		}
	}
}

// TestTransfersShareWhatMayBeUnacked: one alone has all that one may have; of many that acknowledge nothing most have the least.
func TestTransfersShareWhatMayBeUnacked(t *testing.T) {
	const chunk = 11_000 // more than one
	h := &Host{conns: map[string]*hostConn{}}
	join := func(on ladder.Rung) int {
		id := uint32(len(h.conns) + 1)
		c := &hostConn{past: newTransfer(id, func() {})}
		h.conns[fmt.Sprint(id)] = c
		return h.flies(c.past, on)
	}
	if got := join(ladder.UDP); got > pastUnacked || got < pastUnacked-chunk {
		t.Errorf("on data channels %d bytes are unacknowledged", got)
	}
	if got := join(ladder.WS); got > pastUnackedWS || got < pastUnackedWS-chunk {
		t.Errorf("%d bytes of one are unacknowledged", got)
	}
	sum, most := pastUnacked+pastUnackedWS, 0
	for range DefaultMaxViewers - 2 {
		got := join(ladder.WS)
		if sum += got; sum > pastUnackedAll {
			most = max(most, got)
		}
	}
	if most > pastUnacked || most < pastUnacked-chunk {
		t.Errorf("where no more than all may be are, %d bytes of another one are", most)
	}
	clear(h.conns) // all have gone
	if got := join(ladder.WS); got < pastUnackedWS-chunk {
		t.Errorf("there is room again, and %d bytes are", got)
	}
}
