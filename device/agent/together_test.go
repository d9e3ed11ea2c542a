package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/device/source"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/signaling/server"
)

// testServer is a real signaling server on a free port.
type testServer struct {
	url, data string
	stop      func() // and forget everything
	stopOnly  func()
}

func startServer() (*testServer, error) {
	data, err := os.MkdirTemp("", "agent-test")
	if err != nil {
		return nil, err
	}
	s := &testServer{data: data}
	s.stop = func() {
		s.stopOnly()
		_ = os.RemoveAll(data)
	}
	return s, s.start("127.0.0.1:0")
}

func (s *testServer) start(listen string) error {
	server, err := server.New(server.Config{Listen: listen, Data: s.data})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = server.Run(ctx) }) // that it could not go on, the agents and viewers see
	<-server.Ready()
	s.url = "http://" + server.Addr().String()
	s.stopOnly = func() {
		cancel()
		run.Wait()
	}
	return nil
}

// again starts it where it was, with what it knew.
func (s *testServer) again(t *testing.T) {
	t.Helper()
	if err := s.start(strings.TrimPrefix(s.url, "http://")); err != nil {
		t.Fatal(err)
	}
}

func (s *testServer) token(role string) string {
	data, _ := os.ReadFile(filepath.Join(s.data, "tokens", role)) // "" is refused by the server
	return strings.TrimSpace(string(data))
}

// watch collects what a device publishes, as "stream value unit", until it has n values.
func (s *testServer) watch(ctx context.Context, device, from string, n int) []string {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	var values []string
	units := map[string]string{}
	conn, err := peer.Dial(peer.ViewConfig{
		Endpoint: peer.Endpoint{URL: s.url, Token: s.token("viewer")}, Device: device, From: from, NoDirect: true,
		Events: peer.Events{Batch: func(r peer.Received) {
			var b telemetry.Batch
			meta, _ := telemetry.ParseMeta(r.Stream.Meta)
			units[r.Stream.Name] = meta.Unit
			if r.Retained && from == "start" || telemetry.Decode(&b, r.Payload, r.Header.Count) != nil {
				return
			}
			for i := r.Skip; i < r.Skip+r.Take; i++ {
				values = append(values, strings.TrimSpace(r.Stream.Name+" "+b.Value(i).String()+" "+meta.Unit))
			}
			if len(values) >= n {
				enough()
			}
		}},
	})
	if err == nil {
		err = conn.Run(ctx)
	}
	if err != nil {
		values = append(values, err.Error())
	}
	return values
}

func (s *testServer) config(t *testing.T, sources ...source.Source) agent.Config {
	return agent.Config{Server: s.url, Token: s.token("device"), Dir: t.TempDir(), Name: "board", Sources: sources}
}

func newServer(t *testing.T) *testServer {
	t.Helper()
	s, err := startServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// burst is a source that publishes all it has at once, and fails or ends.
type burst struct {
	count int
	err   error
}

func (b burst) Run(_ context.Context, sink source.Sink) error {
	w, err := sink.Declare(source.Stream{Name: "log", Class: eventClass, Meta: telemetry.Meta{Kind: telemetry.Number}})
	if err != nil {
		return err
	}
	for i := range b.count {
		if err := w.Put(source.Stamp(time.Now()), telemetry.NumberValue(float64(i))); err != nil {
			return err
		}
	}
	return b.err
}

func TestWhatASourceLeavesStaysAvailable(t *testing.T) {
	s := newServer(t)
	a, err := agent.New(s.config(t, burst{count: 500}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	waitForLink(t, a)

	limit, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	got := s.watch(limit, "board", "start", 500)
	var want []string
	for i := range 500 {
		want = append(want, fmt.Sprintf("log %d", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func waitForLink(t *testing.T, a *agent.Agent) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := agent.Check(a.Dir()); err == nil {
			return
		}
	}
	t.Fatal("not linked after 20 s")
}

func TestAllSourcesFailed(t *testing.T) {
	s := newServer(t)
	broken := errors.New("the sensor fell off")
	a, err := agent.New(s.config(t, burst{err: broken}))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestRefusedForGood(t *testing.T) {
	s := newServer(t)
	config := s.config(t, burst{count: 1})
	for token, want := range map[string]string{"of somebody else": "token", s.token("viewer"): "tokens/device"} {
		config.Token = token
		var log strings.Builder
		config.Log = slog.New(slog.NewTextHandler(&log, nil))
		a, err := agent.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
		if text := log.String(); strings.Contains(text, "msg=linked") || !strings.Contains(text, want) {
			t.Error(text)
		}
	}
	if again, err := agent.New(config); err != nil {
		t.Errorf("the folder is still held: %v", err)
	} else {
		again.Close()
	}
}
