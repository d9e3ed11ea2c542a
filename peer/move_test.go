package peer

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
)

// box stands between a node and the relay: it lets some rungs through.
type box struct {
	mu     sync.Mutex
	blocks map[ladder.Rung]bool
	dials  int
}

func (b *box) block(rungs ...ladder.Rung) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blocks = map[ladder.Rung]bool{}
	for _, rung := range rungs {
		b.blocks[rung] = true
	}
}

func (b *box) stops(rung ladder.Rung) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	return b.blocks[rung]
}

func (b *box) dialed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dials
}

// behind has a node's links race through a box.
func (n *node) behind(b *box, r *peertest.Relay, l *link, device bool) {
	l.dial = dialRace
	l.racer.network = func() string { return "lab" }
	l.racer.dial = func(_ context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
		connected()
		if b.stops(rung) {
			time.Sleep(oneWay)
			return nil, carrier.Fail("upgrade-refused", "", nil)
		}
		c, m, err := r.DialOn(rung, device, open)
		if err != nil {
			return nil, carrier.Fail("refused", "", err)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.link = m
		return c, nil
	}
}

// TestLinkMovesUp: while a link is on a lesser rung the better ones are tried
// again; the move loses and repeats nothing, at either end.
func TestLinkMovesUp(t *testing.T) {
	for _, who := range []string{"viewer", "device", "both"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, peertest.Config{})
				b := &box{}
				b.block(ladder.WS, ladder.SSE)
				if who != "viewer" {
					w.before = func(d *device) { d.behind(b, w.relay, d.host.link, true) }
				}
				w.boot(40 * time.Millisecond)
				time.Sleep(time.Second)
				v := w.watchThrough(b, who != "device")
				if who == "device" {
					w.await(3*time.Second, "samples", func() bool { return v.rung() == "ws" })
				} else {
					w.await(3*time.Second, "poll", func() bool { return v.rung() == "poll" })
					if why := v.reason(); !strings.Contains(why, "upgrade-refused") || !strings.Contains(why, "event stream") {
						t.Errorf("reason %q", why)
					}
				}
				time.Sleep(5 * time.Second)
				b.block()
				time.Sleep(memoryTime)
				v.mu.Lock()
				longest := v.silence
				v.mu.Unlock()
				if who != "device" && (v.rung() != "ws" || strings.Contains(v.reason(), "upgrade-refused")) {
					t.Errorf("on %s after it is free: %s", v.rung(), v.reason())
				}
				if rung := w.device.linkRung(); rung != "ws" {
					t.Errorf("the device is on %s", rung)
				}
				t.Logf("longest silence of Live %v", longest)
				if longest > 20*oneWay {
					t.Errorf("Live was silent for %v", longest)
				}
				w.settle(v)
				if len(v.gaps) > 0 {
					t.Errorf("gaps %v", v.gaps)
				}
			})
		})
	}
}

func (d *device) linkRung() string { return d.host.link.rung(d.world.t) }

// rung is that of the link; empty: there is none.
func (l *link) rung(t *testing.T) (rung string) {
	l.loop.ask(t.Context(), func() {
		if l.leg != nil {
			rung = l.leg.carrier.Rung().String()
		}
	})
	return rung
}

// watchThrough starts a viewer on the relay alone, behind a box if so wanted.
func (w *world) watchThrough(b *box, boxed bool) *watcher {
	return w.watchWith(func(c *ViewConfig) { c.NoDirect = true }, nil, func(v *watcher) {
		if boxed {
			v.behind(b, w.relay, v.conn.link, false)
		}
	})
}

func (v *watcher) reason() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.paths[len(v.paths)-1].Reason
}

// TestNetworkChangeTriesBetterRungs: at once, and does not wait for what is remembered.
func TestNetworkChangeTriesBetterRungs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		b := &box{}
		b.block(ladder.WS)
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		change := make(chan struct{})
		v := w.watchWith(func(c *ViewConfig) {
			c.NoDirect, c.Endpoint.Network = true, func(ctx context.Context, changed func()) {
				select {
				case <-change:
					changed()
				case <-ctx.Done():
				}
			}
		}, nil, func(v *watcher) { v.behind(b, w.relay, v.conn.link, false) })
		w.await(3*time.Second, "sse", func() bool { return v.rung() == "sse" })
		time.Sleep(5 * time.Second)
		b.block()
		close(change)
		w.await(time.Second, "ws", func() bool { return v.rung() == "ws" })
		w.settle(v)
	})
}

