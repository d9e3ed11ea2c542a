package rpc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

const ms = time.Millisecond

// bench is a Viewer in simulated time, and what it has said.
type bench struct {
	t      *testing.T
	viewer *Viewer
	now    time.Duration
	ids    int
	said   []heard
	drives []driven
	calls  []CallInfo
	epoch  uint32
}

type heard struct {
	at time.Duration
	Command
	everywhere bool
}

type driven struct {
	at time.Duration
	wire.Drive
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, epoch: 7}
	b.viewer = NewViewer(ViewerConfig{Key: "secret", Name: "Ada", First: 100, NewID: func() string {
		b.ids++
		return fmt.Sprintf("id%d", b.ids)
	}})
	b.viewer.SetPath(true, 20*ms)
	return b
}

func (b *bench) step() Decision {
	d := b.viewer.Step(b.now)
	for _, s := range d.Say {
		c, err := ParseCommand(s.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		b.said = append(b.said, heard{b.now, c, s.Everywhere})
	}
	if d.Drive != nil {
		b.drives = append(b.drives, driven{b.now, *d.Drive})
	}
	b.calls = append(b.calls, d.Calls...)
	if d.Wake <= b.now {
		b.t.Fatalf("at %v it wants to wake at %v", b.now, d.Wake)
	}
	return d
}

// run lets time pass in steps of what the Viewer asks for.
func (b *bench) run(d time.Duration) {
	end := b.now + d
	for {
		wake := b.step().Wake
		if wake > end {
			b.now = end
			return
		}
		b.now = wake
	}
}

func (b *bench) hear(o Outcome) {
	if err := b.viewer.Outcome(b.now, o.Append(nil)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) tick(at time.Duration) {
	b.viewer.Tick(b.now, wire.Tick{Epoch: b.epoch, At: uint64(at / time.Microsecond)})
}

func (b *bench) offer(moving bool) {
	b.hear(Outcome{Type: OutcomeMachine, Moving: moving, Machine: &Machine{
		Axes: []Axis{{ID: 1, Name: "drive", Min: -2, Max: 2}, {ID: 2, Name: "turn", Min: -1, Max: 1, Neutral: 0.5}},
	}})
}

// begun is a bench whose device offers a machine and has shown its clock.
func begun(t *testing.T) *bench {
	b := newBench(t)
	b.viewer.Joined(b.now)
	b.step()
	b.offer(false)
	b.tick(5 * time.Second)
	b.said = nil
	return b
}

// holds is a bench that has the lease.
func holds(t *testing.T) *bench {
	b := begun(t)
	b.viewer.LeaseDo(b.now, Take, "")
	b.step()
	b.hear(Outcome{Type: Lease, ID: b.said[0].ID, Fence: 3, Mine: true, TTLMS: 5000, Holder: &Operator{ID: "me", Name: "Ada"}})
	b.said = nil
	return b
}

// times are when commands of a type were said.
func (b *bench) times(kind string) (at []time.Duration) {
	for _, s := range b.said {
		if s.Type == kind {
			at = append(at, s.at)
		}
	}
	return at
}

func (b *bench) expectTimes(kind string, want ...time.Duration) {
	b.t.Helper()
	if got := b.times(kind); !slices.Equal(got, want) {
		b.t.Errorf("%s was said at %v, want %v", kind, got, want)
	}
}

func (b *bench) expectCall(id string, want State, code string) CallInfo {
	b.t.Helper()
	info, known := b.viewer.Call(id)
	if !known || info.State != want || info.Code != code {
		b.t.Errorf("call %s: %+v, want %s %q", id, info, want, code)
	}
	return info
}

// TestCallIsRepeatedUntilAnswered: with the same id and the same deadline on the device's clock, however long it takes.
func TestCallIsRepeatedUntilAnswered(t *testing.T) {
	b := begun(t)
	b.now += 40 * ms
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Params: json.RawMessage(`{"x":1}`), Wait: time.Second})
	b.run(390 * ms)
	b.expectTimes(Call, 40*ms, 140*ms, 340*ms)
	for _, s := range b.said {
		if s.ID != "a" || s.Epoch != 7 || s.By != 6_040_000 || s.Method != "home" || string(s.Params) != `{"x":1}` || s.everywhere {
			t.Errorf("said %+v", s)
		}
	}
	b.expectCall("a", Sent, "")
	b.hear(Outcome{Type: Call, ID: "a", State: Received})
	b.hear(Outcome{Type: Call, ID: "a", State: Running, Progress: 0.5})
	b.hear(Outcome{Type: Call, ID: "a", State: Received}) // over the slower path
	b.run(600 * ms)
	b.expectCall("a", Running, "")
	b.hear(Outcome{Type: Call, ID: "a", State: Done, Result: json.RawMessage(`7`), TookUS: 1500})
	b.run(10 * time.Second)
	b.expectTimes(Call, 40*ms, 140*ms, 340*ms)
	b.expectTimes(Seen, 1030*ms)
	if info := b.expectCall("a", Done, ""); string(info.Result) != "7" || info.Took != 1500*time.Microsecond || info.RoundTrip != 390*ms || info.Progress != 0.5 {
		t.Errorf("%+v", info)
	}
	b.hear(Outcome{Type: Call, ID: "a", State: Done}) // it did not hear that we have seen it
	b.run(0)
	b.expectTimes(Seen, 1030*ms, b.now)
}

