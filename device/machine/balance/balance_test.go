package balance

import (
	"math"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/machine/cartpole"
)

// bad is the link that the whole thing is made for.
func bad(loss float64) link {
	return link{roundTrip: 100 * time.Millisecond, jitter: 10 * time.Millisecond, loss: loss}
}

// stream is the same link under a stream that repeats what is lost and keeps the order, as TCP does. It is a model.
func stream(loss float64) link {
	l := bad(loss)
	l.ordered = true
	return l
}

func survivors(t *testing.T, l link, c Config, seeds int, most time.Duration) int {
	t.Helper()
	n := 0
	for seed := range seeds {
		if newWorld(l, c, uint64(seed)).balance(most) >= most {
			n++
		}
	}
	return n
}

func TestStaysUpOverABadLink(t *testing.T) {
	const seeds, least = 50, 49
	n := survivors(t, bad(0.05), Config{}, seeds, time.Minute)
	t.Logf("up for a minute at 100 ms round trip and 5 %% loss: %d of %d", n, seeds)
	if n < least {
		t.Errorf("want at least %d", least)
	}
}

// Without prediction the same gains drop the pole, and do not need a loss for it.
func TestWithoutPredictionItFalls(t *testing.T) {
	if n := survivors(t, bad(0), Config{Simple: true}, 20, 20*time.Second); n > 0 {
		t.Errorf("%d of 20 stayed up: then prediction is for nothing", n)
	}
	if n := survivors(t, link{roundTrip: 10 * time.Millisecond}, Config{Simple: true}, 20, 20*time.Second); n < 20 {
		t.Errorf("on a near link %d of 20 stayed up: then it is not the delay", n)
	}
}

// A round trip that is measured wrong by some tens of ms is no harm.
func TestMisjudgedRoundTrip(t *testing.T) {
	for _, off := range []time.Duration{-30, -15, 15, 30} {
		n := 0
		for seed := range uint64(10) {
			w := newWorld(bad(0.05), Config{}, seed)
			w.control.Measured(105*time.Millisecond + off*time.Millisecond)
			if w.balance(20*time.Second) >= 20*time.Second {
				n++
			}
		}
		if n < 10 {
			t.Errorf("misjudged by %d ms: %d of 10 stayed up", off, n)
		}
	}
}

// How much loss each kind of transport survives at 100 ms round trip. A stream stalls: the pole falls at losses that datagrams hardly notice.
func TestLossThatDropsThePole(t *testing.T) {
	const seeds, most = 10, 20 * time.Second
	for _, row := range []struct {
		name        string
		kind        func(loss float64) link
		losses      []float64
		holds, gone float64 // at this loss all stay up, at that one less than half
	}{
		{"datagrams", bad, []float64{0.2, 0.4, 0.6, 0.8}, 0.4, 0.8},
		{"an ordered stream", stream, []float64{0, 0.01, 0.02, 0.05}, 0, 0.05},
	} {
		for _, loss := range row.losses {
			n := survivors(t, row.kind(loss), Config{}, seeds, most)
			t.Logf("model, 100 ms round trip, %v, %s, %2.0f %% loss: %d of %d stay up", most, row.name, loss*100, n, seeds)
			if loss <= row.holds && n < seeds || loss >= row.gone && n >= seeds/2 {
				t.Errorf("%s: %d of %d at %v %%", row.name, n, seeds, loss*100)
			}
		}
	}
}

// Where nothing is lost and no wind blows, the prediction is what the force finds.
func TestPredictionComesTrue(t *testing.T) {
	w := newWorld(link{roundTrip: 100 * time.Millisecond}, Config{}, 1)
	w.calm = true
	w.control.Measured(100 * time.Millisecond)
	predicted := map[int]cartpole.State{}
	checked := 0
	w.decided = func(now time.Duration, seq int) {
		if s, ok := w.control.Predict(now); ok {
			predicted[seq] = s
		}
	}
	w.obeyed = func(seq int) {
		want, found := predicted[seq]
		if got := w.pole; found && seq > 20 && (math.Abs(got.X-want.X) > 1e-6 || math.Abs(got.Angle-want.Angle) > 1e-6 || math.Abs(got.Spin-want.Spin) > 1e-5) {
			t.Fatalf("force %d was to find %+v, finds %+v", seq, want, got)
		}
		checked++
	}
	if w.balance(5*time.Second) < 5*time.Second || checked < 400 {
		t.Errorf("fell, or only %d forces came", checked)
	}
}

// The device's clock is set while somebody balances: the horizon is right with the first sample after it.
func TestDeviceClockIsSet(t *testing.T) {
	c := New(Config{})
	c.Measured(100 * time.Millisecond)
	const way = 50 * time.Millisecond
	now := time.Duration(0)
	for _, clock := range []time.Duration{0, time.Hour, -time.Hour, -time.Hour + 1500*time.Millisecond, -time.Hour - 1500*time.Millisecond} {
		for range 500 {
			now += Every
			c.Saw(Sample{T: now - way + clock}, now)
			if got := c.Horizon(now); got != 100*time.Millisecond {
				t.Fatalf("clock %v, own time %v: horizon %v", clock, now, got)
			}
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	c := New(Config{})
	c.Measured(150 * time.Millisecond)
	now := time.Duration(0)
	for b.Loop() {
		now += Every
		c.Saw(Sample{T: now, State: cartpole.State{Angle: 0.02}}, now)
		c.Decide(now)
	}
}
