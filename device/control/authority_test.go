package control

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

func TestCalls(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		if o := anna.call("set", `{"v": 3}`); o.State != rpc.Done || string(o.Result) != `{"ok":true}` || o.TookUS == 0 {
			t.Errorf("%+v", o)
		}
		for _, c := range []struct{ method, params, state, code string }{
			{"set", `{"v": 10}`, "rejected", rpc.CodeParams},
			{"set", ``, "rejected", rpc.CodeParams},
			{"horn", `{"a": 1}`, "rejected", rpc.CodeParams},
			{"horn", `{}`, "done", ""},
			{"nothing", ``, "rejected", rpc.CodeNoMethod},
			{"wipe", ``, "rejected", rpc.CodeRole},
			{"grab", ``, "rejected", rpc.CodeNoLease},
			{"rare", ``, "done", ""},
			{"rare", ``, "rejected", rpc.CodeRate},
		} {
			if o := anna.call(c.method, c.params); string(o.State) != c.state || o.Code != c.code {
				t.Errorf("%s %s: %+v", c.method, c.params, o)
			}
		}
		anna.take()
		if o := anna.call("grab", ""); o.State != rpc.Failed || o.Reason != "nothing there" {
			t.Errorf("%+v", o)
		}
		if o := r.viewer("Boss", admin).call("wipe", ""); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
		if o := r.viewer("Eve", "viewer").call("horn", ""); o.Code != rpc.CodeRole {
			t.Errorf("%+v", o)
		}
		if got := r.rover.ran(); !slices.Equal(got, []string{`set{"how":"fast","v":3}`, "horn{}", "rare", "grab", "wipe"}) {
			t.Errorf("ran: %v", got)
		}
		if log := strings.Join(r.sink.log, "\n"); !strings.Contains(log, `call "grab" by Anna: failed in`) {
			t.Error(log)
		}
	})
}

func TestAnIDRunsOnce(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		c := rpc.Command{Type: rpc.Call, Method: "count", ID: r.id(), Epoch: r.epoch, By: r.tick().At + 500_000}
		for range 20 {
			if o := anna.of(anna.say(c)); o.State != rpc.Done {
				t.Errorf("%+v", o)
			}
		}
		// The same under another method, on another Conn, and in another run: none runs.
		c.Method = "horn"
		anna.say(c)
		r.viewer("Bert", operatorRole).say(c)
		r.end()
		r.start(Config{})
		again := r.viewer("Anna", operatorRole)
		if o := again.of(again.say(c)); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
		c.ID = r.id()
		if o := again.of(again.say(c)); o.State != rpc.Rejected || o.Code != rpc.CodeStale {
			t.Errorf("%+v", o)
		}
		if len(r.rover.ran()) != 0 {
			t.Errorf("ran: %v", r.rover.ran())
		}
	})
}

func TestDeadlines(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		first := anna.say(rpc.Command{Type: rpc.Call, Method: "wait"})
		if o := anna.of(first); o.State != rpc.Running {
			t.Errorf("%+v", o)
		}
		waits := anna.say(rpc.Command{Type: rpc.Call, Method: "horn", By: r.tick().At + 50_000})
		if o := anna.of(waits); o.State != rpc.Received {
			t.Errorf("%+v", o)
		}
		r.after(51 * time.Millisecond)
		if o := anna.of(waits); o.State != rpc.Expired {
			t.Errorf("%+v", o)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Call, Method: "horn", By: r.tick().At - 1})); o.State != rpc.Expired || o.Code != rpc.CodeLate {
			t.Errorf("%+v", o)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Call, Method: "horn", By: r.tick().At + 2*maxWait})); o.Code != rpc.CodeMalformed {
			t.Errorf("%+v", o)
		}
		close(r.rover.hold)
		if o := anna.of(first); o.State != rpc.Done || o.TookUS < 50_000 {
			t.Errorf("%+v", o)
		}
		r.asleep.Store(int64(time.Hour)) // what waited in the network meanwhile is too late
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Call, Method: "horn", By: r.tick().At - 3_599_000_000})); o.State != rpc.Expired {
			t.Errorf("%+v", o)
		}
		if got := r.rover.ran(); !slices.Equal(got, []string{"wait"}) {
			t.Errorf("ran: %v", got)
		}
	})
}