// TestPauseGrowsWithTheRoundTrip: what cannot have been answered yet is not said again.
func TestPauseGrowsWithTheRoundTrip(t *testing.T) {
	b := begun(t)
	b.viewer.SetPath(true, 150*ms)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 4 * time.Second})
	b.run(3500 * ms)
	b.expectTimes(Call, 0, 300*ms, 900*ms, 1900*ms, 2900*ms)
}

// TestUnansweredCall: after its deadline it is asked for and not said again; when nobody answers, nobody knows.
func TestUnansweredCall(t *testing.T) {
	b := begun(t)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 150 * ms})
	b.run(2 * time.Second)
	b.expectTimes(Call, 0, 100*ms)
	if asked := b.times(Ask); len(asked) == 0 || asked[0] != 150*ms {
		t.Errorf("asked at %v", asked)
	}
	b.expectCall("a", Sent, "")
	b.run(4 * time.Second)
	b.expectCall("a", Unknown, "")
	b.hear(Outcome{Type: Call, ID: "a", State: Done}) // better late
	b.expectCall("a", Done, "")
}

// TestAskedCallNeverCame: the device's word that it never came is the end.
func TestAskedCallNeverCame(t *testing.T) {
	b := begun(t)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 150 * ms})
	b.run(200 * ms)
	b.hear(Outcome{Type: Call, ID: "a", State: Expired, Code: CodeLate})
	b.run(time.Second)
	b.expectCall("a", Expired, CodeLate)
}

// TestCallThatIsNeverSent is no riddle: it did not run.
func TestCallThatIsNeverSent(t *testing.T) {
	t.Run("no tick", func(t *testing.T) {
		b := newBench(t)
		b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 300 * ms})
		b.run(299 * ms)
		b.expectCall("a", Waiting, "")
		b.run(time.Second)
		b.expectCall("a", Expired, CodeLate)
	})
	t.Run("no path", func(t *testing.T) {
		b := begun(t)
		b.viewer.SetPath(false, 0)
		b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 300 * ms})
		b.run(time.Second)
		b.expectCall("a", Expired, CodeLate)
		if len(b.said) > 0 {
			t.Errorf("said %+v", b.said)
		}
	})
	t.Run("in time", func(t *testing.T) {
		b := begun(t)
		b.viewer.SetPath(false, 0)
		b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 300 * ms})
		b.run(200 * ms)
		b.viewer.SetPath(true, 0)
		b.run(0)
		if len(b.said) != 1 || b.said[0].By != 5_300_000 { // the wait was a part of its time
			t.Errorf("said %+v", b.said)
		}
	})
}

