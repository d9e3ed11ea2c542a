package netcheck

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/signaling/server"
)

// through is a viewer's endpoint behind a proxy.
func (r *running) through(t *testing.T, proxy string) peer.Endpoint {
	t.Helper()
	e := r.viewer(t, "http", r.addr)
	e.Proxy = proxy
	return e
}

func TestOpenProxy(t *testing.T) {
	r := serve(t, server.Config{})
	got := check(t, r.through(t, (&connectProxy{}).start(t, nil)))
	got.ok("dns", "proxy", "http1", "ws", "sse", "poll")
	got.detail("proxy", "from the settings", "open to all")
	got.unknown("through the proxy", "tcp4", "tcp6", "ipv6")
	got.expects("ws")
}

func TestProxyWithPassword(t *testing.T) {
	r := serve(t, server.Config{})
	p := &connectProxy{check: asks("ada", "right")}
	got := check(t, r.through(t, p.start(t, url.UserPassword("ada", "right"))))
	got.ok("proxy", "ws", "sse", "poll")
	got.detail("proxy", "http://ada:xxxxx@127.0.0.1", "logged in with Basic")

	got = check(t, r.through(t, p.start(t, nil)))
	got.failed("proxy", "proxy-auth-required")
}

// TestProxyWrongPassword: it is sent once, whatever is checked.
func TestProxyWrongPassword(t *testing.T) {
	r := serve(t, server.Config{})
	p := &connectProxy{check: asks("ada", "right")}
	got := check(t, r.through(t, p.start(t, url.UserPassword("ada", "wrong"))))
	got.failed("proxy", "proxy-auth-wrong")
	got.unknown("no way through the proxy (proxy-auth-wrong)", "http1", "ws", "sse", "poll", "clock")
	got.expects(None, "(proxy-auth-wrong)")
	if p.logins != 1 {
		t.Errorf("the password was sent %d times", p.logins)
	}
}

func TestProxyRefusals(t *testing.T) {
	r := serve(t, server.Config{})
	for want, check407 := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"proxy-443-only": func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			return false
		},
		"proxy-auth-unsupported": func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Proxy-Authenticate", "NTLM")
			w.WriteHeader(http.StatusProxyAuthRequired)
			return false
		},
	} {
		got := check(t, r.through(t, (&connectProxy{check: check407}).start(t, nil)))
		got.failed("proxy", want)
		got.expects(None, want)
	}
}

func TestProxyGone(t *testing.T) {
	r := serve(t, server.Config{})
	gone := listen(t)
	gone.Close()
	got := check(t, r.through(t, "http://"+gone.Addr().String()))
	got.failed("proxy", "proxy-unreachable")
	got.expects(None, "(proxy-unreachable)")
}

// TestProxyOfTheEnvironment: addresses of this machine never go through one,
// names that only the proxy knows do.
func TestProxyOfTheEnvironment(t *testing.T) {
	r := serve(t, server.Config{})
	p := &connectProxy{check: func(_ http.ResponseWriter, q *http.Request) bool {
		q.Host = r.addr
		return true
	}}
	t.Setenv("HTTP_PROXY", p.start(t, nil))
	got := check(t, r.viewer(t, "http", r.addr))
	got.ok("proxy", "ws")
	got.detail("proxy", "none: the proxy of HTTP_PROXY is not used for this server")

	got = check(t, peer.Endpoint{URL: "http://only-the-proxy-knows.invalid:8080", Token: "x"})
	got.ok("proxy")
	got.detail("proxy", "from HTTP_PROXY")
	got.unknown("the proxy looks the name up", "dns")
}
