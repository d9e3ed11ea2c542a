package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// slowly has each sync take its time.
func (r *rig) slowly(d time.Duration) {
	r.disk.FailWith(func(op string) error {
		if op == "sync" {
			time.Sleep(d)
		}
		return nil
	})
}

// What is said of a call stays true, also where it is said while the disk takes the call.
func TestWordsWhileTheDiskTakesACall(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		r.slowly(200 * time.Millisecond)
		cancelled := anna.say(rpc.Command{Type: rpc.Call, Method: "horn"})
		anna.say(rpc.Command{Type: rpc.Cancel, ID: cancelled})
		r.after(time.Second)
		if o := anna.of(cancelled); o.State != rpc.Rejected || o.Code != rpc.CodeCancelled {
			t.Errorf("%+v", o)
		}
		asked := anna.say(rpc.Command{Type: rpc.Call, Method: "count"})
		anna.say(rpc.Command{Type: rpc.Ask, ID: asked})
		r.after(time.Second)
		for _, o := range anna.heard() {
			if o.ID == asked && o.State.Ended() && o.State != rpc.Done {
				t.Errorf("%+v", o)
			}
		}
		if got := r.rover.ran(); !slices.Equal(got, []string{"count"}) {
			t.Errorf("ran: %v", got)
		}
	})
}

// A reset that the disk refused may be in its file all the same. The stop outlasts it, and the next start.
func TestARefusedResetEndsNoStop(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.say(rpc.Command{Type: rpc.Stop})
		r.after(time.Second)
		broken := errors.New("broken")
		r.disk.FailWith(func(op string) error {
			if op == "sync" {
				return broken
			}
			return nil
		})
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Reset})); o.Code != rpc.CodeJournal || !o.Stopped {
			t.Errorf("%+v", o)
		}
		r.disk.Heal()
		r.after(2 * persistRetry)
		r.end()
		r.start(Config{})
		if !r.stop.Latched {
			t.Error("the stop has ended")
		}
	})
}

// A reset that was on its way when another stop came is not for that.
func TestAResetEndsNoLaterStop(t *testing.T) {
	within(t, func(r *rig) {
		anna, bert := r.viewer("Anna", operatorRole), r.viewer("Bert", operatorRole)
		r.after(time.Millisecond)
		seen := anna.of(anna.say(rpc.Command{Type: rpc.Stop}))
		r.after(time.Millisecond)
		again := bert.of(bert.say(rpc.Command{Type: rpc.Stop}))
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Reset, At: seen.At})); o.Code != rpc.CodeStopped || !o.Stopped {
			t.Errorf("%+v", o)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Reset, At: again.At})); o.Code != "" || o.Stopped {
			t.Errorf("%+v", o)
		}
		anna.say(rpc.Command{Type: rpc.Stop})
		if o := bert.of(bert.say(rpc.Command{Type: rpc.Reset})); o.Code != "" || o.Stopped { // of a viewer that does not say it
			t.Errorf("%+v", o)
		}
	})
}

// However many operate, each of them can stop.
func TestEveryOperatorCanStop(t *testing.T) {
	within(t, func(r *rig) {
		for i := range 300 {
			r.viewer(fmt.Sprint(i), operatorRole).say(rpc.Command{Type: rpc.Operate, On: true})
		}
		last := r.viewer("last", operatorRole)
		if o := last.of(last.say(rpc.Command{Type: rpc.Stop})); !o.Stopped {
			t.Errorf("%+v", o)
		}
	})
}

// An id that something else had keeps nobody from stopping, and nor does a name that cannot be read.
func TestAStopIsObeyedWhateverItsID(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		id := anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Take})
		if anna.say(rpc.Command{Type: rpc.Stop, ID: id}); !r.stop.Latched {
			t.Error("it does not stop")
		}
		anna.heard()
		r.Command(anna, []byte(`{"type": "stop", "id": "odd", "name": "\u0000"}`))
		if o := anna.of("odd"); !o.Stopped {
			t.Errorf("%+v", o)
		}
	})
}

// What a call does that was told to end may come behind what made all safe.
func TestACallThatEndsLateIsMadeSafe(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		for _, ends := range []func(){
			func() {
				anna.say(rpc.Command{Type: rpc.Stop})
				anna.say(rpc.Command{Type: rpc.Reset}) // the call does not know
			},
			func() { anna.say(rpc.Command{Type: rpc.Stop}) },
		} {
			anna.say(rpc.Command{Type: rpc.Call, Method: "creep"})
			ends()
			r.after(time.Second)
			if r.rover.moves() {
				t.Error("it moves on")
			}
		}
	})
}

// A call that was cancelled before the stop came is no less late.
func TestACancelledCallThatEndsLateIsMadeSafe(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		id := anna.say(rpc.Command{Type: rpc.Call, Method: "creep"})
		anna.say(rpc.Command{Type: rpc.Cancel, ID: id})
		anna.say(rpc.Command{Type: rpc.Stop})
		anna.say(rpc.Command{Type: rpc.Reset})
		r.after(time.Second)
		if r.rover.moves() {
			t.Error("it moves on")
		}
	})
}