// TestSilentCall: of a call that the device knows it is asked when nothing is heard; a minute without an answer is the end.
func TestSilentCall(t *testing.T) {
	b := begun(t)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 300 * ms})
	b.run(0)
	b.hear(Outcome{Type: Call, ID: "a", State: Running})
	b.run(silence)
	b.run(100 * ms)
	if asked := b.times(Ask); len(asked) != 2 || asked[0] != silence {
		t.Errorf("asked at %v", asked)
	}
	b.hear(Outcome{Type: Call, ID: "a", State: Running})
	b.run(silence + recallTime)
	b.expectCall("a", Unknown, "")
}

func TestCancel(t *testing.T) {
	b := begun(t)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: time.Second})
	b.run(50 * ms)
	b.viewer.Cancel(b.now, "a")
	b.run(150 * ms)
	b.expectTimes(Cancel, 50*ms, 150*ms)
	b.hear(Outcome{Type: Call, ID: "a", State: Rejected, Code: CodeCancelled})
	b.run(5 * time.Second)
	b.expectTimes(Cancel, 50*ms, 150*ms)
	b.expectCall("a", Rejected, CodeCancelled)

	b = newBench(t)
	b.viewer.Do(b.now, Wanted{ID: "b", Method: "home", Wait: time.Second})
	b.viewer.Cancel(b.now, "b")
	b.run(time.Second)
	b.expectCall("b", Rejected, CodeCancelled)
	if len(b.said) > 0 {
		t.Errorf("said %+v", b.said)
	}
}

// TestTooManyCalls: they are bounded, and those that are over make room.
func TestTooManyCalls(t *testing.T) {
	b := begun(t)
	for i := range maxCalls + 1 {
		b.viewer.Do(b.now, Wanted{ID: fmt.Sprint(i), Method: "home", Wait: time.Second})
	}
	b.expectCall(fmt.Sprint(maxCalls-1), Waiting, "")
	b.expectCall(fmt.Sprint(maxCalls), Rejected, CodeBusy)
	b.run(0)
	b.hear(Outcome{Type: Call, ID: "0", State: Done})
	b.run(0)
	b.viewer.Do(b.now, Wanted{ID: "x", Method: "home", Wait: time.Second})
	b.expectCall("x", Waiting, "")
	if len(b.viewer.calls.all) > maxCalls {
		t.Errorf("%d calls are remembered", len(b.viewer.calls.all))
	}
}

// TestCallThatIsTooLong: no receiver takes it, so it is not sent; and a stop goes ahead of whatever waits.
func TestCallThatIsTooLong(t *testing.T) {
	b := begun(t)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Params: []byte(`"` + strings.Repeat("x", wire.MaxCommand) + `"`), Wait: time.Second})
	b.viewer.Do(b.now, Wanted{ID: "b", Method: "home", Params: []byte(`"` + strings.Repeat("x", wire.MaxCommand-200) + `"`), Wait: time.Second})
	b.viewer.SayStop(b.now)
	b.run(0)
	if info := b.expectCall("a", Rejected, CodeParams); !strings.Contains(info.Reason, "16384") {
		t.Error(info.Reason)
	}
	b.expectCall("b", Sent, "")
	if len(b.said) != 2 || b.said[0].Type != Stop || b.said[1].ID != "b" {
		t.Errorf("said %+v", b.said)
	}
}

// TestReadyIsNews: who waits for the first tick is woken by it, and by no other.
func TestReadyIsNews(t *testing.T) {
	b := newBench(t)
	b.step()
	for i, want := range []bool{true, false} {
		b.tick(time.Duration(i+1) * time.Second)
		if b.step().Changed != want {
			t.Errorf("tick %d: news is %v", i+1, !want)
		}
	}
}

