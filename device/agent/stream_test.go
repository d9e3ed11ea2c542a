package agent

import (
	"bytes"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/device/source/sim"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// wireTap is an outlet that decodes what is published.
type wireTap struct {
	window, left time.Duration

	mu      sync.Mutex
	batches []telemetry.Batch
	sizes   []int
	at      []time.Time
}

func (w *wireTap) Window() (wait, left time.Duration) { return min(w.window, w.left/4), w.left }

func (w *wireTap) Publish(count int, payload []byte) error {
	var b telemetry.Batch
	if err := telemetry.Decode(&b, bytes.Clone(payload), count); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches, w.sizes, w.at = append(w.batches, b), append(w.sizes, len(payload)), append(w.at, time.Now())
	return nil
}

func (w *wireTap) counts() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	var counts []int
	for _, b := range w.batches {
		counts = append(counts, b.Len())
	}
	return counts
}

func tapped(kind telemetry.Kind, class wire.Class, window time.Duration) (*Stream, *wireTap) {
	tap := &wireTap{window: window, left: time.Hour}
	s := source.Stream{Name: "s", Class: class, Meta: telemetry.Meta{Kind: kind}}
	return newStream(s, tap, slog.New(slog.DiscardHandler)), tap
}

func TestNoWindowNoWaiting(t *testing.T) {
	s, tap := tapped(telemetry.Number, wire.Live, 0)
	for i := range 5 {
		if err := s.Set(float64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{1, 1, 1, 1, 1}, tap.counts()); diff != "" {
		t.Error(diff)
	}
}

func TestSamplesWaitForCompanyOnlyIfThereIsSome(t *testing.T) {
	const window = 22 * time.Millisecond // no multiple of a period: which of two timers is first would be chance
	for _, c := range []struct {
		period, left time.Duration
		want         []int
	}{
		{5 * time.Millisecond, time.Second, []int{1, 5, 4}}, // the first one comes after a pause
		{10 * time.Millisecond, time.Second, []int{1, 3, 3, 3}},
		{10 * time.Millisecond, 97 * time.Millisecond, []int{1, 3, 2, 3, 1}},          // two and a half on average
		{10 * time.Millisecond, 47 * time.Millisecond, []int{1, 1, 1, 2, 1, 1, 1, 2}}, // where a packet has to follow soon
		{25 * time.Millisecond, time.Second, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},     // nobody else would come
	} {
		synctest.Test(t, func(t *testing.T) {
			s, tap := tapped(telemetry.Number, wire.Live, window)
			tap.left = c.left
			for i := range 10 {
				_ = s.Set(float64(i))
				time.Sleep(c.period)
			}
			time.Sleep(window)
			synctest.Wait()
			if diff := cmp.Diff(c.want, tap.counts()); diff != "" {
				t.Errorf("every %v, with %v left: %s", c.period, c.left, diff)
			}
			tap.mu.Lock()
			defer tap.mu.Unlock()
			for i, b := range tap.batches {
				waited, sent := tap.at[i].Sub(time.UnixMicro(b.T[0])), time.Duration(b.Len()-1)*c.period
				if waited > window || i < len(tap.batches)-1 && waited > sent {
					t.Errorf("every %v: a batch of %d waited %v", c.period, b.Len(), waited)
				}
			}
		})
	}
}

// TestHurry: what waits for company leaves when somebody waits for a first sample, or else the next one does, alone; what follows waits as before.
func TestHurry(t *testing.T) {
	const period = 10 * time.Millisecond
	for _, c := range []struct {
		at   int // samples, when somebody comes
		want []int
	}{
		{4, []int{1, 3, 1, 3, 3, 3}},
		{6, []int{1, 3, 2, 3, 3, 2}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, tap := tapped(telemetry.Number, wire.Live, 22*time.Millisecond)
			for i := range 14 {
				if i == c.at {
					s.hurry()
				}
				_ = s.Set(float64(i))
				time.Sleep(period)
			}
			time.Sleep(time.Second)
			if diff := cmp.Diff(c.want, tap.counts()); diff != "" {
				t.Errorf("after %d samples: %s", c.at, diff)
			}
		})
	}
}

// TestThreePacketsFollowInTime: whatever is lost can be mended by three others, and none of them leaves sooner than that takes.
func TestThreePacketsFollowInTime(t *testing.T) {
	const ms, samples = time.Millisecond, 1000
	for period := 2 * ms; period <= 20*ms; period += 3 * ms {
		for left := 4*period + ms/3; left < 250*ms; left += 7 * ms { // thirds: no timer at the instant of a sample
			synctest.Test(t, func(t *testing.T) {
				s, tap := tapped(telemetry.Number, wire.Live, 22*ms+ms/3)
				tap.left = left
				for i := range samples {
					_ = s.Set(float64(i))
					time.Sleep(period)
				}
				time.Sleep(time.Second)
				tap.mu.Lock()
				defer tap.mu.Unlock()
				last := 0 * ms
				for i, b := range tap.batches {
					if i >= 10 && i+4 < len(tap.batches) {
						last = max(last, tap.at[i+3].Sub(time.UnixMicro(b.T[0])))
					}
				}
				seldom := time.Duration(samples/len(tap.batches)+1)*period >= min(22*ms, left/4)-period
				if last > left || !seldom {
					t.Errorf("every %v, with %v left: %d packets, the third after a sample leaves %v later", period, left, len(tap.batches), last)
				}
			})
		}
	}
}

