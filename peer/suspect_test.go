package peer

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
)

// TestBothWaysGoAtOnce, as with a new address, without a word: fresh samples come within
// a second, and a direct path is there again soon, which nobody waits three seconds for.
func TestBothWaysGoAtOnce(t *testing.T) {
	for _, who := range []string{"viewer", "device"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, peertest.Config{Delay: oneWay})
				d := w.boot(20 * time.Millisecond)
				time.Sleep(time.Second)
				v := w.watch(nil)
				w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
				time.Sleep(15 * time.Second)
				moved := time.Now()
				w.ether.Strand()
				if who == "viewer" {
					v.medium().Cut()
				} else {
					d.medium().Cut()
				}
				fresh := w.await(time.Second, "fresh samples", func() bool {
					v.mu.Lock()
					defer v.mu.Unlock()
					return v.lastLive.Sub(moved) > 2*oneWay
				})
				direct := w.await(2*time.Second, "direct again", func() bool {
					v.mu.Lock()
					defer v.mu.Unlock()
					return v.lastRung == "udp" && v.lastLive.Sub(moved) > 2*oneWay
				})
				t.Logf("fresh after %v, direct after %v", fresh, fresh+direct)
				w.settle(v)
				if len(v.gaps) > 0 {
					t.Errorf("gaps %v", v.gaps)
				}
			})
		})
	}
}

// TestLinkInDoubtIsKept until there is another one: one that was only slow goes on.
func TestLinkInDoubtIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.boot(20 * time.Millisecond)
		time.Sleep(time.Second)
		var downs atomic.Int32
		b := &box{}
		v := w.watchWith(func(c *ViewConfig) {
			c.Events.Link = func(up bool, _ error) {
				if !up {
					downs.Add(1)
				}
			}
		}, nil, func(v *watcher) { v.behind(b, w.relay, v.conn.link, false) })
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(15 * time.Second)
		before := b.dialed()
		b.block(linkRungs...)
		w.ether.Cut()
		link := v.medium()
		link.Cut()
		time.Sleep(2 * time.Second)
		if b.dialed() == before {
			t.Error("no other link was tried")
		}
		link.Heal()
		w.await(time.Second, "fresh samples", func() bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.lastRung == "ws" && time.Since(v.lastLive) < 2*oneWay
		})
		if downs.Load() > 0 || v.medium() != link {
			t.Error("the link was given up, and there was no other one")
		}
		w.ether.Heal()
		b.block()
		w.settle(v)
	})
}

// bareDirect is a host's Conn with a direct path that is proved.
func bareDirect(t *testing.T) (*Host, *hostConn, *notebook) {
	h := bareHost(t)
	link := &notebook{sink: sink{rung: ladder.WS}}
	h.link.leg.carrier = link
	now := h.loop.now()
	h.linkSignal(now, 1, signal.Message{Type: signal.Open, ID: "a"})
	c := h.conns["a"]
	g := &attempt{number: 1, ready: true, stop: func() {}}
	g.leg = &leg{id: h.nextLeg(), carrier: &sink{}, conn: c, attempt: g, proved: true}
	c.attempts.list, c.attempts.last[directly] = []*attempt{g}, 1
	c.climbed(now, g)
	c.paths.ladder.Proved(now, g.leg.id, 2*oneWay)
	time.Sleep(100 * time.Millisecond)
	c.paths.ladder.Proved(h.loop.now(), g.leg.id, 2*oneWay)
	return h, c, link
}

// TestAnotherLinkIsAReasonToAsk: who comes back on another one may hear nothing on a direct path
// either. He is asked there, and gets samples on both where no word comes.
func TestAnotherLinkIsAReasonToAsk(t *testing.T) {
	for name, c := range map[string]struct {
		silence, answer time.Duration // before the other link, and after it; 0: no answer
		at, in          bool          // both paths are used at once; after suspicion and an answer's time
	}{
		"answers":                {silence: 50 * time.Millisecond, answer: 60 * time.Millisecond},
		"was heard just before":  {silence: 50 * time.Millisecond, in: true},
		"has been silent enough": {silence: 500 * time.Millisecond, at: true, in: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, conn, _ := bareDirect(t)
				direct := conn.attempts.list[0].leg
				heard := func() {
					conn.paths.ladder.Proved(h.loop.now(), direct.id, 2*oneWay)
					h.step(h.loop.now())
				}
				for range 12 { // its trial
					time.Sleep(100 * time.Millisecond)
					heard()
				}
				both := func() bool { return conn.paths.uses(conn.relay) && conn.paths.uses(direct) }
				if both() || !conn.paths.uses(direct) {
					t.Fatal("it is not the direct path that carries")
				}
				h.linkSignal(h.loop.now(), 1, signal.Message{Type: signal.Open, ID: "a"})
				time.Sleep(c.silence)
				h.linkSignal(h.loop.now(), 2, signal.Message{Type: signal.Open, ID: "a"})
				if both() != c.at {
					t.Errorf("at once: both paths are used: %v, want %v", both(), c.at)
				}
				if c.answer > 0 {
					time.Sleep(c.answer)
					heard()
				}
				time.Sleep(suspicion + 3*oneWay - c.silence - c.answer)
				h.step(h.loop.now())
				if both() != c.in {
					t.Errorf("in the end: both paths are used: %v, want %v", both(), c.in)
				}
			})
		})
	}
}

// TestLostAddressTakesDirectPaths: one that comes from it is in doubt at once, and samples go on the next link, too.
func TestLostAddressTakesDirectPaths(t *testing.T) {
	for _, lost := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			h, c, _ := bareDirect(t)
			direct := c.attempts.list[0].leg
			here := netip.MustParseAddr("192.0.2.1")
			direct.carrier = located{&sink{}, here}
			for range 12 { // its trial
				time.Sleep(100 * time.Millisecond)
				c.paths.ladder.Proved(h.loop.now(), direct.id, 2*oneWay)
				h.step(h.loop.now())
			}
			h.link.lost = func(addr netip.Addr) bool { return lost && addr == here }
			h.networkChanged()
			h.linkSignal(h.loop.now(), 2, signal.Message{Type: signal.Open, ID: "a"})
			if relayed := c.paths.uses(c.relay); relayed != lost || !c.paths.uses(direct) {
				t.Errorf("lost %v: relayed %v, direct %v", lost, relayed, c.paths.uses(direct))
			}
			c.paths.ladder.Proved(h.loop.now(), direct.id, 2*oneWay)
			if c.paths.anyInDoubt() {
				t.Errorf("lost %v: in doubt after an echo", lost)
			}
		})
	}
}

// TestRetryIsToldOnTheNextLink: the network that is another one now has taken the link,
// and what was said on it.
func TestRetryIsToldOnTheNextLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, c, link := bareDirect(t)
		h.networkChanged()
		if n := link.count(signal.RetryRTC); n != 1 {
			t.Errorf("told %d times at once", n)
		}
		h.linkSignal(h.loop.now(), 2, signal.Message{Type: signal.Open, ID: "a"})
		if n := link.count(signal.RetryRTC); n != 1 {
			t.Errorf("told %d times on the next link", n)
		}
		c.attempts.direct = func(rtc.Config, rtc.Events) (direct, error) { return nil, carrier.ErrClosed }
		h.linkSignal(h.loop.now(), 2, signal.Message{Type: signal.Offer, Attempt: 2})
		h.linkSignal(h.loop.now(), 3, signal.Message{Type: signal.Open, ID: "a"})
		if n := link.count(signal.RetryRTC); n != 0 {
			t.Errorf("told %d times though an offer came", n)
		}
	})
}