// TestViewerMayNot: who may not command is told at once, and says nothing.
func TestViewerMayNot(t *testing.T) {
	b := newBench(t)
	b.viewer.SetRole("viewer")
	b.viewer.Joined(b.now)
	b.tick(time.Second)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: time.Second})
	b.viewer.SayStop(b.now)
	b.viewer.SayReset(b.now)
	b.viewer.LeaseDo(b.now, Take, "")
	b.run(5 * time.Second)
	b.expectCall("a", Rejected, CodeRole)
	if m, code := b.viewer.Machine(); m != nil || code != CodeRole || b.viewer.Stop().Code != CodeRole || b.viewer.Lease().Code != CodeRole {
		t.Errorf("machine %v %q, stop %+v, lease %+v", m, code, b.viewer.Stop(), b.viewer.Lease())
	}
	if len(b.said) > 0 {
		t.Errorf("said %+v", b.said)
	}
}

// TestViewerMayNotAfterAll: who says stop before it is known that he may not, is told when it is.
func TestViewerMayNotAfterAll(t *testing.T) {
	b := newBench(t)
	b.viewer.SayStop(b.now)
	b.run(60 * ms)
	b.viewer.SetRole("viewer")
	b.run(time.Second)
	b.expectTimes(Stop, 0, 50*ms)
	if stop := b.viewer.Stop(); stop.Sending != "" || stop.Code != CodeRole {
		t.Errorf("%+v", stop)
	}
}

// TestStopOfItsOwn: what is told of one stop is not said of another, and a reset names what is known of the stop.
func TestStopOfItsOwn(t *testing.T) {
	b := begun(t)
	b.viewer.SayStop(b.now)
	b.step()
	b.hear(Outcome{Type: Stop, ID: b.said[0].ID, Epoch: 7, At: 5_100_000, Stopped: true, Since: 1, TookUS: 900})
	b.hear(Outcome{Type: Stop, Epoch: 7, At: 5_200_000, Stopped: true, Since: 1})
	if took := b.viewer.Stop().Took; took != 900*time.Microsecond {
		t.Error(took)
	}
	b.viewer.SayReset(b.now)
	b.step()
	if c := b.said[1]; c.Type != Reset || c.At != 5_200_000 {
		t.Errorf("%+v", c)
	}
	b.hear(Outcome{Type: Stop, Epoch: 7, At: 5_300_000, Stopped: true, Since: 2})
	if took := b.viewer.Stop().Took; took != 0 {
		t.Errorf("of another's stop: %v", took)
	}
	for range 2 {
		b.viewer.SayStop(b.now)
		b.step()
		b.hear(Outcome{Type: Stop, ID: b.said[len(b.said)-1].ID, Epoch: 7, At: 5_400_000, Stopped: true, Since: 2, TookUS: 700})
	}
	b.viewer.SayStop(b.now)
	b.step()
	b.hear(Outcome{Type: Stop, ID: b.said[len(b.said)-1].ID, Epoch: 7, At: 5_500_000, Stopped: true, Since: 2, Reason: "an actuator has not answered"})
	if s := b.viewer.Stop(); s.Took != 0 || s.Reason == "" {
		t.Errorf("%+v", s)
	}
	b.epoch = 8 // another run: nothing is known of its stop
	b.tick(time.Second)
	b.viewer.SayReset(b.now)
	b.step()
	if c := b.said[len(b.said)-1]; c.Type != Reset || c.At != 0 {
		t.Errorf("%+v", c)
	}
}

// TestMadeUpOutcomes: of what is not known nothing is kept.
func TestMadeUpOutcomes(t *testing.T) {
	b := begun(t)
	for i := range 100 {
		b.hear(Outcome{Type: fmt.Sprint("new", i), Epoch: 7, At: 10})
	}
	b.hear(Outcome{Type: Stop, Epoch: 7, At: 10})
	if n := len(b.viewer.order); n != 1 {
		t.Errorf("%d types are kept", n)
	}
}

