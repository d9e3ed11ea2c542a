package peer

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
)

var someServer = signal.Server{URLs: []string{"turn:relay:1?transport=udp"}, Username: "u", Credential: "c"}

// count is how many connections of a kind a viewer has.
func (v *watcher) count(k kind) (n int) {
	v.conn.loop.ask(v.world.t.Context(), func() { n = len(v.conn.attempts.of(k)) })
	return n
}

// TestTurnedWhereDirectDoesNotGo, and direct takes over as soon as it does. When
// that has lasted, the turned one is given up, at both ends.
func TestTurnedWhereDirectDoesNotGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Tell(someServer)
		w.ether.Cut()
		d := w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		took := w.await(5*time.Second, "turned", func() bool { return v.rung() == "turn-udp" })
		t.Logf("turned after %v", took)
		if took < turnedAfter {
			t.Errorf("turned after %v, before a direct one had %v", took, turnedAfter)
		}
		time.Sleep(30 * time.Second)
		v.mu.Lock()
		reason := v.paths[len(v.paths)-1].Reason
		v.mu.Unlock()
		if !strings.Contains(reason, "no direct path") {
			t.Errorf("on TURN because of %q", reason)
		}
		w.ether.Heal()
		w.await(20*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(spareTime - 15*time.Second)
		if v.count(turned) != 1 {
			t.Error("the turned connection is no spare")
		}
		time.Sleep(20 * time.Second)
		if v.count(turned) != 0 || d.count(turned) != 0 {
			t.Errorf("%d and %d turned connections beside a direct one that lasts", v.count(turned), d.count(turned))
		}
		w.settle(v)
		v.mu.Lock() // its samples go on
		defer v.mu.Unlock()
		if len(v.gaps) > 0 || v.silence > 500*time.Millisecond {
			t.Errorf("gaps %v, %v without a sample", v.gaps, v.silence)
		}
	})
}

// count is how many connections of a kind a device has to its viewers.
func (d *device) count(k kind) (n int) {
	d.host.loop.ask(d.world.t.Context(), func() {
		for _, c := range d.host.conns {
			n += len(c.attempts.of(k))
		}
	})
	return n
}

// TestNoTurnedWhereItIsOfNoUse: beside a direct connection, without a server, with
// a device that was told of none or may not use it.
func TestNoTurnedWhereItIsOfNoUse(t *testing.T) {
	for _, c := range []struct {
		name    string
		direct  bool
		servers []signal.Server
		only    []ladder.Rung
	}{
		{"direct works", true, []signal.Server{someServer}, nil},
		{"no server", false, nil, nil},
		{"server without URLs", false, []signal.Server{{Username: "u", Credential: "c"}}, nil},
		{"other rungs only", false, []signal.Server{someServer}, []ladder.Rung{ladder.UDP, ladder.TurnTCP, ladder.WS}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, peertest.Config{Delay: oneWay})
				w.relay.Tell(c.servers...)
				if !c.direct {
					w.ether.Cut()
				}
				w.before = func(d *device) { d.host.cfg.Endpoint.Only = c.only }
				w.boot(10 * time.Millisecond)
				time.Sleep(time.Second)
				v := w.watch(nil)
				time.Sleep(30 * time.Second)
				if n := w.turn.Made(); n > 0 {
					t.Errorf("%d turned connections were begun", n)
				}
				if want := map[bool]string{true: "udp", false: "ws"}[c.direct]; v.rung() != want {
					t.Errorf("on %s, want %s", v.rung(), want)
				}
			})
		})
	}
}

