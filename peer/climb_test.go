package peer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// notebook is a carrier that notes the signals sent on it.
type notebook struct {
	sink
	signals []signal.Message
}

func (n *notebook) Send(f carrier.Frame) bool {
	frame, _, err := wire.NextFrame(f.Bytes)
	if err == nil && frame.Type == wire.TypeSignal {
		if m, err := signal.Parse(frame.Body); err == nil {
			n.signals = append(n.signals, m)
		}
	}
	return true
}

// count is how many signals of a type were sent; it forgets all.
func (n *notebook) count(kind string) (count int) {
	for _, m := range n.signals {
		if m.Type == kind {
			count++
		}
	}
	n.signals = nil
	return count
}

// TestDeviceAsksForAttempt: a viewer may be content with what it hears on a
// path on which the device hears nothing.
func TestDeviceAsksForAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		link := &notebook{sink: sink{rung: ladder.WS}}
		h.link.leg.carrier = link
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "a"})
		c := h.conns["a"]
		g := &attempt{ready: true, stop: func() {}}
		g.leg = &leg{id: h.nextLeg(), carrier: &sink{}, conn: c, attempt: g}
		c.attempts.list = []*attempt{g}
		c.climbed(h.loop.now(), g)
		for range 29 {
			time.Sleep(100 * time.Millisecond)
			h.step(h.loop.now())
		}
		if n := link.count(signal.RetryRTC); n != 0 {
			t.Errorf("asked %d times within 3 s", n)
		}
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			h.link.heardAt = h.loop.now() // the server is there
			h.step(h.loop.now())
		}
		if n := link.count(signal.RetryRTC); n != 2 {
			t.Errorf("asked %d times in 10 s, want 2", n)
		}
	})
}

// TestViewerFollowsRetry, but not as often as a device pleases, and keeps the
// older path until the new one is proved for a moment.
func TestViewerFollowsRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bareConn(t, Events{})
		c.cfg.NoDirect = false
		c.attempts.direct = (&node{}).director(newWorld(t, peertest.Config{}).ether)
		t.Cleanup(func() { close(c.loop.stopped); c.attempts.closeAll(); c.tasks.Wait() })
		older := &attempt{number: 1, ready: true}
		older.leg = &leg{id: c.nextLeg(), carrier: &sink{}, conn: c, attempt: older, proved: true}
		c.attempts.list, c.attempts.last[directly] = []*attempt{older}, 1
		older.stop = func() {}
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			c.hear(t, signal.Message{Type: signal.RetryRTC})
			c.step(c.loop.now())
		}
		if n := c.attempts.last[directly]; n != 2 {
			t.Fatalf("%d attempts, want one beside the first", n)
		}
		newer := c.attempts.list[1]
		newer.ready, newer.leg.proved = true, true
		c.step(c.loop.now())
		if len(c.attempts.list) != 2 {
			t.Error("the older path was dropped before the device can have its proof")
		}
		time.Sleep(overlap)
		c.step(c.loop.now())
		if len(c.attempts.list) != 1 || c.attempts.list[0] != newer {
			t.Error("the older path was not dropped")
		}
	})
}

// TestAnswerIsRepeated when an offer comes again: the first one may be lost.
func TestAnswerIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareHost(t)
		link := &notebook{sink: sink{rung: ladder.WS}}
		h.link.leg.carrier = link
		h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "a"})
		c := h.conns["a"]
		made := &attempt{number: 3, peer: nil, stop: func() {}}
		made.leg = &leg{id: h.nextLeg(), conn: c, attempt: made}
		c.attempts.list, c.attempts.last[directly] = []*attempt{made}, 3
		c.attempts.made(made, newWorld(t, peertest.Config{}).ether.New(), signal.Message{Type: signal.Answer, Attempt: 3})
		c.attempts.candidate(made, signal.Message{Type: signal.Candidate, Attempt: 3})
		if n := link.count(signal.Answer); n != 1 {
			t.Errorf("answered %d times", n)
		}
		c.relayedSignal(h.loop.now(), signal.Message{Type: signal.Offer, Attempt: 2})
		if n := len(link.signals); n != 0 {
			t.Errorf("%d signals for an old offer", n)
		}
		h.linkSignal(h.loop.now(), 2, signal.Message{Type: signal.Open, ID: "a", Offer: &signal.SDP{Attempt: 3}})
		answers := 0
		for _, m := range link.signals {
			if m.Type == signal.Answer || m.Type == signal.Candidate {
				answers++
			}
		}
		if answers != 2 || len(c.attempts.list) != 1 {
			t.Errorf("told %d of answer and candidate, %d attempts", answers, len(c.attempts.list))
		}
	})
}