// TestCallThatIsNotAnswered: a device that refuses to say what became of a call has not said it.
func TestCallThatIsNotAnswered(t *testing.T) {
	b := begun(t)
	b.viewer.Do(b.now, Wanted{ID: "a", Method: "home", Wait: 500 * ms})
	b.run(600 * ms)
	b.hear(Outcome{Type: Call, ID: "a", Code: CodeNotOffered})
	b.run(askTime)
	b.expectCall("a", Unknown, "")
}

// TestStop: every 50 ms on every path, until it is answered; a reset waits for its answer no longer than it may.
func TestStop(t *testing.T) {
	b := newBench(t) // without a tick
	b.viewer.SayStop(b.now)
	b.viewer.SayStop(b.now)
	b.run(120 * ms)
	b.expectTimes(Stop, 0, 50*ms, 100*ms)
	if s := b.said[0]; !s.everywhere || s.ID == "" || s.Name != "Ada" || s.By != 0 {
		t.Errorf("said %+v", s)
	}
	b.hear(Outcome{Type: Stop, ID: "other", Stopped: true, By: "Bob"})
	if b.viewer.Stop().Sending != Stop {
		t.Error("somebody else's stop answers ours")
	}
	b.hear(Outcome{Type: Stop, ID: b.said[0].ID, Stopped: true, By: "Ada", TookUS: 900})
	b.run(time.Second)
	b.expectTimes(Stop, 0, 50*ms, 100*ms)
	if s := b.viewer.Stop(); !s.Stopped || s.Sending != "" || s.Took != 900*time.Microsecond || s.RoundTrip != 120*ms {
		t.Errorf("%+v", s)
	}
	if b.viewer.SayReset(b.now) {
		t.Error("a reset without a tick")
	}
	b.tick(time.Second)
	if !b.viewer.SayReset(b.now) {
		t.Error("no reset")
	}
	b.run(2 * time.Second)
	if s := b.viewer.Stop(); s.Sending != "" || s.Code != CodeLate || !s.Stopped {
		t.Errorf("%+v", s)
	}
	if n := len(b.times(Reset)); n != 4 {
		t.Errorf("reset was said %d times", n)
	}
}

// TestLease: it is renewed every second, and lost when it was not in its time.
func TestLease(t *testing.T) {
	b := holds(t)
	b.run(2500 * ms)
	renewals := map[string]time.Duration{}
	for _, s := range b.said {
		if _, again := renewals[s.ID]; s.Do == Renew && !again {
			renewals[s.ID] = s.at
		}
	}
	if len(renewals) != 2 {
		t.Errorf("renewed %v", renewals)
	}
	for _, s := range b.said {
		if at := renewals[s.ID]; s.Key != "secret" || s.By != uint64((at+5*time.Second+patience)/time.Microsecond) {
			t.Errorf("said %+v", s)
		}
	}
	last := b.said[len(b.said)-1]
	b.hear(Outcome{Type: Lease, ID: last.ID, Fence: 3, Mine: true, TTLMS: 5000})
	if until := b.viewer.Lease().Until; until != renewals[last.ID]+5*time.Second {
		t.Errorf("until %v", until)
	}
	b.run(5 * time.Second)
	if l := b.viewer.Lease(); l.Mine || !l.Lost {
		t.Errorf("%+v", l)
	}
}

func TestLeaseRefusedAndReleased(t *testing.T) {
	b := begun(t)
	b.viewer.LeaseDo(b.now, Take, "")
	b.run(0)
	bob := &Operator{ID: "bob", Name: "Bob"}
	b.hear(Outcome{Type: Lease, ID: b.said[0].ID, Holder: bob, Code: CodeHeld, Reason: "Bob holds it", TTLMS: 100})
	if l := b.viewer.Lease(); l.Mine || l.Code != CodeHeld || l.Holder.Name != "Bob" {
		t.Errorf("%+v", l)
	}
	b.run(5 * time.Second)
	if len(b.said) != 1 {
		t.Errorf("said %+v", b.said)
	}
	b = holds(t)
	b.viewer.LeaseDo(b.now, Release, "")
	b.run(0)
	b.hear(Outcome{Type: Lease, Fence: 3, Mine: true, TTLMS: 4000}) // said before
	if l := b.viewer.Lease(); l.Mine || l.Lost {
		t.Errorf("%+v", l)
	}
}

