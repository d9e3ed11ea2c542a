package netcheck

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/server"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
		os.Unsetenv(name)
		os.Unsetenv(strings.ToLower(name))
	}
	goleak.VerifyTestMain(m)
}

// running is a real server.
type running struct {
	*server.Server
	dir  string
	addr string
}

func serve(t *testing.T, cfg server.Config) *running {
	t.Helper()
	cfg.Data = t.TempDir()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	}))
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatal(err)
	}
	return &running{Server: s, dir: cfg.Data, addr: s.Addr().String()}
}

func (r *running) token(t *testing.T, role auth.Role) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "tokens", string(role)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// viewer is a viewer's endpoint by way of an address, which may be another's than the server's.
func (r *running) viewer(t *testing.T, scheme, addr string) peer.Endpoint {
	t.Helper()
	return peer.Endpoint{URL: scheme + "://" + addr, Token: r.token(t, auth.Viewer)}
}

// result is what a run has told.
type result struct {
	t *testing.T
	Summary
	checks map[string]Check
	order  []string
	took   time.Duration
}

func check(t *testing.T, e peer.Endpoint) *result {
	t.Helper()
	return run(t, t.Context(), Config{Endpoint: e})
}

func run(t *testing.T, ctx context.Context, cfg Config) *result {
	t.Helper()
	r := &result{t: t, checks: map[string]Check{}}
	cfg.Each = func(c Check) error {
		r.checks[c.Name] = c
		r.order = append(r.order, c.Name)
		return nil
	}
	began := time.Now()
	var err error
	if r.Summary, err = Run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	r.took = time.Since(began)
	return r
}

// ok wants these checks to be ok.
func (r *result) ok(names ...string) {
	r.t.Helper()
	for _, name := range names {
		if c := r.checks[name]; c.Verdict != OK {
			r.t.Errorf("%s is %+v, want ok", name, c)
		}
	}
}

// failed wants a check to have failed under a name, with words for people.
func (r *result) failed(name, failure string) {
	r.t.Helper()
	c := r.checks[name]
	if c.Verdict != Failed || c.Failure != failure || c.Reason == "" || c.Remedy == "" {
		r.t.Errorf("%s is %+v, want failed as %s", name, c, failure)
	}
}

// unknown wants checks to be unknown, and the reason to say this.
func (r *result) unknown(reason string, names ...string) {
	r.t.Helper()
	for _, name := range names {
		if c := r.checks[name]; c.Verdict != Unknown || !strings.Contains(c.Reason, reason) {
			r.t.Errorf("%s is %+v, want unknown: %s", name, c, reason)
		}
	}
}

// expects wants a rung, and the reason to say these.
func (r *result) expects(rung string, because ...string) {
	r.t.Helper()
	if r.Expected != rung {
		r.t.Errorf("expected is %q (%s), want %q", r.Expected, r.Because, rung)
	}
	for _, part := range because {
		if !strings.Contains(r.Because, part) {
			r.t.Errorf("the reason is %q, want %q in it", r.Because, part)
		}
	}
}

// detail wants a check to have seen this.
func (r *result) detail(name string, parts ...string) {
	r.t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.checks[name].Detail, part) {
			r.t.Errorf("%s saw %q, want %q in it", name, r.checks[name].Detail, part)
		}
	}
}

// listen is a free port on this machine.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