// The end of a call is told until it was seen.
func TestEndsAreRepeated(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		id := anna.say(rpc.Command{Type: rpc.Call, Method: "horn"})
		r.after(time.Second)
		ends := 0
		for _, o := range anna.heard() {
			if o.State == rpc.Done {
				ends++
			}
		}
		if ends != 3 { // at once, and after 200 and 600 ms
			t.Errorf("told %d times in a second", ends)
		}
		r.after(10 * time.Second)
		if len(anna.heard()) == 0 {
			t.Error("it is not told any more")
		}
		anna.say(rpc.Command{Type: rpc.Seen, ID: id})
		anna.heard()
		r.after(20 * time.Second)
		if heard := anna.heard(); len(heard) != 0 {
			t.Errorf("%+v", heard)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Ask, ID: id})); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
	})
}

// TestStatesAreRepeated: that nothing moves any more may be told on a path that has died. It is told again, and not for ever.
func TestStatesAreRepeated(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.say(rpc.Command{Type: rpc.Operate, On: true})
		anna.take()
		anna.drive()
		anna.drive(speed(1))
		r.after(DefaultDeadman + 50*time.Millisecond)
		anna.heard() // is lost
		r.after(time.Second)
		stands := 0
		for _, o := range anna.heard() {
			if o.Type == rpc.OutcomeMachine && !o.Moving {
				stands++
			}
		}
		if stands != 2 { // after 200 and 600 ms
			t.Errorf("told %d times in a second that nothing moves", stands)
		}
		r.after(20 * time.Second) // the lease ends meanwhile
		anna.heard()
		r.after(20 * time.Second)
		if heard := anna.heard(); len(heard) != 0 {
			t.Errorf("%+v", heard)
		}
	})
}

func TestCancel(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		runs := anna.say(rpc.Command{Type: rpc.Call, Method: "wait"})
		waits := anna.say(rpc.Command{Type: rpc.Call, Method: "horn"})
		anna.say(rpc.Command{Type: rpc.Cancel, ID: waits})
		if o := anna.of(waits); o.State != rpc.Rejected || o.Code != rpc.CodeCancelled {
			t.Errorf("%+v", o)
		}
		anna.say(rpc.Command{Type: rpc.Cancel, ID: runs})
		if o := anna.of(runs); o.State != rpc.Failed || o.Reason != "Anna cancelled it" {
			t.Errorf("%+v", o)
		}
		// One that has not come yet does not run when it does.
		late := r.id()
		anna.say(rpc.Command{Type: rpc.Cancel, ID: late})
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Call, Method: "horn", ID: late})); o.State != rpc.Rejected || o.Code != rpc.CodeCancelled {
			t.Errorf("%+v", o)
		}
		if got := r.rover.ran(); !slices.Equal(got, []string{"wait"}) {
			t.Errorf("ran: %v", got)
		}
	})
}

// A call that does not come back is unknown, and those behind it expire.
func TestACallThatDoesNotEnd(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		sticks := anna.say(rpc.Command{Type: rpc.Call, Method: "stick"})
		behind := anna.say(rpc.Command{Type: rpc.Call, Method: "horn", By: r.tick().At + 5_000_000})
		r.after(time.Second + limitGrace)
		if o := anna.of(sticks); o.State != rpc.Unknown {
			t.Errorf("%+v", o)
		}
		r.after(4 * time.Second)
		if o := anna.of(behind); o.State != rpc.Expired {
			t.Errorf("%+v", o)
		}
		close(r.rover.stuck)
		r.after(0)
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Ask, ID: sticks})); o.State != rpc.Unknown {
			t.Errorf("%+v: an end changed", o)
		}
		if o := anna.call("horn", ""); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
	})
}

func TestTooManyCalls(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.say(rpc.Command{Type: rpc.Call, Method: "wait"})
		for range maxWaiting {
			if o := anna.call("horn", ""); o.State != rpc.Received {
				t.Errorf("%+v", o)
			}
		}
		refused := anna.call("horn", "")
		if refused.Code != rpc.CodeBusy {
			t.Errorf("%+v", refused)
		}
		close(r.rover.hold)
		// What was refused once stays refused.
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Call, Method: "horn", ID: refused.ID})); o.Code != rpc.CodeBusy {
			t.Errorf("%+v", o)
		}
	})
}