// TestDenied: who asked is told, and what all are told afterwards takes nothing of it away; until he has it, or asks again.
func TestDenied(t *testing.T) {
	b := begun(t)
	bob := &Operator{ID: "bob", Name: "Bob"}
	b.viewer.LeaseDo(b.now, Request, "")
	b.run(0)
	b.hear(Outcome{Type: Lease, ID: b.said[0].ID, Holder: bob, Asks: []Operator{{ID: "ada", Name: "Ada"}}})
	denied := func(want bool) {
		t.Helper()
		if l := b.viewer.Lease(); (l.Code == CodeHeld && l.Reason == "Bob keeps it") != want || (l.Code == "") == want {
			t.Errorf("%+v", l)
		}
	}
	denied(false)
	b.hear(Outcome{Type: Lease, Holder: bob, Code: CodeHeld, Reason: "Bob keeps it"})
	denied(true)
	b.hear(Outcome{Type: Lease, Holder: bob})
	denied(true)
	b.viewer.LeaseDo(b.now, Request, "")
	denied(false)
	b.hear(Outcome{Type: Lease, Holder: bob, Code: CodeHeld, Reason: "Bob keeps it"})
	b.hear(Outcome{Type: Lease, Fence: 4, Mine: true, TTLMS: 5000, Holder: &Operator{ID: "ada", Name: "Ada"}})
	denied(false)
}

// TestLeaseIsWantedBack for as long as the device may know it, and not by who has given it back.
func TestLeaseIsWantedBack(t *testing.T) {
	for _, c := range []struct {
		name    string
		after   time.Duration
		release bool
		want    int
	}{{"soon", 4 * time.Second, false, 1}, {"too late", 6 * time.Second, false, 0}, {"given back", 0, true, 0}} {
		t.Run(c.name, func(t *testing.T) {
			b := holds(t)
			b.viewer.Joined(b.now)
			b.run(0)
			b.offer(false)
			b.hear(Outcome{Type: Lease, Epoch: 8, At: 1}) // the device has begun anew, and has not read its disk
			if c.release {
				b.viewer.LeaseDo(b.now, Release, "")
			}
			b.run(c.after)
			b.epoch = 8
			b.tick(time.Second)
			b.run(0)
			takes := 0
			for _, s := range b.said {
				if s.Do == Take {
					takes++
				}
			}
			if takes != c.want {
				t.Errorf("taken %d times, want %d", takes, c.want)
			}
		})
	}
}

// TestLeaseOutlivesARestart of the device: it is taken again, with the same key.
func TestLeaseOutlivesARestart(t *testing.T) {
	b := holds(t)
	b.run(100 * ms)
	b.epoch = 8
	b.viewer.Joined(b.now)
	b.tick(time.Second)
	b.run(0)
	i := slices.IndexFunc(b.said, func(s heard) bool { return s.Do == Take })
	if i < 0 || b.said[i].Epoch != 8 || b.said[i].Key != "secret" {
		t.Errorf("said %+v", b.said)
	}
	b.epoch = 7
	b.tick(time.Hour) // it came late
	if b.viewer.ticks.newest.Epoch != 8 {
		t.Error("a tick of the run before counts")
	}
}