func TestBatchesFitTheirFrames(t *testing.T) {
	const headroom = 64 // bytes of length, hop part and header at their longest
	for _, c := range []struct {
		name  string
		class wire.Class
		limit int
		value func(i int) telemetry.Value
	}{
		{"numbers", wire.Live, wire.MaxLiveData, func(i int) telemetry.Value { return telemetry.NumberValue(math.Sqrt(float64(i))) }},
		{"bools", wire.Live, wire.MaxLiveData, func(i int) telemetry.Value { return telemetry.BoolValue(i%3 == 0) }},
		{"texts", wire.Event, wire.MaxData, func(i int) telemetry.Value { return telemetry.TextValue(strings.Repeat("x", i%1000)) }},
		{"bytes", wire.Live, wire.MaxLiveData, func(i int) telemetry.Value {
			return telemetry.BytesValue(sim.AppendPayload(nil, 100, uint64(i), 0))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, tap := tapped(c.value(0).Kind(), c.class, time.Second)
				const samples = 3000
				for i := range samples {
					if err := s.Put(int64(1e15+i*i), c.value(i)); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Second)
				tap.mu.Lock()
				defer tap.mu.Unlock()
				got := 0
				for n, b := range tap.batches {
					for i := range b.Len() {
						if diff := cmp.Diff(c.value(got).String(), b.Value(i).String()); diff != "" || b.T[i] != int64(1e15+got*got) {
							t.Fatalf("sample %d: time %d, %s", got, b.T[i], diff)
						}
						got++
					}
					if tap.sizes[n] > c.limit-headroom {
						t.Errorf("a payload of %d bytes", tap.sizes[n])
					}
				}
				if got != samples {
					t.Errorf("%d samples of %d", got, samples)
				}
				if packed := samples / len(tap.batches); packed < 5 {
					t.Errorf("only %d samples in a batch", packed)
				}
			})
		})
	}
}

func TestOneLargeValueGoesAlone(t *testing.T) {
	s, tap := tapped(telemetry.Text, wire.Live, time.Second)
	for range 3 {
		if err := s.SetText(strings.Repeat("x", wire.MaxText)); err != nil {
			t.Fatal(err)
		}
	}
	s.flush()
	if diff := cmp.Diff([]int{1, 1, 1}, tap.counts()); diff != "" {
		t.Error(diff)
	}
}

func TestBytesAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, tap := tapped(telemetry.Bytes, wire.Live, 20*time.Millisecond)
		buffer := []byte("a")
		for _, c := range []byte("abc") {
			buffer[0] = c
			_ = s.SetBytes(buffer)
		}
		buffer[0] = 'x'
		time.Sleep(time.Second)
		tap.mu.Lock()
		defer tap.mu.Unlock()
		var got []byte
		for _, b := range tap.batches {
			for _, blob := range b.Blobs {
				got = append(got, blob...)
			}
		}
		if string(got) != "abc" {
			t.Errorf("%q", got)
		}
	})
}

func TestRefusedSamplesHarmNoOther(t *testing.T) {
	s, tap := tapped(telemetry.Number, wire.Live, 0)
	_ = s.Set(1)
	for _, c := range []struct {
		t    int64
		v    telemetry.Value
		want error
	}{
		{0, telemetry.NumberValue(math.NaN()), telemetry.ErrNotFinite},
		{0, telemetry.NumberValue(math.Inf(-1)), telemetry.ErrNotFinite},
		{0, telemetry.TextValue("x"), source.ErrKind},
		{-1, telemetry.NumberValue(1), source.ErrTime},
		{math.MaxInt64, telemetry.NumberValue(1), source.ErrTime},
	} {
		if err := s.Put(c.t, c.v); !errors.Is(err, c.want) {
			t.Errorf("%v at %d: %v", c.v, c.t, err)
		}
	}
	_ = s.Set(2)
	if diff := cmp.Diff([]int{1, 1}, tap.counts()); diff != "" {
		t.Error(diff)
	}
}

func TestManyWriters(t *testing.T) {
	s, tap := tapped(telemetry.Number, wire.Live, time.Millisecond)
	var writers sync.WaitGroup
	const each = 500
	for range 4 {
		writers.Go(func() {
			for i := range each {
				_ = s.Put(int64(i), telemetry.NumberValue(1))
			}
		})
	}
	writers.Wait()
	s.flush()
	got := 0
	for _, n := range tap.counts() {
		got += n
	}
	if got != 4*each {
		t.Errorf("%d samples of %d", got, 4*each)
	}
}

func TestNumbersCostNoAllocation(t *testing.T) {
	tap := &silent{}
	s := newStream(source.Stream{Name: "s", Class: wire.Live}, tap, slog.New(slog.DiscardHandler))
	if n := testing.AllocsPerRun(1000, func() { _ = s.Set(1.5) }); n > 0 {
		t.Errorf("%v allocations a sample", n)
	}
}

type silent struct{}

func (silent) Window() (wait, left time.Duration) { return 0, 0 }
func (silent) Publish(int, []byte) error          { return nil }