// watchOnTheLink is a viewer that has been on the link for a while, and stays there.
func (w *world) watchOnTheLink() *watcher {
	w.t.Helper()
	v := w.watch(func(c *ViewConfig) { c.NoDirect = true })
	w.await(3*time.Second, "ws", func() bool { return v.rung() == "ws" })
	time.Sleep(time.Second)
	return v
}

// awaitFresh waits until a viewer has been given a live sample after a time.
func (w *world) awaitFresh(v *watcher, within time.Duration, after time.Time) {
	w.t.Helper()
	took := w.await(within, "fresh samples", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.lastLive.After(after)
	})
	w.t.Logf("fresh after %v", took)
}

// TestNetworkChangeFindsADeadLink: one that the server does not answer on is
// replaced at once, without the keep alive's patience.
func TestNetworkChangeFindsADeadLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watchOnTheLink()
		cut := time.Now()
		v.medium().Cut()
		v.conn.loop.post(v.conn.link.prove)
		w.awaitFresh(v, proveTime+300*time.Millisecond, cut.Add(100*time.Millisecond))
		w.settle(v)
	})
}

// TestNetworkChangeTakesTheAddress: a link that comes from an address which this machine has no more is not asked.
func TestNetworkChangeTakesTheAddress(t *testing.T) {
	for _, who := range []string{"viewer", "device"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, peertest.Config{})
				d := w.boot(10 * time.Millisecond)
				time.Sleep(time.Second)
				v := w.watchOnTheLink()
				moves, l := &v.node, v.conn.link
				if who == "device" {
					moves, l = &d.node, d.host.link
				}
				cut := time.Now()
				moves.medium().Cut()
				l.loop.post(func() {
					l.lost = func(netip.Addr) bool { return true }
					l.prove()
				})
				w.awaitFresh(v, proveLeast, cut.Add(3*oneWay))
				w.settle(v)
			})
		})
	}
}

// TestNetworkChangeEndsAWait: where no other link could be had, the next try is made when the network has changed again.
func TestNetworkChangeEndsAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		b := &box{}
		v := w.watchThrough(b, true)
		w.await(3*time.Second, "ws", func() bool { return v.rung() == "ws" })
		time.Sleep(5 * time.Second)
		l := v.conn.link
		change := func() {
			l.loop.post(func() {
				l.lost = func(netip.Addr) bool { return true }
				l.prove()
			})
			l.racer.changed.ring()
		}
		b.block(linkRungs...)
		link := v.medium()
		link.Cut()
		change()
		time.Sleep(4 * time.Second) // less than it takes until the link is dead
		b.block()
		before := b.dialed()
		change()
		w.await(5*oneWay, "another try", func() bool { return b.dialed() > before && v.medium() != link })
		w.settle(v)
	})
}

// TestRefusedServerIsNotStormed: where nothing listens one rung is tried, not three.
func TestRefusedServerIsNotStormed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		b := &box{}
		w.boot(time.Hour)
		time.Sleep(time.Second)
		v := w.watchThrough(b, true)
		w.await(3*time.Second, "ws", func() bool { return v.rung() == "ws" })
		before := b.dialed()
		w.relay.Stop()
		const away = time.Minute
		time.Sleep(away)
		// Full jitter: 2 within 2 s, then from 1 s on doubling to 15 s. By chance it is 12 in the mean and hardly ever more than
		// 16; three rungs for each would be 27 at least.
		if n := b.dialed() - before; n > 20 {
			t.Errorf("%d connections were tried in %v", n, away)
		}
		w.relay.Start()
		w.settle(v)
	})
}

// TestBetterLinkThatFallsSilent: the server does not let us in on it; the one in use stays.
func TestBetterLinkThatFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		b := &box{}
		b.block(ladder.WS, ladder.SSE)
		w.before = func(d *device) {
			d.behind(b, w.relay, d.host.link, true)
			through := d.host.link.racer.dial
			d.host.link.racer.dial = func(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
				c, err := through(ctx, rung, open, connected)
				if err == nil && rung == ladder.WS {
					m := d.medium()
					time.AfterFunc(3*oneWay/2, func() { m.Break(errors.New("cut behind the challenge")) })
				}
				return c, err
			}
		}
		w.boot(40 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watchThrough(b, false)
		w.await(3*time.Second, "ws", func() bool { return v.rung() == "ws" })
		b.block(ladder.SSE)
		time.Sleep(2 * memoryTime)
		if rung := w.device.linkRung(); rung != "poll" {
			t.Errorf("the device is on %q", rung)
		}
		w.settle(v)
	})
}

