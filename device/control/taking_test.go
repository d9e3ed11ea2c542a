package control

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// meanwhile has something happen, once, while the disk takes what it is given next.
func (a *Authority) meanwhile(do func()) {
	disk := a.cfg.FS.(interface{ FailWith(func(op string) error) })
	disk.FailWith(func(op string) error {
		if op == "sync" && do != nil {
			now := do
			do = nil
			now()
		}
		return nil
	})
}

// atDesk is an authority whose desk the test is: what is queued stays there until it is obeyed. Nothing else runs.
func atDesk(t *testing.T) (*Authority, *viewer) {
	t.Helper()
	a := idle(t)
	a.running = true
	r := &rig{t: t, Authority: a}
	return a, r.viewer("Anna", operatorRole)
}

// order has the authority hear a command of this run.
func (v *viewer) order(c rpc.Command) (id string) {
	at, _ := v.r.cfg.now()
	c.ID, c.Epoch, c.By = v.r.id(), v.r.epoch, at+60_000_000
	v.r.Command(v, c.Append(nil))
	return c.ID
}

// TestAStopWhileTheDiskTakesACall: the call came before the stop, and does not outlast it because a reset is quick.
func TestAStopWhileTheDiskTakesACall(t *testing.T) {
	a, anna := atDesk(t)
	id := anna.order(rpc.Command{Type: rpc.Call, Method: "horn"})
	a.meanwhile(func() { anna.order(rpc.Command{Type: rpc.Stop}) })
	a.obey(<-a.orders)
	a.keep()
	anna.order(rpc.Command{Type: rpc.Reset})
	a.obey(<-a.orders)
	if a.stop.Latched {
		t.Fatal("the reset is refused")
	}
	if c := a.hands[0].first(); c != nil {
		t.Error("it would run now")
	}
	if c, _ := a.journal.Call(id); c.State != rpc.Rejected || c.Code != rpc.CodeStopped {
		t.Errorf("%+v", c)
	}
}

// TestAResetThatCameBeforeTheStop ends none, though it names none that its sender knows, and what was called in between
// does not run.
func TestAResetThatCameBeforeTheStop(t *testing.T) {
	a, anna := atDesk(t)
	anna.order(rpc.Command{Type: rpc.Stop})
	anna.order(rpc.Command{Type: rpc.Reset})
	id := anna.order(rpc.Command{Type: rpc.Call, Method: "horn"})
	anna.order(rpc.Command{Type: rpc.Stop})
	for range 2 {
		a.obey(<-a.orders)
	}
	if !a.stop.Latched {
		t.Error("the stop has ended")
	}
	if c, _ := a.journal.Call(id); c.State != rpc.Rejected || c.Code != rpc.CodeStopped {
		t.Errorf("%+v", c)
	}
}

// TestWhoAsksWhileTheDiskTakesACall is told its end, whichever Conn it came on.
func TestWhoAsksWhileTheDiskTakesACall(t *testing.T) {
	a, anna := atDesk(t)
	again := anna.r.viewer("again", operatorRole)
	id := anna.order(rpc.Command{Type: rpc.Call, Method: "horn"})
	a.meanwhile(func() { a.Command(again, rpc.Command{Type: rpc.Ask, ID: id}.Append(nil)) })
	a.obey(<-a.orders)
	if c := a.calls[id]; c == nil || c.from != again.conn {
		t.Errorf("%+v", c)
	}
}

// TestTheEndWhileTheDiskTakesACall: that it never ran is known after the next start.
func TestTheEndWhileTheDiskTakesACall(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		r.slowly(200 * time.Millisecond)
		id := anna.say(rpc.Command{Type: rpc.Call, Method: "horn"})
		r.end()
		if ran := r.rover.ran(); len(ran) > 0 {
			t.Errorf("ran: %v", ran)
		}
		r.disk.Heal()
		r.start(Config{})
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Ask, ID: id})); o.State != rpc.Rejected || o.Code != rpc.CodeCancelled {
			t.Errorf("%+v", o)
		}
	})
}

// TestTheEndWhileTheDiskTakesALease: nobody is shown to have it then.
func TestTheEndWhileTheDiskTakesALease(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		r.slowly(200 * time.Millisecond)
		id := anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Take})
		r.end()
		if o := anna.of(id); o.Mine || o.Code != rpc.CodeNotOffered {
			t.Errorf("%+v", o)
		}
		if holder := r.sink.get("control/holder"); holder != "" {
			t.Errorf("%s has it", holder)
		}
		r.disk.Heal()
		r.start(Config{})
	})
}