// TestOutcomesInTheirOrder: what was said earlier and comes later says nothing.
func TestOutcomesInTheirOrder(t *testing.T) {
	b := holds(t)
	b.hear(Outcome{Type: Lease, Epoch: 7, At: 20, Holder: nil})
	b.hear(Outcome{Type: Lease, Epoch: 7, At: 10, Fence: 3, Mine: true, TTLMS: 5000})
	if l := b.viewer.Lease(); l.Mine || !l.Lost {
		t.Errorf("%+v", l)
	}
	b.hear(Outcome{Type: Stop, Epoch: 7, At: 15, Stopped: true}) // of another type
	b.hear(Outcome{Type: Lease, Epoch: 8, At: 5, Fence: 4, Mine: true, TTLMS: 5000})
	if !b.viewer.Stop().Stopped || !b.viewer.Lease().Mine {
		t.Error("another order was taken for this one")
	}
}

// TestMovingAlone: what the machine is stays as it was told, until another run of the device's program tells it anew.
func TestMovingAlone(t *testing.T) {
	b := newBench(t)
	machine := func(epoch uint32, at uint64, m *Machine, moving bool) {
		b.hear(Outcome{Type: OutcomeMachine, Epoch: epoch, At: at, Machine: m, Moving: moving})
	}
	expect := func(when, name string, moving bool) {
		t.Helper()
		switch m, _ := b.viewer.Machine(); {
		case m == nil && name != "", m != nil && (m.Name != name || m.Moving != moving):
			t.Errorf("%s: %+v", when, m)
		}
	}
	b.viewer.Joined(b.now)
	machine(7, 20, nil, true)
	b.run(150 * ms)
	expect("before it was described", "", false)
	machine(7, 10, &Machine{Name: "rover"}, false)
	expect("described earlier, heard later", "", false)
	machine(7, 30, &Machine{Name: "rover"}, false)
	before, _ := b.viewer.Machine()
	machine(7, 50, nil, true)
	expect("changed", "rover", true)
	machine(7, 40, nil, false)
	expect("changed earlier", "rover", true)
	if before.Moving {
		t.Error("who was told it before has another one now")
	}
	machine(8, 1, nil, false)
	expect("changed in another run", "rover", true)
	machine(8, 2, &Machine{Name: "crane"}, false)
	machine(8, 3, nil, true)
	expect("described anew", "crane", true)
	b.run(time.Second)
	b.expectTimes(Operate, 0, 100*ms)
}

// TestNobodyAnswersOperate: then there is no machine, and that is said.
func TestNobodyAnswersOperate(t *testing.T) {
	b := newBench(t)
	b.viewer.Joined(b.now)
	b.run(time.Minute)
	if _, code := b.viewer.Machine(); code != Unanswered || len(b.times(Operate)) != maxOperates {
		t.Errorf("%q after %d times", code, len(b.times(Operate)))
	}
}