// TestNextLinkFallsSilent: the link in use ends while the server is asked to let us in on the next one, where nothing comes any more.
func TestNextLinkFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		b := &box{}
		b.block(ladder.WS, ladder.SSE)
		silenced := false
		w.before = func(d *device) {
			d.behind(b, w.relay, d.host.link, true)
			through := d.host.link.racer.dial
			d.host.link.racer.dial = func(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
				older := d.medium()
				c, err := through(ctx, rung, open, connected)
				if err == nil && rung == ladder.WS && !silenced {
					silenced = true
					next := d.medium()
					time.AfterFunc(3*oneWay/2, func() { // behind the challenge
						next.Cut()
						older.Break(errors.New("cut"))
					})
					t.Cleanup(next.Heal)
				}
				return c, err
			}
		}
		w.boot(40 * time.Millisecond)
		time.Sleep(time.Second)
		b.block()
		time.Sleep(memoryTime + moveTime + 2*time.Second)
		if rung := w.device.linkRung(); rung != "ws" || !silenced {
			t.Errorf("the device is on %q", rung)
		}
	})
}

// TestRestartIsNoStorm: hundreds of viewers on the relay come back after the
// server's restart, spread over the time, with few tries each.
func TestRestartIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		b := &box{}
		w.boot(time.Second)
		time.Sleep(time.Second)
		var viewers []*watcher
		for range 300 {
			viewers = append(viewers, w.watchThrough(b, true))
		}
		time.Sleep(2 * time.Second)
		stopped, before := time.Now(), b.dialed()
		w.relay.Stop()
		most, last := 0, before
		tick := func() {
			time.Sleep(100 * time.Millisecond)
			most, last = max(most, b.dialed()-last), b.dialed()
		}
		for time.Since(stopped) < 3*time.Second {
			tick()
		}
		w.relay.Start()
		started := time.Now()
		back := func() (n int) {
			for _, v := range viewers {
				v.conn.loop.ask(t.Context(), func() {
					if v.conn.link.leg != nil {
						n++
					}
				})
			}
			return n
		}
		for back() < len(viewers) && time.Since(started) < 15*time.Second {
			tick()
		}
		tries := float64(b.dialed()-before) / float64(len(viewers))
		t.Logf("all back after %v; %.1f tries each, at most %d within 100 ms", time.Since(started), tries, most)
		if n := back(); n < len(viewers) || most > len(viewers)/3 || tries > 7 {
			t.Errorf("%d of %d are back, %.1f tries each, %d within 100 ms", n, len(viewers), tries, most)
		}
	})
}

// TestOwnHelloOvertaken: a server that starts answers on two rungs at once, and the hello on the one that was heard first
// comes behind that on the better one. It takes the device over from itself, which is no reason to stay away.
func TestOwnHelloOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		const late = 20 * oneWay
		w.before = func(d *device) {
			d.behind(&box{}, w.relay, d.host.link, true)
			through := d.host.link.racer.dial
			d.host.link.racer.dial = func(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error) {
				if rung == ladder.WS {
					connected()
					time.Sleep(headStart + oneWay)
				}
				c, err := through(ctx, rung, open, connected)
				if err == nil && rung == ladder.SSE {
					m := d.medium()
					time.AfterFunc(3*oneWay/2, m.Cut) // behind the challenge
					time.AfterFunc(late, m.Heal)
				}
				return c, err
			}
		}
		w.boot(40 * time.Millisecond)
		time.Sleep(headStart + late + time.Second)
		v := w.watch(nil)
		took := w.await(time.Second, "samples", func() bool { return v.rung() == "udp" })
		t.Logf("samples after %v", took)
		if rung := w.device.linkRung(); rung != "ws" {
			t.Errorf("the device is on %q", rung)
		}
		w.settle(v)
	})
}
