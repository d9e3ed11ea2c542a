package peer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
)

// shaft is what the data channels of links to the server lead through, for all
// who are lifted.
type shaft struct {
	box
	media []*peertest.Medium // guarded by box.mu
	tried int                // guarded by box.mu
	short int                // so many of the next end behind the server's first word; guarded by box.mu
}

// lifted has a node's link move to data channels, through a shaft.
func (n *node) lifted(s *shaft, r *peertest.Relay, l *link, device bool) {
	n.behind(&s.box, r, l, device)
	if !l.lift.udp && !l.lift.tcp {
		return
	}
	l.lift.dial = func(ctx context.Context, noUDP, noTCP bool) (carrier.Carrier, error) {
		s.mu.Lock()
		s.tried++
		s.mu.Unlock()
		time.Sleep(4 * oneWay)
		rung := ladder.RelayUDP
		if noUDP || s.stops(rung) {
			rung = ladder.RelayTCP
		}
		if rung == ladder.RelayTCP && (noTCP || s.stops(rung)) {
			<-ctx.Done()
			return nil, carrier.Fail("relay-blocked", "", nil)
		}
		c, m, err := r.DialOn(rung, device, nil)
		if err != nil {
			return nil, carrier.Fail("refused", "", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.media = append(s.media, m)
		if s.short > 0 {
			s.short--
			time.AfterFunc(3*oneWay/2, func() { m.Break(errors.New("cut behind the challenge")) })
		}
		return c, nil
	}
}

// cut silences all that is there, and blocks what comes.
func (s *shaft) cut(rungs ...ladder.Rung) {
	s.block(rungs...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.media {
		m.Cut()
	}
	s.media = nil
}

func (s *shaft) tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried
}

// liftWorld is a device and a viewer without a direct path.
func liftWorld(t *testing.T, s *shaft, liftDevice, liftViewer bool, change func(*ViewConfig)) (*world, *watcher) {
	w := newWorld(t, peertest.Config{})
	if liftDevice {
		w.before = func(d *device) { d.lifted(s, w.relay, d.host.link, true) }
	}
	w.boot(20 * time.Millisecond)
	time.Sleep(time.Second)
	v := w.watchWith(func(c *ViewConfig) {
		c.NoDirect = true
		if change != nil {
			change(c)
		}
	}, nil, func(v *watcher) {
		if liftViewer {
			v.lifted(s, w.relay, v.conn.link, false)
		}
	})
	return w, v
}

// TestLinkIsLifted: a link that carries for want of a better path moves to data
// channels; when they fall silent it is back on the WebSocket within 1.5 s; and
// it climbs again. Nothing is lost or repeated.
func TestLinkIsLifted(t *testing.T) {
	for _, who := range []string{"viewer", "device", "both"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shaft{}
				w, v := liftWorld(t, s, who != "viewer", who != "device", nil)
				onTop := func() bool {
					return (who == "device" || v.rung() == "relay-udp") && (who == "viewer" || w.device.linkRung() == "relay-udp")
				}
				took := w.await(5*time.Second, "data channels", onTop)
				t.Logf("on data channels %v after the start", took)
				time.Sleep(12 * time.Second)

				v.mu.Lock()
				v.silence = 0
				v.mu.Unlock()
				s.cut(ladder.RelayUDP, ladder.RelayTCP)
				w.await(1500*time.Millisecond, "the WebSocket", func() bool {
					return (who == "device" || v.rung() == "ws") && (who == "viewer" || w.device.linkRung() == "ws")
				})
				time.Sleep(2 * time.Second)
				v.mu.Lock()
				quiet := v.silence
				v.mu.Unlock()
				t.Logf("longest silence of Live %v", quiet)
				if quiet > 1500*time.Millisecond {
					t.Errorf("Live was silent for %v", quiet)
				}
				time.Sleep(18 * time.Second)
				if why := v.reason(); who != "device" && !strings.Contains(why, "relay-blocked") {
					t.Errorf("reason %q", why)
				}
				s.block()
				w.await(40*time.Second, "data channels again", onTop)
				w.settle(v)
				if len(v.gaps) > 0 {
					t.Errorf("gaps %v", v.gaps)
				}
			})
		})
	}
}

// TestLiftOverTCP: where UDP does not pass TCP carries, says why, and UDP is tried again.
func TestLiftOverTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shaft{}
		s.block(ladder.RelayUDP)
		w, v := liftWorld(t, s, false, true, nil)
		w.await(5*time.Second, "TCP", func() bool { return v.rung() == "relay-tcp" })
		if why := v.reason(); !strings.Contains(why, "UDP to the server") || !strings.Contains(why, "udp-blocked") {
			t.Errorf("reason %q", why)
		}
		s.block()
		w.await(10*time.Second, "UDP", func() bool { return v.rung() == "relay-udp" })
		if why := v.reason(); strings.Contains(why, "udp-blocked") {
			t.Errorf("reason %q", why)
		}
		w.settle(v)
	})
}

// TestLiftThatEndsBeforeTheWelcome: channels that the server never let us in on have failed, too, and are tried again.
func TestLiftThatEndsBeforeTheWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shaft{short: 2}
		w, v := liftWorld(t, s, true, false, nil)
		took := w.await(25*time.Second, "data channels", func() bool { return w.device.linkRung() == "relay-udp" })
		t.Logf("on data channels %v after the start, at the third try", took)
		if tries := s.tries(); tries != 3 {
			t.Errorf("%d tries, want 3", tries)
		}
		w.settle(v)
	})
}

