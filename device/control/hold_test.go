package control

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// withGuard runs a test in simulated time, with a guard that watches.
func withGuard(t *testing.T, f func(r *rig, g *fakeGuard)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, g := &rig{t: t, disk: newDisk()}, &fakeGuard{watching: true}
		r.start(Config{Guard: g})
		f(r, g)
		r.end()
	})
}

// fed says how often the guard is fed in some time.
func (g *fakeGuard) fed(r *rig, d time.Duration) int {
	before, _, _ := g.told()
	r.after(d)
	beats, _, _ := g.told()
	return beats - before
}

func (g *fakeGuard) acts() bool {
	_, _, armed := g.told()
	return armed
}

// What a method switched on under the lease is off when this program is stopped: the guard acts when nothing feeds it any more.
func TestWhatTheLeaseKeepsOnIsGuarded(t *testing.T) {
	withGuard(t, func(r *rig, g *fakeGuard) {
		anna := r.viewer("Anna", operatorRole)
		anna.take()
		if n := g.fed(r, time.Second); n != 0 || g.acts() {
			t.Errorf("nothing is on, and it is fed %d times", n)
		}
		anna.call("horn", "")
		if n := g.fed(r, time.Second); n != 0 {
			t.Errorf("nothing needs the lease, and it is fed %d times", n)
		}
		anna.call("grab", "")
		if !g.acts() {
			t.Error("it is not armed when the call begins")
		}
		if n := g.fed(r, time.Second); n < 9 || n > 11 {
			t.Errorf("something is on, and it is fed %d times a second", n)
		}
		anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Release})
		if n := g.fed(r, time.Second); n != 0 || g.acts() {
			t.Errorf("all is safe, and it is fed %d times; armed: %v", n, g.acts())
		}
	})
}

// What moves is kept from being made safe by a hand alone.
func TestOnlyAHandFeedsWhatMoves(t *testing.T) {
	withGuard(t, func(r *rig, g *fakeGuard) {
		anna := drives(r)
		anna.say(rpc.Command{Type: rpc.Call, Method: "haul", Fence: anna.fence}) // which goes on
		anna.drive(speed(1))
		if n := g.fed(r, DefaultDeadman-time.Millisecond); n != 0 {
			t.Errorf("nobody drives, and it is fed %d times", n)
		}
		anna.renew()
		if n := g.fed(r, time.Second); n < 9 { // it is safe, but for the call
			t.Errorf("a call runs, and it is fed %d times a second", n)
		}
		// An actuator that cannot be made safe: the guard may be able to.
		r.rover.mu.Lock()
		r.rover.deny = errors.New("stuck")
		r.rover.mu.Unlock()
		g.lost()
		if n := g.fed(r, time.Second); n != 0 {
			t.Errorf("all is not safe, and it is fed %d times", n)
		}
	})
}

// A program that was stopped and goes on knows that the guard has made safe meanwhile.
func TestAProgramThatDidNotRun(t *testing.T) {
	withGuard(t, func(r *rig, g *fakeGuard) {
		anna := r.viewer("Anna", operatorRole)
		anna.take()
		anna.call("grab", "")
		safe := r.rover.lastSafe()
		r.asleep.Add(int64(2 * time.Second))
		if n := g.fed(r, time.Second); n != 0 || g.acts() || r.rover.lastSafe().Equal(safe) {
			t.Errorf("fed %d times, armed: %v", n, g.acts())
		}
		if !slices.Contains(r.sink.log, "made safe: the device's program did not run for a while") {
			t.Errorf("%q", r.sink.log)
		}
	})
}

// The guard is left with what could not be made safe at the end, also if nothing was driven.
func TestTheEndLeavesToTheGuardWhatIsNotSafe(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		withGuard(t, func(r *rig, g *fakeGuard) {
			r.after(time.Second)
			if stuck {
				r.rover.mu.Lock()
				r.rover.deny = errors.New("stuck")
				r.rover.mu.Unlock()
			}
			r.end()
			if g.acts() != stuck {
				t.Errorf("stuck: %v, and the guard acts: %v", stuck, g.acts())
			}
			r.end = func() {}
		})
	}
}