// TestTurnedOverTCP: where the way to the TURN server came up over TCP, one over UDP is looked for, and takes over.
func TestTurnedOverTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Tell(signal.Server{URLs: []string{"turn:relay:1?transport=udp", "turn:relay:1?transport=tcp"}, Username: "u", Credential: "c"})
		w.ether.Cut()
		w.turn.On(ladder.TurnTCP)
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(5*time.Second, "turned", func() bool { return v.rung() == "turn-tcp" })
		w.turn.On(ladder.TurnUDP)
		time.Sleep(attemptTime - 2*time.Second)
		if made := w.turn.Made(); made != 1 {
			t.Errorf("%d turned connections were begun in the first 10 s, want 1", made)
		}
		w.await(10*time.Second, "UDP", func() bool { return v.rung() == "turn-udp" })
		time.Sleep(time.Minute)
		if made := w.turn.Made(); made != 2 {
			t.Errorf("%d turned connections were begun, want 2", made)
		}
		w.settle(v)
		v.mu.Lock() // its samples go on
		defer v.mu.Unlock()
		if len(v.gaps) > 0 {
			t.Errorf("gaps %v", v.gaps)
		}
	})
}

// TestTurnedStepsIn for a direct connection that dies, and is replaced itself:
// never more than two of a kind.
func TestTurnedStepsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Tell(someServer)
		w.boot(10 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(10 * time.Second)
		w.ether.Cut()
		w.await(6*time.Second, "turned", func() bool { return v.rung() == "turn-udp" })
		time.Sleep(10 * time.Second)
		w.turn.Cut()
		w.await(1500*time.Millisecond, "the relay", func() bool { return v.rung() == "ws" })
		for range 300 {
			time.Sleep(200 * time.Millisecond)
			if a, b := v.count(directly), v.count(turned); a > maxAttempts || b > maxAttempts {
				t.Fatalf("%d direct and %d turned connections", a, b)
			}
		}
		w.turn.Heal()
		w.await(20*time.Second, "turned again", func() bool { return v.rung() == "turn-udp" })
		w.settle(v)
		if len(v.gaps) > 0 {
			t.Errorf("gaps %v", v.gaps)
		}
	})
}

// TestOldCredentialsAreRenewed before they are used.
func TestOldCredentialsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{Delay: oneWay})
		w.relay.Tell(someServer)
		w.boot(100 * time.Millisecond)
		time.Sleep(time.Second)
		v := w.watch(nil)
		w.await(5*time.Second, "direct", func() bool { return v.rung() == "udp" })
		time.Sleep(serversAge)
		newer := someServer
		newer.Username = "newer"
		w.relay.Tell(newer)
		w.ether.Cut()
		w.await(8*time.Second, "turned", func() bool { return v.rung() == "turn-udp" })
		ofViewer := ""
		v.conn.loop.ask(t.Context(), func() { ofViewer = v.conn.servers[0].Username })
		ofDevice := ""
		w.device.host.loop.ask(t.Context(), func() {
			for _, c := range w.device.host.conns {
				ofDevice = c.servers[0].Username
			}
		})
		if ofViewer != "newer" || ofDevice != "newer" {
			t.Errorf("used %q and %q", ofViewer, ofDevice)
		}
	})
}

// TestTurnRungs: what may be used is chosen by URL, and what is used is what may.
func TestTurnRungs(t *testing.T) {
	told := []signal.Server{
		{URLs: []string{"turn:h:1?transport=udp", "turn:h:1?transport=tcp", "turns:h:1?transport=tcp", "turn:h"}},
		{URLs: []string{"turn:other:1"}},
	}
	urls := func(only ...ladder.Rung) string {
		var all []string
		for _, s := range (Endpoint{Only: only}).turnServers(told) {
			all = append(all, s.URLs...)
		}
		return strings.Join(all, " ")
	}
	for only, want := range map[ladder.Rung]string{
		ladder.TurnUDP: "turn:h:1?transport=udp turn:h turn:other:1",
		ladder.TurnTCP: "turn:h:1?transport=tcp",
		ladder.TurnTLS: "turns:h:1?transport=tcp",
		ladder.UDP:     "",
	} {
		if got := urls(only); got != want {
			t.Errorf("%v: %q, want %q", only, got, want)
		}
	}
	if got := urls(); len(strings.Fields(got)) != 5 {
		t.Errorf("all: %q", got)
	}
}