// What needs the lease ends with it, and what it sets then is made safe; what needs none goes on.
func TestACallEndsWithItsLease(t *testing.T) {
	for name, ends := range map[string]func(r *rig, anna, bert *viewer){
		"given back":  func(_ *rig, anna, _ *viewer) { anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Release}) },
		"taken over":  func(_ *rig, _, bert *viewer) { bert.say(rpc.Command{Type: rpc.Lease, Do: rpc.TakeOver}) },
		"not renewed": func(r *rig, _, _ *viewer) { r.after(leaseTTL * time.Microsecond) },
		"and in queue": func(_ *rig, anna, _ *viewer) {
			anna.call("haul", "")
			anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Release})
		},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(r *rig) {
				anna, bert := r.viewer("Anna", operatorRole), r.viewer("Bert", admin)
				anna.take()
				id := anna.say(rpc.Command{Type: rpc.Call, Method: "haul", Fence: anna.fence})
				ends(r, anna, bert)
				r.after(time.Second)
				if o := anna.of(id); o.State != rpc.Failed || o.Reason != "the lease has ended" {
					t.Errorf("%+v", o)
				}
				if ran := r.rover.ran(); r.rover.moves() || len(ran) != 1 {
					t.Errorf("it moves on; %v ran", ran)
				}
			})
		})
	}
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.take()
		id := anna.say(rpc.Command{Type: rpc.Call, Method: "wait"})
		anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Release})
		close(r.rover.hold)
		r.after(time.Second)
		if o := anna.of(id); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
	})
}

// A call that was given up at its limit sets something when its lease has ended, or behind a stop that was reset.
func TestACallThatWasGivenUpIsMadeSafe(t *testing.T) {
	for name, ends := range map[string]func(anna *viewer){
		"lease": func(anna *viewer) { anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Release}) },
		"stop": func(anna *viewer) {
			anna.say(rpc.Command{Type: rpc.Stop})
			anna.say(rpc.Command{Type: rpc.Reset})
		},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(r *rig) {
				r.rover.creeps = 5 * time.Second
				anna := r.viewer("Anna", operatorRole)
				anna.take()
				id := anna.say(rpc.Command{Type: rpc.Call, Method: "drag", Fence: anna.fence})
				r.after(3 * time.Second)
				if o := anna.of(id); o.State != rpc.Unknown {
					t.Fatalf("%+v", o)
				}
				ends(anna)
				r.after(2500 * time.Millisecond)
				if r.rover.moves() {
					t.Fatal("it moves before it comes back")
				}
				r.after(time.Second)
				if r.rover.moves() {
					t.Error("it moves on")
				}
			})
		})
	}
}

// Somebody may drive again by then: he has to begin anew.
func TestACallThatEndsWhileSomebodyDrives(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.say(rpc.Command{Type: rpc.Call, Method: "creep"})
		anna.say(rpc.Command{Type: rpc.Stop})
		anna.say(rpc.Command{Type: rpc.Reset})
		anna.take()
		anna.drive()
		anna.drive(speed(1))
		if r.rover.get(1) != 1 {
			t.Fatal("it does not move")
		}
		r.after(150 * time.Millisecond)
		anna.drive(speed(2))
		if r.rover.get(1) != 0 {
			t.Error("it moves on, from where nobody knows")
		}
		anna.drive()
		anna.drive(speed(2))
		if r.rover.get(1) != 2 {
			t.Error("it does not move again")
		}
	})
}

// A stop that comes while the program ends is on the disk.
func TestAStopWhileTheProgramEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, disk: newDisk()}
		r.start(Config{})
		anna := r.viewer("Anna", operatorRole)
		r.rover.safely = 2 * endPatience
		go func() {
			time.Sleep(endPatience + time.Second) // the desk has gone, the actuator is not safe yet
			anna.say(rpc.Command{Type: rpc.Stop})
		}()
		r.end()
		r.start(Config{})
		if !r.stop.Latched {
			t.Error("it is forgotten")
		}
		r.end()
	})
}

// While the journal cannot be read, nobody knows what has run.
func TestNothingIsClaimedOfWhatCannotBeRead(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		ran := rpc.Command{Type: rpc.Call, Method: "horn", ID: r.id(), Epoch: r.epoch, By: r.tick().At + 60_000_000}
		anna.say(ran)
		r.end()
		broken := errors.New("broken")
		r.disk.FailWith(func(string) error { return broken })
		r.start(Config{})
		anna.heard()
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Ask, ID: ran.ID})); o.State != rpc.Unknown {
			t.Errorf("%+v", o)
		}
		if o := anna.of(anna.say(ran)); o.State != rpc.Unknown || o.Code != rpc.CodeStale {
			t.Errorf("%+v", o)
		}
		r.disk.Heal()
	})
}

// Whatever a method returns, what is said of its end can be carried and read.
func TestResultsThatCannotBeRead(t *testing.T) {
	for result, reason := range map[string]string{
		`"` + strings.Repeat("<&>", (maxResult-2)/3) + `"`: "",
		strings.Repeat("[", 15) + strings.Repeat("]", 15):  "",
		strings.Repeat("[", 16) + strings.Repeat("]", 16):  "its result is nested deeper than 15",
		"\"\xff\"": "its result is not JSON",
	} {
		within(t, func(r *rig) {
			anna := r.viewer("Anna", operatorRole)
			r.rover.result = json.RawMessage(result)
			if o := anna.call("horn", ""); o.State != rpc.Done || o.Reason != reason || (reason == "") != (string(o.Result) == result) {
				t.Errorf("%.20q: %.200v", result, o)
			}
		})
	}
}
