package agent_test

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/api"
	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/signal"
)

// screen is a terminal that can be read while it is written.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Split(s.text.String(), "\n")
}

// A board begins in 1970 and hears the time later. What it publishes is shown with the viewer's time of day, and that its clock is
// wrong, until it is set.
func TestABoardBeginsIn1970(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	var behind atomic.Int64
	behind.Store(int64(time.Since(time.Unix(5, 0))))
	c.SetClock(func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) })
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := a.Number("level", "m")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = a.Run(ctx) }) // its end is the test's
	running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if err := stream.Set(1.5); err != nil {
				t.Error(err)
			}
			<-tick.C
		}
	})
	var out screen
	running.Go(func() { show(ctx, t, s, a.ID(), &out) })
	began := time.Now()
	wrong := await(ctx, t, &out, regexp.MustCompile(`its clock is 5\d years behind this one`))
	sampleAfter(ctx, t, &out, wrong, began)
	behind.Store(0)
	right := await(ctx, t, &out, regexp.MustCompile(`its clock is right now`))
	sampleAfter(ctx, t, &out, right, began)
}

// The server looks at a device's clock, too, and again while it is wrong.
func TestTheServerKnowsOfAWrongClock(t *testing.T) {
	s := newServer(t)
	c := s.config(t)
	var ahead atomic.Int64
	ahead.Store(int64(time.Hour))
	c.SetClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	a, err := agent.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = a.Run(ctx) }) // its end is the test's
	client := api.Client{Server: s.url, Token: s.token("viewer")}
	until := func(what string, is func(signal.Device) bool) {
		t.Helper()
		for {
			devices, err := client.Devices(ctx)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if len(devices) == 1 && is(devices[0]) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	until("ahead", func(d signal.Device) bool {
		return (time.Duration(d.AheadMS)*time.Millisecond - time.Hour).Abs() < time.Second
	})
	ahead.Store(int64(-time.Minute))
	until("behind", func(d signal.Device) bool {
		return (time.Duration(d.AheadMS)*time.Millisecond + time.Minute).Abs() < time.Second
	})
	ahead.Store(int64(2 * time.Second)) // as people set it
	until("right", func(d signal.Device) bool { return d.AheadMS == 0 && d.State == signal.StateLive })
}

// show shows a device, as soon as the server knows it.
func show(ctx context.Context, t *testing.T, s *testServer, device string, out *screen) {
	for ctx.Err() == nil {
		v, err := view.New(view.Config{
			View:   peer.ViewConfig{Endpoint: peer.Endpoint{URL: s.url, Token: s.token("viewer")}, Device: device},
			Format: view.Text{}, Out: out, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Error(err)
			return
		}
		if err := v.Run(ctx); err != nil && !strings.Contains(err.Error(), "no device has") {
			t.Error(err)
		}
	}
}

// await is the number of the first line that fits.
func await(ctx context.Context, t *testing.T, out *screen, want *regexp.Regexp) int {
	t.Helper()
	return find(ctx, t, out, 0, want.String(), want.MatchString)
}

// sampleAfter looks at the first sample with an age behind a line: made since began, and shown with a time and an age that are so.
func sampleAfter(ctx context.Context, t *testing.T, out *screen, line int, began time.Time) {
	t.Helper()
	isSample := func(line string) bool { return strings.Contains(line, "level") && strings.Contains(line, "±") }
	text := out.lines()[find(ctx, t, out, line, "a sample", isSample)]
	at, err := time.ParseInLocation("2006-01-02 15:04:05.000", began.Format("2006-01-02 ")+text[:12], time.Local)
	if err != nil {
		t.Fatal(err)
	}
	if at.Before(began.Add(-time.Minute)) {
		at = at.AddDate(0, 0, 1) // midnight has passed
	}
	if late := time.Since(at); late < -time.Second || at.Before(began.Add(-time.Second)) {
		t.Errorf("%q was made between %v and %v", text, began, time.Now())
	}
	if !regexp.MustCompile(`  [\d.]+ ms ± [\d.]+ ms  `).MatchString(text) {
		t.Errorf("%q has another age than some milliseconds", text)
	}
}

func find(ctx context.Context, t *testing.T, out *screen, from int, what string, is func(string) bool) int {
	t.Helper()
	for {
		lines := out.lines()
		for i := from; i < len(lines)-1; i++ { // the last one has no end yet
			if is(lines[i]) {
				return i
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no line with %s:\n%s", what, strings.Join(lines, "\n"))
		case <-time.After(10 * time.Millisecond):
		}
	}
}