func TestADiskThatFails(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.say(rpc.Command{Type: rpc.Operate, On: true})
		r.disk.FailWith(func(string) error { return errors.New("no space left on device") })
		if o := anna.call("horn", ""); o.State != rpc.Rejected || o.Code != rpc.CodeJournal {
			t.Errorf("%+v", o)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Lease, Do: rpc.Take})); o.Code != rpc.CodeJournal || o.Mine {
			t.Errorf("%+v", o)
		}
		stop := anna.of(anna.say(rpc.Command{Type: rpc.Stop}))
		if !stop.Stopped {
			t.Errorf("%+v", stop)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Stop})); o.Code != rpc.CodeJournal {
			t.Errorf("%+v: it is not said that the disk does not take it", o)
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Reset})); o.Code != rpc.CodeJournal || !o.Stopped {
			t.Errorf("%+v", o)
		}
		r.disk.Heal()
		r.after(2 * persistRetry)
		if !r.journal.Stop().Latched || r.journal.Behind() {
			t.Error("the stop is not on a disk that is well")
		}
		if got := r.rover.ran(); len(got) != 0 {
			t.Errorf("ran: %v", got)
		}
	})
}

func TestStop(t *testing.T) {
	within(t, func(r *rig) {
		anna, bert := r.viewer("Anna", operatorRole), r.viewer("Bert", operatorRole)
		anna.say(rpc.Command{Type: rpc.Operate, On: true})
		anna.take()
		anna.drive()
		anna.drive(speed(1))
		runs := anna.say(rpc.Command{Type: rpc.Call, Method: "wait"})
		waits := anna.say(rpc.Command{Type: rpc.Call, Method: "horn"})
		if r.rover.get(1) != 1 {
			t.Fatal("it does not move")
		}
		anna.heard()
		// Of any operator, without lease, epoch or deadline.
		id := r.id()
		r.Command(bert, rpc.Command{Type: rpc.Stop, ID: id, Name: "Bert"}.Append(nil))
		if o := bert.of(id); !o.Stopped || o.By != "Bert" || o.TookUS == 0 {
			t.Errorf("%+v", o)
		}
		if r.rover.get(1) != 0 || r.rover.moving {
			t.Error("it moves")
		}
		told := map[string]rpc.Outcome{}
		for _, o := range anna.heard() {
			told[o.Type+o.ID] = o
		}
		if o := told[rpc.Stop]; !o.Stopped || o.By != "Bert" {
			t.Errorf("%+v", o)
		}
		if o := told[rpc.Call+runs]; o.State != rpc.Failed || o.Reason != "a stop came" {
			t.Errorf("%+v", o)
		}
		if o := told[rpc.Call+waits]; o.State != rpc.Rejected || o.Code != rpc.CodeStopped {
			t.Errorf("%+v", o)
		}
		if o := anna.call("horn", ""); o.Code != rpc.CodeStopped {
			t.Errorf("%+v", o)
		}
		anna.drive()
		anna.drive(speed(1))
		if r.rover.get(1) != 0 {
			t.Error("it moves while the stop is latched")
		}

		// It lasts over a restart, and ends with a reset of this run only.
		old := rpc.Command{Type: rpc.Reset, ID: r.id(), Epoch: r.epoch, By: r.tick().At + 1e6}
		r.end()
		r.start(Config{})
		if o := anna.of(anna.say(old)); !o.Stopped || o.Code != rpc.CodeStale {
			t.Errorf("%+v", o)
		}
		if o := anna.call("horn", ""); o.Code != rpc.CodeStopped {
			t.Errorf("%+v", o)
		}
		if r.sink.get("control/stopped") != "true" {
			t.Error("nobody is shown that it is stopped")
		}
		if o := anna.of(anna.say(rpc.Command{Type: rpc.Reset})); o.Stopped || o.Code != "" {
			t.Errorf("%+v", o)
		}
		if o := anna.call("horn", ""); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
		r.end()
		r.start(Config{})
		if o := anna.call("horn", ""); o.State != rpc.Done {
			t.Errorf("%+v", o)
		}
	})
}

// A stop that is repeated after its reset, from a slow path, does not stop again.
func TestALateCopyOfAStop(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		id := anna.say(rpc.Command{Type: rpc.Stop})
		anna.say(rpc.Command{Type: rpc.Reset})
		anna.say(rpc.Command{Type: rpc.Stop, ID: id})
		if o := anna.of(id); o.Stopped {
			t.Errorf("%+v", o)
		}
	})
}

