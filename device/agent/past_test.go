package agent_test

import (
	"context"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// run starts an agent with one stream; end tells it to end, and waits.
func run(t *testing.T, c agent.Config) (temperature *agent.Stream, end func()) {
	t.Helper()
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	if temperature, err = a.Number("temperature", "°C"); err != nil {
		t.Fatal(err)
	}
	return temperature, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A viewer that asks for the past gets what was made before it came, of this
// run and of those before, and everything after that live: each sample once.
func TestThePastComesBesideWhatIsLive(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	const runs, early, late = 3, 2000, 200
	for i := range runs - 1 {
		temperature, end := run(t, c)
		for j := range early {
			if err := temperature.Set(float64(i*early + j)); err != nil {
				t.Fatal(err)
			}
		}
		end()
	}
	temperature, end := run(t, c)
	defer end()
	for j := range early {
		if err := temperature.Set(float64((runs-1)*early + j)); err != nil {
			t.Fatal(err)
		}
	}
	live := make(chan struct{}, 1)
	came := make(chan received, 100)
	go watchPast(t, s, came)
	go func() {
		<-live
		for j := range late {
			_ = temperature.Set(float64(runs*early + j)) // a number always is one
			time.Sleep(time.Millisecond)
		}
	}()
	times := map[int]int{}
	for limit := time.After(20 * time.Second); len(times) < runs*early+late; {
		select {
		case r := <-came:
			times[r.value]++
			if r.past == (r.value >= runs*early) {
				t.Fatalf("%d came from the past: %v", r.value, r.past)
			}
			select {
			case live <- struct{}{}:
			default:
			}
		case <-limit:
			t.Fatalf("%d samples came of %d", len(times), runs*early+late)
		}
	}
	for value, n := range times {
		if n != 1 {
			t.Errorf("%d came %d times", value, n)
		}
	}
}

type received struct {
	value int
	past  bool
}

// watchPast tells what a viewer is delivered who wants the last minute.
func watchPast(t *testing.T, s *testServer, came chan<- received) {
	conn, err := peer.Dial(peer.ViewConfig{
		Endpoint: peer.Endpoint{URL: s.url, Token: s.token("viewer")}, Device: "board", Since: time.Minute,
		Events: peer.Events{Batch: func(r peer.Received) {
			var b telemetry.Batch
			if r.Retained {
				return
			}
			if err := telemetry.Decode(&b, r.Payload, r.Header.Count); err != nil {
				t.Error(err)
			}
			for i := r.Skip; i < r.Skip+r.Take; i++ {
				select {
				case came <- received{int(b.Numbers[i]), r.Past}:
				case <-t.Context().Done():
				}
			}
		}},
	})
	if err == nil {
		err = conn.Run(t.Context())
	}
	if err != nil {
		t.Error(err)
	}
}
