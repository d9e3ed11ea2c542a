package machine

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/device/actuator"
	"github.com/telepath-iot/telepath/device/control/schema"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/source/sourcetest"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_ source.Source     = (*Machine)(nil)
	_ actuator.Actuator = (*Machine)(nil)
)

// bench is a machine that runs, in simulated time.
type bench struct {
	*Machine
	*sourcetest.Recorder
	t *testing.T
}

// on runs a machine while f works with it.
func on(t *testing.T, config Config, f func(b bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := bench{New(config), &sourcetest.Recorder{}, t}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx, b.Recorder) }()
		synctest.Wait()
		f(b)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (b bench) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b bench) call(method, params string) json.RawMessage {
	b.t.Helper()
	result, err := b.Call(b.t.Context(), method, json.RawMessage(params), func(float64) {})
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, params, err)
	}
	return result
}

func (b bench) apply(axis uint64, value float64) {
	b.t.Helper()
	if applied, err := b.Apply(map[uint64]float64{axis: value}); err != nil || applied[axis] != value {
		b.t.Fatalf("applied %v, %v", applied, err)
	}
}

func (b bench) last(stream string) float64 {
	samples := b.Of(stream)
	return samples[len(samples)-1].Value.Number()
}

// stances is what became of the pole.
func (b bench) stances() (all []string) {
	for _, s := range b.Of(streamPoleState) {
		all = append(all, s.Value.Text())
	}
	return all
}

func TestStreamsAreMarkedAsSimulated(t *testing.T) {
	on(t, Config{}, func(b bench) {
		b.wait(time.Second + time.Millisecond)
		for _, s := range b.Streams() {
			want := wire.Live
			if s.Name == streamPoleState || s.Name == streamRoverHorn {
				want = wire.Event
			}
			if !s.Meta.Simulated || s.Meta.Source != SourceName || s.Class != want {
				t.Errorf("%s: %+v", s.Name, s)
			}
		}
		for stream, want := range map[string]int{streamPoleX: 101, streamPoleForce: 101, streamRoverX: 21, streamLate: 2, streamPoleState: 1} {
			if got := len(b.Of(stream)); got != want {
				t.Errorf("%s: %d samples in a second, want %d", stream, got, want)
			}
		}
	})
}

// Whoever balances puts together what is of the same moment.
func TestSamplesOfOneMomentHaveOneTime(t *testing.T) {
	on(t, Config{}, func(b bench) {
		b.wait(300 * time.Millisecond)
		for _, other := range []string{streamPoleV, streamPoleAngle, streamPoleSpin, streamPoleForce} {
			for i, s := range b.Of(streamPoleX) {
				if b.Of(other)[i].T != s.T {
					t.Fatalf("sample %d of %s is of another time", i, other)
				}
			}
		}
	})
}

