package agent_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Events that were made while nothing could be sent, by a run of the program that has ended since, come from the spool:
// each once, in order, before those of the next run.
func TestEventsOfAnEarlierRunComeFirst(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	made := 0
	produce := func(log *agent.Stream, n int) {
		for range n {
			made++
			if err := log.SetText(strconv.Itoa(made)); err != nil {
				t.Error(err)
			}
		}
	}
	a, log, end := runEvents(t, c)
	waitForLink(t, a)
	texts, gaps := lines(), lines()
	go watchEvents(t, s, texts, gaps)
	for deadline := time.Now().Add(10 * time.Second); len(texts) == 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		produce(log, 1)
	}
	s.stopOnly()
	produce(log, 3000)
	end()
	_, log, end = runEvents(t, c)
	defer end()
	produce(log, 50)
	s.again(t)
	time.Sleep(300 * time.Millisecond)
	produce(log, 50)
	expectNumbers(t, texts, gaps, made)
}

// A viewer that is told to begin in a run of the program that is over gets the rest of it from the spool, and then the next one.
func TestEventsFromWithinAnEarlierRun(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	epoch := runThatIsOver(t, s, c, 100)
	_, log, end := runEvents(t, c)
	defer end()
	for n := 101; n <= 150; n++ {
		if err := log.SetText(strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	texts, gaps := lines(), lines()
	go watch(t.Context(), t, s, peer.ViewConfig{From: signal.FormatPosition(epoch, 40), Events: events(t, texts, gaps)})
	for n := 41; n <= 150; n++ {
		select {
		case text := <-texts:
			if text != strconv.Itoa(n) {
				t.Fatalf("%s came, want %d", text, n)
			}
		case gap := <-gaps:
			t.Fatalf("at %d: %s", n, gap)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d did not come", n)
		}
	}
}

// A viewer that has all of a run that is over, and did not hear it end, is told of no gap, although the next run has nothing yet.
func TestEventsFromTheEndOfAnEarlierRun(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	epoch := runThatIsOver(t, s, c, 3)
	a, log, end := runEvents(t, c)
	defer end()
	waitForLink(t, a)
	texts, gaps := lines(), lines()
	go watch(t.Context(), t, s, peer.ViewConfig{From: signal.FormatPosition(epoch, 3), Events: events(t, texts, gaps)})
	time.Sleep(2 * time.Second) // it asks, and waits for the answer
	if err := log.SetText("4"); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-texts:
		if text != "4" {
			t.Errorf("%s came", text)
		}
	case gap := <-gaps:
		t.Errorf("gap: %s", gap)
	case <-time.After(20 * time.Second):
		t.Error("nothing came")
	}
}

// Events that were made during an outage, more than the ring holds, come from the spool: each once, in order, between what came
// before it and what is made behind it.
func TestEventsOutlastTheRing(t *testing.T) {
	s := newServer(t)
	a, log, end := runEvents(t, s.config(t))
	defer end()
	waitForLink(t, a)
	texts, gaps := lines(), lines()
	var watching sync.WaitGroup
	watching.Go(func() { watchEvents(t, s, texts, gaps) })
	t.Cleanup(watching.Wait)
	made, long := 0, strings.Repeat(".", 1<<10)
	produce := func(n int) {
		for range n {
			made++
			if err := log.SetText(strconv.Itoa(made) + " " + long); err != nil {
				t.Error(err)
			}
		}
	}
	for deadline := time.Now().Add(10 * time.Second); len(texts) == 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		produce(1)
	}
	s.stopOnly()
	for range 300 { // 3 MiB: three times what the ring holds, as fast as a disk takes it
		produce(10)
		time.Sleep(5 * time.Millisecond)
	}
	s.again(t)
	for range 100 { // while the spool is read
		produce(1)
		time.Sleep(20 * time.Millisecond)
	}
	expectNumbers(t, texts, gaps, made)
}

