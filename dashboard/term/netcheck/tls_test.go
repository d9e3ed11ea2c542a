package netcheck

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/telepath-iot/telepath/e2e/authority"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/settings"
	"github.com/telepath-iot/telepath/signaling/server"
)

// secure is an endpoint of a server with a certificate of its own, and whom it trusts.
func (r *running) secure(t *testing.T, addr string, trust *tls.Config) peer.Endpoint {
	t.Helper()
	e := r.viewer(t, "https", addr)
	e.TLS = trust
	return e
}

func (r *running) ca(t *testing.T) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(r.dir, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

func (r *running) pinned(t *testing.T) *tls.Config {
	t.Helper()
	cfg, err := settings.TrustPin(r.Pin())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func inspect(t *testing.T) (i inspector, trusted *tls.Config) {
	t.Helper()
	a, err := authority.New("Inspection Inc.")
	if err != nil {
		t.Fatal(err)
	}
	i.certificate, err = a.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return i, &tls.Config{RootCAs: a.Pool()}
}

func TestTLS(t *testing.T) {
	r := serve(t, server.Config{TLSSelf: true, Name: "hub"})
	got := check(t, r.secure(t, r.addr, r.ca(t)))
	got.ok("tls", "http1", "http2", "ws", "sse", "poll", "clock")
	got.detail("tls", "TLS 1.3", "ALPN h2", `issued by "telepath hub"`, "valid until 20", "trusted by the given authority", "the server's own")
	got.detail("http2", "HTTP/2")
	got.expects("ws")

	got = check(t, r.secure(t, r.addr, r.pinned(t)))
	got.ok("tls", "ws")
	got.detail("tls", "pinned")
}

func TestUntrusted(t *testing.T) {
	r := serve(t, server.Config{TLSSelf: true})
	got := check(t, r.secure(t, r.addr, nil))
	got.failed("tls", "tls-untrusted")
	got.unknown("TLS does not come up (tls-untrusted)", "http1", "http2", "ws", "sse", "poll", "clock")
	got.expects(None, "(tls-untrusted)")
}

func TestNoTLSThere(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, r.viewer(t, "https", r.addr))
	got.failed("tls", "tls-failed")
	got.expects(None, "use http:// in the URL")
}

// TestInspected: TLS is opened by somebody who is trusted. It works, and is told.
func TestInspected(t *testing.T) {
	r := serve(t, server.Config{TLSSelf: true})
	between, trusted := inspect(t)
	addr := between.before(t, r)
	got := check(t, r.secure(t, addr, trusted))
	got.failed("tls", "tls-intercepted")
	got.detail("tls", `issued by "Inspection Inc."`)
	got.ok("http1", "ws", "sse", "poll")
	got.expects("ws", "WebSocket gets through", "TLS: ", "(tls-intercepted)")

	e := r.secure(t, addr, trusted)
	e.Token = ""
	got = check(t, e)
	got.ok("tls")
	got.detail("tls", "not known whether the server's own")

	got = check(t, r.secure(t, addr, r.pinned(t)))
	got.failed("tls", "tls-intercepted")
	got.unknown("TLS does not come up (tls-intercepted)", "ws")
	got.expects(None, "Inspection Inc.")
}

func TestHTTP2Killed(t *testing.T) {
	r := serve(t, server.Config{TLSSelf: true})
	between, trusted := inspect(t)
	between.killH2 = true
	got := check(t, r.secure(t, between.before(t, r), trusted))
	got.failed("http2", "http2-broken")
	got.ok("http1", "ws", "sse", "poll") // links do without
	got.expects("ws")
}