// A stop is obeyed even if it cannot be read, and when nobody remembers how to write one.
func TestAStopThatIsMalformed(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		r.Command(anna, []byte(`{"type": "stop", "name": " \u0000", "by": 1e300}`))
		if o := anna.heard(); !r.Authority.stop.Latched {
			t.Errorf("%+v", o)
		}
	})
}

// An actuator that cannot be made safe is told, and tried again.
func TestAnActuatorThatIsNotSafe(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		r.rover.mu.Lock()
		r.rover.deny = errors.New("no answer from the motor")
		r.rover.mu.Unlock()
		id := anna.say(rpc.Command{Type: rpc.Stop})
		r.after(safeSlow + 100*time.Millisecond)
		if o := anna.of(id); !o.Stopped || o.TookUS != 0 || !strings.Contains(o.Reason, "no answer from the motor") {
			t.Errorf("%+v", o)
		}
		r.rover.mu.Lock()
		r.rover.deny = nil
		before := len(r.rover.safes)
		r.rover.mu.Unlock()
		r.after(2 * lastRetry)
		if len(r.rover.safes) != before+1 {
			t.Error("it was not tried again")
		}
	})
}

func TestWhatIsNoCommand(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		for text, code := range map[string]string{
			`{"type": "call", "id": "x"`:                     "",
			`{"type": "call", "id": "x"}`:                    rpc.CodeMalformed,
			`{"type": "call", "id": "x", "by": -1}`:          rpc.CodeMalformed,
			`{"type": "lease", "id": "x", "name": "\u202e"}`: rpc.CodeMalformed,
			`{"type": "dance", "id": "x"}`:                   "",
			`[]`:                                             "",
			``:                                               "",
		} {
			r.Command(anna, []byte(text))
			heard := anna.heard()
			if code == "" && len(heard) > 0 || code != "" && (len(heard) != 1 || heard[0].Code != code) {
				t.Errorf("%s: %+v", text, heard)
			}
		}
	})
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte(`{"type": "call", "id": "00000000-0000-4000-8000-000000000001", "method": "horn", "by": 1}`))
	f.Add([]byte(`{"type": "lease", "id": "x", "do": "take", "key": "k"}`))
	f.Add([]byte(`{"type": "operate", "on": true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		within(t, func(r *rig) {
			anna := r.viewer("Anna", operatorRole)
			r.Command(anna, body)
			r.Drive(anna, body)
			if len(r.rover.ran()) > 0 {
				t.Errorf("%s ran, whose deadline nobody can know", body)
			}
		})
	})
}

func TestTicks(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		anna.say(rpc.Command{Type: rpc.Operate, On: true})
		if n := len(anna.told()); n != 1 {
			t.Fatalf("%d ticks at once", n)
		}
		r.after(10*time.Second + time.Millisecond)
		if n := len(anna.told()); n != 20 {
			t.Errorf("%d ticks in 10 s", n)
		}
		anna.take()
		anna.told()
		r.after(time.Second)
		ticks := anna.told()
		if n := len(ticks); n < 19 || n > 21 {
			t.Errorf("%d ticks in 1 s for who holds the lease", n)
		}
		for i := 1; i < len(ticks); i++ {
			if ticks[i].At <= ticks[i-1].At || ticks[i].Epoch != r.epoch {
				t.Errorf("%+v", ticks)
			}
		}
		r.Gone(anna)
		r.after(time.Second)
		if len(anna.told()) != 0 {
			t.Error("ticks for who is gone")
		}
	})
}

// What is said of a call that never came stays true: it does not run when it comes after all.
func TestAskedForBeforeItCame(t *testing.T) {
	within(t, func(r *rig) {
		anna := r.viewer("Anna", operatorRole)
		id := r.id()
		for _, c := range []rpc.Command{{Type: rpc.Ask, ID: id}, {Type: rpc.Call, ID: id, Method: "horn"}} {
			if o := anna.of(anna.say(c)); o.State != rpc.Expired || o.Code != rpc.CodeLate {
				t.Errorf("%s: %+v", c.Type, o)
			}
		}
		if got := r.rover.ran(); len(got) != 0 {
			t.Errorf("ran: %v", got)
		}
	})
}
