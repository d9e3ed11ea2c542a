package ping

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// device answers pings as a script says: a delay, or forever, or no path until a time.
type device struct {
	began  time.Time
	noPath time.Duration
	delays []time.Duration // of each ping; the last one repeats; < 0: never
}

func (d *device) Ping(ctx context.Context) (peer.Reply, error) {
	if time.Since(d.began) < d.noPath {
		return peer.Reply{}, peer.ErrNoPath
	}
	delay := d.delays[0]
	if len(d.delays) > 1 {
		d.delays = d.delays[1:]
	}
	var answered <-chan time.Time
	if delay >= 0 {
		answered = time.After(delay)
	}
	select {
	case <-answered:
		return peer.Reply{Rung: ladder.UDP, RoundTrip: delay}, nil
	case <-ctx.Done():
		return peer.Reply{}, ctx.Err()
	}
}

func TestRun(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		device device
		count  int
		want   []string
		sum    Summary
		took   time.Duration
	}{
		{
			"replies",
			device{delays: []time.Duration{10 * ms, 30 * ms, 20 * ms}},
			3,
			[]string{"10ms", "30ms", "20ms"},
			Summary{Sent: 3, Received: 3, Min: 10 * ms, Avg: 20 * ms, P50: 20 * ms, P95: 30 * ms, P99: 30 * ms, Max: 30 * ms},
			2*time.Second + 20*ms,
		},
		{
			"one is lost",
			device{delays: []time.Duration{10 * ms, -1, 10 * ms}},
			3,
			[]string{"10ms", "no reply", "10ms"},
			Summary{Sent: 3, Received: 2, Min: 10 * ms, Avg: 10 * ms, P50: 10 * ms, P95: 10 * ms, P99: 10 * ms, Max: 10 * ms},
			4*time.Second + 10*ms,
		},
		{
			"the path comes later",
			device{noPath: 2 * time.Second, delays: []time.Duration{10 * ms}},
			1,
			[]string{"10ms"},
			Summary{Sent: 1, Received: 1, Min: 10 * ms, Avg: 10 * ms, P50: 10 * ms, P95: 10 * ms, P99: 10 * ms, Max: 10 * ms},
			2*time.Second + 10*ms,
		},
		{
			"no path at all",
			device{noPath: time.Hour, delays: []time.Duration{0}},
			2,
			[]string{peer.ErrNoPath.Error(), peer.ErrNoPath.Error()},
			Summary{Sent: 2},
			6 * time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) { testRun(t, c.device, c.count, c.want, c.sum, c.took) })
	}
}

func testRun(t *testing.T, d device, count int, want []string, sum Summary, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		d.began = time.Now()
		var got []string
		summary, err := Run(t.Context(), &d, Config{Count: count, Each: func(r Result) error {
			text := r.Reply.RoundTrip.String()
			if r.Err != nil {
				text = r.Err.Error()
			}
			got = append(got, text)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got) + cmp.Diff(sum, summary); diff != "" {
			t.Error(diff)
		}
		if d := time.Since(d.began); d != took {
			t.Errorf("took %v, want %v", d, took)
		}
	})
}

func TestRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		d := &device{delays: []time.Duration{0}}
		summary, err := Run(ctx, d, Config{Each: func(Result) error { return nil }})
		if err != nil || summary.Sent != 3 {
			t.Errorf("%+v, %v", summary, err)
		}
		broken := errors.New("the reader is gone")
		if _, err := Run(t.Context(), d, Config{Each: func(Result) error { return broken }}); !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
	})
}

func TestRunUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{delays: []time.Duration{time.Millisecond, -1, 3 * time.Millisecond}}
		config := Config{
			Count: 5, Each: func(Result) error { return nil },
			Until: func(r peer.Reply) bool { return r.RoundTrip == 3*time.Millisecond },
		}
		summary, err := Run(t.Context(), d, config)
		if err != nil || summary.Sent != 3 || summary.Received != 2 || !summary.Until {
			t.Errorf("%+v, %v", summary, err)
		}
		config.Until = func(peer.Reply) bool { return false }
		if summary, err = Run(t.Context(), d, config); err != nil || summary.Sent != 5 || summary.Until {
			t.Errorf("%+v, %v", summary, err)
		}
	})
}

func TestPercentiles(t *testing.T) {
	var trips []time.Duration
	for i := range 200 {
		trips = append(trips, time.Duration(200-i))
	}
	s := summarize(400, trips)
	want := Summary{Sent: 400, Received: 200, Min: 1, Avg: 100, P50: 100, P95: 190, P99: 198, Max: 200}
	if s != want || s.Loss() != 50 || (Summary{}).Loss() != 0 {
		t.Errorf("%+v, want %+v", s, want)
	}
}