// expectNumbers says that texts which begin with a number came in its order, each once and without a gap, from where the viewer
// came up to the last one.
func expectNumbers(t *testing.T, texts, gaps <-chan string, last int) {
	t.Helper()
	for i := 1; i <= last; i++ {
		select {
		case text := <-texts:
			number, _, _ := strings.Cut(text, " ")
			if i == 1 {
				i, _ = strconv.Atoi(number) // what was made before the viewer came
			}
			if number != strconv.Itoa(i) {
				t.Fatalf("%s came, want %d of %d", number, i, last)
			}
		case gap := <-gaps:
			t.Fatalf("at %d: %s", i, gap)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d did not come", i, last)
		}
	}
}

// runThatIsOver makes so many Events, numbered, in a run of the program that ends, and returns its epoch.
func runThatIsOver(t *testing.T, s *testServer, c agent.Config, events int) (epoch uint32) {
	t.Helper()
	a, log, end := runEvents(t, c)
	waitForLink(t, a)
	epochs := make(chan uint32, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var first sync.WaitGroup
	first.Go(func() {
		watch(ctx, t, s, peer.ViewConfig{From: "start", Events: peer.Events{Batch: func(r peer.Received) {
			select {
			case epochs <- r.Header.Epoch:
			default:
			}
		}}})
	})
	for n := 1; n <= events; n++ {
		if err := log.SetText(strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case epoch = <-epochs:
	case <-time.After(20 * time.Second):
		t.Error("nothing came of the first run")
	}
	cancel()
	first.Wait()
	end()
	return epoch
}

func lines() chan string { return make(chan string, 10_000) }

func runEvents(t *testing.T, c agent.Config) (a *agent.Agent, log *agent.Stream, end func()) {
	t.Helper()
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if log, err = a.Events("log"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return a, log, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// watchEvents tells the texts that a viewer is delivered, and the gaps.
func watchEvents(t *testing.T, s *testServer, texts, gaps chan<- string) {
	watch(t.Context(), t, s, peer.ViewConfig{Events: events(t, texts, gaps)})
}

// watch watches the board on the relay until ctx ends.
func watch(ctx context.Context, t *testing.T, s *testServer, cfg peer.ViewConfig) {
	cfg.Endpoint, cfg.Device, cfg.NoDirect = peer.Endpoint{URL: s.url, Token: s.token("viewer")}, "board", true
	conn, err := peer.Dial(cfg)
	if err == nil {
		err = conn.Run(ctx)
	}
	if err != nil {
		t.Error(err)
	}
}

func events(t *testing.T, texts, gaps chan<- string) peer.Events {
	return peer.Events{
		Batch: func(r peer.Received) {
			var b telemetry.Batch
			if r.Retained {
				return
			}
			if err := telemetry.Decode(&b, r.Payload, r.Header.Count); err != nil {
				t.Error(err)
			}
			for i := r.Skip; i < r.Skip+r.Take; i++ {
				texts <- b.Value(i).String()
			}
		},
		Gap: func(s *signal.Stream, g wire.Gap) { gaps <- fmt.Sprintf("%s: %+v", s.Name, g) },
	}
}

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
	waitForFolder(t, c.Dir)
	go watchPast(t, s, came)
	go func() {
		<-live
		for j := range late {
			_ = temperature.Set(float64(runs*early + j)) // a number always is one
			time.Sleep(time.Millisecond)
		}
	}()
	times, past := map[int]int{}, 0
	for limit := time.After(20 * time.Second); len(times) < runs*early+late; {
		select {
		case r := <-came:
			times[r.value]++
			if r.past {
				past++
			}
			select {
			case live <- struct{}{}:
			default:
			}
		case <-limit:
			t.Fatalf("%d samples came of %d", len(times), runs*early+late)
		}
	}
	if past < (runs-1)*early { // of this run the newest may have waited for company until the viewer was there
		t.Errorf("%d came from the past, want at least those of earlier runs", past)
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