// TestDrive: a hand is neutral until the device obeys; without one there is no Drive.
func TestDrive(t *testing.T) {
	b := holds(t)
	b.run(100 * ms)
	if len(b.drives) > 0 {
		t.Errorf("without a hand: %+v", b.drives)
	}
	target := []wire.Target{{Axis: 1, Value: 9}, {Axis: 2, Value: -0.25}}
	hand := uint64(0)
	hold := func(d time.Duration) {
		for end := b.now + d; b.now < end; {
			hand++
			b.viewer.Hand(b.now, hand, target)
			b.run(20 * ms)
		}
	}
	hold(100 * ms)
	if len(b.drives) == 0 || b.viewer.Driving(b.now) != Arming {
		t.Fatalf("%v: %+v", b.viewer.Driving(b.now), b.drives)
	}
	for _, d := range b.drives {
		if d.Fence != 3 || d.Setpoints[0].Value != 0 || d.Setpoints[1].Value != 0.5 || d.Tick.Epoch != 7 {
			t.Errorf("not neutral: %+v", d)
		}
	}
	b.drives = nil
	b.offer(true)
	hold(100 * ms)
	if d := b.drives[0]; d.Setpoints[0].Value != 2 || d.Setpoints[1].Value != -0.25 { // within the axis
		t.Errorf("%+v", d)
	}
	if n := len(b.drives); n < 2 || n > 4 {
		t.Errorf("%d Drives in 100 ms of the same", n)
	}
	hold(300 * ms)
	b.offer(false)
	hold(60 * ms)
	if b.viewer.Driving(b.now) != Tripped {
		t.Errorf("%v", b.viewer.Driving(b.now))
	}
	b.offer(true) // it obeys somebody's neutral setpoints again: not this hand
	hold(60 * ms)
	if b.viewer.Driving(b.now) != Tripped {
		t.Errorf("%v", b.viewer.Driving(b.now))
	}
	b.run(handTime)
	b.drives = nil
	b.offer(false)
	b.run(time.Second)
	if len(b.drives) > 0 || b.viewer.Driving(b.now) != NoHand {
		t.Errorf("%+v without a hand", b.drives)
	}
	hold(60 * ms) // it was away, with the key held
	if b.viewer.Driving(b.now) != Tripped {
		t.Errorf("%v", b.viewer.Driving(b.now))
	}
	pushed := target
	target = []wire.Target{{Axis: 1}, {Axis: 2, Value: 0.5}}
	hold(20 * ms) // it lets go
	b.run(handTime)
	target, b.drives = pushed, nil
	hold(60 * ms)
	if b.viewer.Driving(b.now) != Arming || b.drives[0].Setpoints[0].Value != 0 {
		t.Errorf("%v: %+v", b.viewer.Driving(b.now), b.drives)
	}
	b.offer(true)
	hold(20 * ms)
	if last := b.drives[len(b.drives)-1]; last.Setpoints[0].Value != 2 {
		t.Errorf("%+v", last)
	}
}

// TestAwayWhileObeyed: a hand that was away for longer than it may be, and did not let go, is not armed again when it is back.
func TestAwayWhileObeyed(t *testing.T) {
	b := holds(t)
	b.offer(true)
	push := []wire.Target{{Axis: 1, Value: 1}}
	b.viewer.Hand(b.now, 1, push)
	b.run(200 * ms)
	b.viewer.Hand(b.now, 2, push)
	b.run(10 * ms)
	b.offer(false) // the dead-man time was over meanwhile
	b.run(10 * ms)
	if b.viewer.Driving(b.now) != Tripped {
		t.Errorf("%v", b.viewer.Driving(b.now))
	}
}

// TestDrivePace: at changes at once, but no more than every 10 ms; numbers rise from above those of an earlier life.
func TestDrivePace(t *testing.T) {
	b := holds(t)
	b.offer(true)
	for i := range 100 {
		b.viewer.Hand(b.now, uint64(i+1), []wire.Target{{Axis: 1, Value: float64(i) / 100}})
		b.run(2 * ms)
	}
	seq := uint64(100)
	for i, d := range b.drives {
		if d.Seq <= seq || i > 0 && d.at-b.drives[i-1].at < driveLeast {
			t.Errorf("Drive %d at %v", d.Seq, d.at)
		}
		seq = d.Seq
	}
	if len(b.drives) != 21 {
		t.Errorf("%d Drives in 200 ms", len(b.drives))
	}
}

// TestDriveAtOnce: a change does not wait because a Drive that changed nothing has just gone.
func TestDriveAtOnce(t *testing.T) {
	b := holds(t)
	b.offer(true)
	hand := func(count uint64, value float64) {
		b.viewer.Hand(b.now, count, []wire.Target{{Axis: 1, Value: value}})
		b.run(2 * ms)
	}
	hand(1, 0.1)
	for sent := len(b.drives); len(b.drives) == sent; b.run(ms) {
	}
	at := b.now
	hand(2, 0.2)
	if last := b.drives[len(b.drives)-1]; last.at != at || last.Setpoints[0].Value != 0.2 {
		t.Errorf("the change of %v was sent at %v: %v", at, last.at, last.Setpoints)
	}
}