func TestPoleIsHeldFallsAndStays(t *testing.T) {
	on(t, Config{}, func(b bench) {
		b.wait(time.Second)
		b.call("reset-pole", "")
		b.wait(9 * time.Second)
		if angle := b.last(streamPoleAngle); math.Abs(angle) > 0.03 {
			t.Errorf("a held pole leans by %v rad", angle)
		}
		b.wait(6 * time.Second)
		if angle := b.last(streamPoleAngle); math.Abs(angle) < 1.5 {
			t.Errorf("nobody balances, the pole leans by %v rad", angle)
		}
		b.apply(AxisForce, 5)
		b.wait(5 * time.Second)
		if got, want := b.stances(), []string{"down", "held", "up", "down"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestTheFirstForceEndsTheHold(t *testing.T) {
	on(t, Config{Calm: true}, func(b bench) {
		b.call("reset-pole", "")
		b.apply(AxisForce, 0)
		b.wait(time.Second)
		b.apply(AxisForce, 1)
		b.wait(300 * time.Millisecond)
		if got, want := b.stances(), []string{"down", "held", "up"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// A command counts from the millisecond at which it came, not from when Run looks next.
func TestForceCountsAtOnce(t *testing.T) {
	on(t, Config{Calm: true}, func(b bench) {
		b.wait(103 * time.Millisecond)
		b.apply(AxisForce, 10)
		b.wait(4 * time.Millisecond)
		b.apply(AxisForce, 0)
		b.wait(20 * time.Millisecond)
		cart := b.world.cart
		want := cart.MaxForce / (cart.Cart + cart.Pole) * 0.004
		if got := b.last(streamPoleV); math.Abs(got-want) > 0.05*want {
			t.Errorf("%v m/s after 10 N for 4 ms, want about %v", got, want)
		}
	})
}

func TestSafeStopsEverything(t *testing.T) {
	on(t, Config{}, func(b bench) {
		b.apply(AxisForce, 3)
		b.apply(AxisSpeed, 1)
		b.apply(AxisTurn, 2)
		b.wait(500 * time.Millisecond)
		if b.last(streamRoverSpeed) < 0.5 || b.last(streamPoleForce) != 3 {
			t.Error("it does not move")
		}
		if err := b.Safe(); err != nil {
			t.Fatal(err)
		}
		b.wait(time.Second)
		if b.last(streamRoverSpeed) > 0.01 || b.last(streamRoverTurn) > 0.01 || b.last(streamPoleForce) != 0 {
			t.Error("it moves on")
		}
	})
}

func TestPushAndKnock(t *testing.T) {
	on(t, Config{Calm: true}, func(b bench) {
		if _, err := b.Call(b.t.Context(), "push", nil, nil); err == nil || !strings.Contains(err.Error(), "lies on the rail") {
			t.Errorf("pushed what lies there: %v", err)
		}
		b.call("reset-pole", "")
		b.call("push", `{"side": "left", "strength": 0.05}`)
		b.wait(200 * time.Millisecond)
		if b.last(streamPoleAngle) > -0.03 {
			t.Errorf("pushed to the left, it leans by %v rad", b.last(streamPoleAngle))
		}
		b.call("reset-pole", "")
		b.call("knock-over", "")
		b.wait(time.Second)
		if b.last(streamPoleAngle) < 1.5 {
			t.Error("it stands")
		}
	})
}

func TestHonkAndSelfTest(t *testing.T) {
	on(t, Config{}, func(b bench) {
		if got := string(b.call("honk", `{"times": 2, "loud": true}`)); got != `{"sound":"HONK HONK"}` {
			t.Error(got)
		}
		var progress []float64
		result, err := b.Call(b.t.Context(), "self-test", json.RawMessage(`{"seconds": 1}`), func(p float64) { progress = append(progress, p) })
		if err != nil || string(result) != `{"steps_a_second":1000,"late":0,"missed":0}` {
			t.Errorf("%s, %v", result, err)
		}
		if len(progress) < 5 || !slices.IsSorted(progress) || progress[len(progress)-1] > 1 {
			t.Errorf("progress %v", progress)
		}
		b.wait(20 * time.Millisecond)
		if horn := b.Of(streamRoverHorn); len(horn) != 1 || horn[0].Value.Text() != "HONK HONK" {
			t.Errorf("%v", horn)
		}
		ctx, cancel := context.WithTimeout(b.t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := b.Call(ctx, "self-test", nil, func(float64) {}); err == nil {
			t.Error("an ended context does not end it")
		}
	})
}

// What a screen makes forms of must be schemas; the axes must fit their numbers.
func TestDescribesItself(t *testing.T) {
	m := New(Config{})
	for _, method := range m.Methods() {
		for _, text := range []json.RawMessage{method.Params, method.Result} {
			if text == nil {
				continue
			}
			if s, err := schema.Parse(text); err != nil || !s.IsObject() {
				t.Errorf("%s: %s: %v", method.Name, text, err)
			}
		}
	}
	for i, axis := range m.Axes() {
		if axis.ID != uint64(i+1) || axis.ID > wire.MaxAxes || axis.Min >= axis.Max || axis.Neutral != 0 {
			t.Errorf("%+v", axis)
		}
	}
	if !slices.ContainsFunc(m.Methods(), func(method rpc.Method) bool { return method.Danger }) {
		t.Error("no method shows what a danger looks like")
	}
}
