package netcheck

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/signaling/auth"
	"github.com/telepath-iot/telepath/signaling/server"
)

func TestOpenNetwork(t *testing.T) {
	r := serve(t, server.Config{Name: "hub"})
	got := check(t, r.viewer(t, "http", r.addr))
	got.ok("dns", "tcp4", "proxy", "http1", "ws", "sse", "poll", "latency-ws", "latency-sse", "latency-poll", "clock")
	got.unknown("no IPv6 address", "tcp6", "ipv6")
	got.unknown("http://", "tls", "http2")
	got.ok("udp", "mapping", "relay-udp", "relay-tcp", "turn-udp", "turn-tcp")
	got.detail("relay-tcp", r.addr)
	got.detail("mapping", "no NAT")
	got.detail("turn-udp", "turn:"+r.addr+"?transport=udp gives ")
	got.unknown("reached this way", "turn-tls")
	got.detail("ws", `"hub"`)
	got.detail("proxy", "none")
	got.expects("ws", "WebSocket gets through, round trip ", "turn-udp at least")
	want := []string{
		"dns", "tcp4", "tcp6", "ipv6", "proxy", "tls", "http1", "http2", "ws", "sse", "poll",
		"latency-ws", "latency-sse", "latency-poll",
		"udp", "mapping", "relay-udp", "relay-tcp", "turn-udp", "turn-tcp", "turn-tls", "clock",
	}
	if !slices.Equal(got.order, want) {
		t.Errorf("the order is %v, want %v", got.order, want)
	}
	clock := got.checks["clock"].Clock
	if clock.Ahead.Abs() > clock.Err+time.Millisecond || clock.Err > 100*time.Millisecond {
		t.Errorf("this machine's clock is %v ahead of itself, ± %v", clock.Ahead, clock.Err)
	}
}

func TestIPv6(t *testing.T) {
	r := serve(t, server.Config{Listen: "[::1]:0"})
	got := check(t, r.viewer(t, "http", r.addr))
	got.ok("tcp6", "ipv6", "ws", "sse", "poll")
	got.unknown("no IPv4 address", "tcp4")
}

func TestDevicesToken(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, peer.Endpoint{URL: "http://" + r.addr, Token: r.token(t, auth.Device)})
	got.ok("ws", "sse", "poll", "latency-ws", "relay-udp", "relay-tcp", "clock")
	got.expects("ws")
}

func TestNoToken(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, peer.Endpoint{URL: "http://" + r.addr})
	got.ok("http1", "clock")
	got.unknown("no token", "ws", "sse", "poll", "latency-ws", "relay-udp", "relay-tcp")
	got.expects("", "a telepath server answers", "no token", "--token-file")
	if !got.Reached {
		t.Error("a server that answers counts as out of reach")
	}
	if e := got.checks["clock"].Clock.Err; e < dateUnit/2 {
		t.Errorf("the header Date is good to ± %v", e)
	}
}

func TestNoTokenNeeded(t *testing.T) {
	r := serve(t, server.Config{OpenRole: auth.Viewer})
	got := check(t, peer.Endpoint{URL: "http://" + r.addr})
	got.ok("ws", "sse", "poll", "relay-udp", "relay-tcp")
	got.expects("ws")
}

func TestWrongToken(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, peer.Endpoint{URL: "http://" + r.addr, Token: "no-such-token"})
	got.failed("ws", "unauthorized")
	got.failed("poll", "unauthorized")
	got.expects(None, "the token is not valid", "(unauthorized)")
	if strings.Count(got.Because, "unauthorized") != 1 || got.Reached {
		t.Errorf("told: %+v", got.Summary)
	}
}

func TestNotThere(t *testing.T) {
	gone := listen(t)
	gone.Close()
	got := check(t, peer.Endpoint{URL: "http://" + gone.Addr().String(), Token: "x"})
	got.ok("dns")
	got.failed("tcp4", "refused")
	got.unknown("no connection to the server (refused)", "http1", "ws", "sse", "poll", "latency-ws", "clock")
	got.expects(None, "nothing listens", "(refused)")
	if got.Reached {
		t.Error("reached")
	}
}

func TestNoName(t *testing.T) {
	got := check(t, peer.Endpoint{URL: "https://no-such-host.invalid", Token: "x"})
	got.failed("dns", "dns")
	got.unknown("the server's name has no address (dns)", "tcp4", "tcp6", "ipv6", "tls", "http1", "ws", "clock")
	got.ok("proxy")
	got.expects(None, "(dns)")
}

func TestSomethingElse(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"another server": http.NotFoundHandler(),
		"a redirect":     http.RedirectHandler("https://portal.example/", http.StatusFound),
		"any JSON":       http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"code":"?"}`) }),
	} {
		t.Run(name, func(t *testing.T) {
			other := httptest.NewServer(handler)
			defer other.Close()
			got := check(t, peer.Endpoint{URL: other.URL, Token: "x"})
			got.failed("http1", "not-telepath")
			got.unknown("no telepath server answers", "ws", "sse", "poll", "clock")
			got.expects(None, "(not-telepath)")
		})
	}
}

// TestPlainToTLS: who leaves out an s learns that, and not that something else is there.
func TestPlainToTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	got := check(t, peer.Endpoint{URL: "http://" + s.Listener.Addr().String(), Token: "x"})
	got.failed("http1", "tls-failed")
	got.expects(None, "this port speaks TLS: use https://")
}

// TestSilence: something takes connections and says nothing, on any step.
func TestSilence(t *testing.T) {
	t.Parallel()
	l := listen(t)
	defer l.Close()
	for _, scheme := range []string{"http", "https"} {
		got := run(t, t.Context(), Config{Endpoint: peer.Endpoint{URL: scheme + "://" + l.Addr().String()}, Timeout: 2 * time.Second})
		got.ok("tcp4")
		got.failed(map[string]string{"http": "http1", "https": "tls"}[scheme], "timeout")
		got.unknown("(timeout)", "ws", "poll")
		if got.took > 2*time.Second {
			t.Errorf("it took %v", got.took)
		}
	}
}

// TestInterrupted: Ctrl-C while everything hangs.
func TestInterrupted(t *testing.T) {
	l := listen(t)
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	got := run(t, ctx, Config{Endpoint: peer.Endpoint{URL: "http://" + l.Addr().String()}})
	got.unknown("interrupted", "http1", "ws")
	got.expects("", "interrupted")
	if got.took > time.Second || got.Reached {
		t.Errorf("after %v: %+v", got.took, got.Summary)
	}
}

// TestNobodyReads: what is told has nowhere to go.
func TestNobodyReads(t *testing.T) {
	r := serve(t, server.Config{})
	gone := errors.New("gone")
	_, err := Run(t.Context(), Config{Endpoint: r.viewer(t, "http", r.addr), Each: func(Check) error { return gone }})
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func TestNoURL(t *testing.T) {
	if _, err := Run(t.Context(), Config{Endpoint: peer.Endpoint{URL: "nowhere"}}); err == nil {
		t.Error("it ran")
	}
}