// TestLiftHonoursOnly: what is not allowed is not tried, and does not carry.
func TestLiftHonoursOnly(t *testing.T) {
	for only, want := range map[string]string{
		"ws": "ws", "relay-udp,ws": "relay-udp", "relay-tcp,ws": "relay-tcp", "relay-udp": "relay-udp", "relay-tcp": "relay-tcp",
	} {
		t.Run(only, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shaft{}
				w, v := liftWorld(t, s, false, true, func(c *ViewConfig) {
					rungs, err := ParseOnly(strings.Split(only, ","))
					if err != nil {
						t.Fatal(err)
					}
					c.Endpoint.Only = rungs
				})
				time.Sleep(10 * time.Second)
				if v.rung() != want {
					t.Errorf("on %s: %s", v.rung(), v.reason())
				}
				if only == "ws" && s.tries() > 0 {
					t.Error("data channels were tried")
				}
				v.mu.Lock()
				for _, p := range v.paths {
					if p.OK && !strings.Contains(only, p.Rung.String()) {
						t.Errorf("%v carried", p.Rung)
					}
				}
				v.mu.Unlock()
				w.settle(v)
			})
		})
	}
}

// TestNoLiftBesideABetterPath: with a direct path nobody needs the server's data channels, and who is on them leaves.
func TestNoLiftBesideABetterPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shaft{}
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.before = func(d *device) { d.lifted(s, w.relay, d.host.link, true) }
		w.boot(40 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watchWith(nil, nil, func(v *watcher) { v.lifted(s, w.relay, v.conn.link, false) })
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(time.Minute)
		if n := s.tries(); n > 0 {
			t.Errorf("data channels to the server were tried %d times", n)
		}
		w.ether.Cut()
		w.await(10*time.Second, "the server's data channels", func() bool { return v.rung() == "relay-udp" && w.device.linkRung() == "relay-udp" })
		w.ether.Heal()
		w.await(time.Minute, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(idleAfter + 5*time.Second)
		if viewer, device := v.conn.link.rung(t), w.device.linkRung(); viewer != "ws" || device != "relay-udp" {
			t.Errorf("the viewer's link is on %s, the device's on %s: they do not move at the same time", viewer, device)
		}
		time.Sleep(deviceIdleAfter - idleAfter)
		if rung := w.device.linkRung(); rung != "ws" {
			t.Errorf("the device's link is on %s", rung)
		}
		w.settle(v)
	})
}

// TestLiftOfADeadServer: nobody storms a server that is gone, from data channels either.
func TestLiftOfADeadServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shaft{}
		w, v := liftWorld(t, s, true, true, nil)
		w.await(5*time.Second, "data channels", func() bool { return v.rung() == "relay-udp" && w.device.linkRung() == "relay-udp" })
		before := s.dialed()
		w.relay.Stop()
		time.Sleep(time.Minute)
		if n := s.dialed() - before; n > 40 { // two of them
			t.Errorf("%d connections were tried in a minute", n)
		}
		w.relay.Start()
		w.await(20*time.Second, "samples", func() bool { return v.rung() != "" })
		w.settle(v)
	})
}

// TestFallingTwice: data channels that die young are trusted later each time.
func TestFallingTwice(t *testing.T) {
	l := newLift(Endpoint{}, func(context.Context, bool, bool) (carrier.Carrier, error) { return nil, nil })
	now, waits := time.Duration(0), []time.Duration(nil)
	for range 7 {
		l.moved(now, ladder.RelayUDP)
		now += 5 * time.Second
		l.fell(now, ladder.RelayUDP)
		waits = append(waits, l.next-now-liftAfter)
		now = l.next
	}
	want := []time.Duration{1, 2, 4, 8, 16, 30, 30}
	for i := range want {
		if waits[i] != want[i]*time.Second {
			t.Fatalf("waits %v", waits)
		}
	}
	now += 2 * liftForgiven
	l.moved(now-time.Second, ladder.RelayUDP)
	if l.fell(now, ladder.RelayUDP); l.next != now+liftAfter+liftStay {
		t.Errorf("not forgiven: %v", l.next-now)
	}
}

// TestDevicePrefersTheRelay: a viewer's link stays on data channels while the device sends there, though the viewer itself would rather use another path.
func TestDevicePrefersTheRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forDevice, forViewer := &shaft{}, &shaft{}
		forViewer.block(ladder.RelayUDP)
		w := newWorld(t, peertest.Config{Rung: ladder.TurnTCP, Delay: oneWay})
		w.ether.Cut()
		w.before = func(d *device) { d.lifted(forDevice, w.relay, d.host.link, true) }
		w.boot(20 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watchWith(nil, nil, func(v *watcher) {
			v.lifted(forViewer, w.relay, v.conn.link, false)
			v.conn.link.lift.idle = 5 * time.Second // before the next attempt at UDP
		})
		linkRung := func() string { return v.conn.link.rung(t) }
		w.await(10*time.Second, "data channels", func() bool { return w.device.linkRung() == "relay-udp" && linkRung() == "relay-tcp" })
		w.ether.Heal()
		w.await(time.Minute, "the path that the viewer prefers", func() bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.paths[len(v.paths)-1].Rung == ladder.TurnTCP
		})
		for range 60 {
			time.Sleep(time.Second)
			if rung := linkRung(); rung != "relay-tcp" {
				t.Fatalf("the viewer's link is on %s", rung)
			}
		}
		v.mu.Lock()
		if v.lastRung != "relay-tcp" {
			t.Errorf("samples come on %s", v.lastRung)
		}
		v.mu.Unlock()
		w.settle(v)
	})
}
