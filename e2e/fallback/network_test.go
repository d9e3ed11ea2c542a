package fallback

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// network is what stands between a program and the server.
type network struct {
	name  string
	cross func(t *testing.T, c *cell) way // builds it before c.behind and starts the server
	rungs []string                        // on one of which the link is to be, as they are named
	named []string                        // the failures that each visitor tells of
	stall bool                            // it stalls where others refuse, which takes longer to find out
	only  []string                        // the visitors that it is for; nil: all
}

// Bounds of the first sample, from the program's start or the page's opening.
const (
	refusedWithin = 2 * time.Second // and two round trips, which are under a millisecond here
	stalledWithin = 4 * time.Second
	secondVisit   = 1 * time.Second
)

// ladder is the rungs that networks are told apart by, best first: what lets one through lets those below it through.
var ladder = []string{"udp", "ws", "sse", "poll"}

// lets reports whether something can come through on a rung.
func (n network) lets(rung string) bool {
	best := slices.IndexFunc(ladder, func(rung string) bool { return slices.Contains(n.rungs, rung) })
	return slices.Contains(ladder[best:], rung)
}

func (n network) bound() time.Duration {
	if n.stall {
		return stalledWithin
	}
	return refusedWithin
}

var networks = []network{
	{name: "open", cross: direct, rungs: []string{"ws", "udp"}},
	{name: "UDP blocked", cross: udpBlocked, rungs: []string{"ws"}, named: []string{"udp-blocked"}},
	{name: "squid", cross: squidWith(openProxy, ""), rungs: []string{"ws"}},
	{name: "squid to 443 only", cross: squidTo443, rungs: []string{"ws"}},
	{name: "squid, 407 Basic", cross: squidWith(basic, rig.ProxyCredentials), rungs: []string{"ws"}},
	{name: "squid, 407 Digest", cross: squidWith(digest, rig.ProxyCredentials), rungs: []string{"ws"}},
	{name: "Upgrade stripped", cross: boxWith("-strip-upgrade"), rungs: []string{"sse"}, named: []string{"upgrade-refused"}},
	{name: "Connection rewritten", cross: boxWith("-rewrite-connection", "keep-alive"), rungs: []string{"sse"}, named: []string{"upgrade-refused"}},
	{name: "101, then silence", cross: boxWith("-stall-101"), rungs: []string{"sse"}, named: []string{"upgrade-stalled"}, stall: true},
	{name: "buffering", cross: boxWith("-strip-upgrade", "-buffer"), rungs: []string{"poll"}, named: []string{"upgrade-refused", "stream-buffered"}, stall: true},
	{name: "TLS intercepted, trusted", cross: intercepted, rungs: []string{"ws"}, named: []string{"tls-intercepted"}},
	// Chromium does without HTTP/2 nowhere but on its WebSockets: it does not even get the page here.
	{name: "HTTP 2 killed", cross: killed, rungs: []string{"sse"}, named: []string{"tls-intercepted", "http2-broken", "upgrade-refused"}, only: []string{"view", "agent"}},
	{name: "IPv6 only", cross: onlyIPv6, rungs: []string{"ws"}},
	// The configurations of docs/reverse-proxy.md, as they stand.
	{name: "nginx with a name of its own", cross: nginxWithName, rungs: []string{"ws"}},
	{name: "nginx under a path", cross: nginxWithPath, rungs: []string{"ws"}},
}

// serverPort is where the server listens without TLS.
const serverPort = 8080

func (c *cell) serverAt(port uint16) netip.AddrPort { return netip.AddrPortFrom(c.srv.Addr, port) }

func direct(t *testing.T, c *cell) way {
	c.serve(t, "http", c.serverAt(serverPort))
	return way{}
}

func udpBlocked(t *testing.T, c *cell) way {
	must(t, c.behind.CutUDP())
	return direct(t, c)
}

// boxWith puts a middlebox before the server. Networks that have one let no UDP through.
func boxWith(args ...string) func(t *testing.T, c *cell) way {
	return func(t *testing.T, c *cell) way {
		w := udpBlocked(t, c)
		c.startBox(t, c.serverAt(serverPort), args...)
		return w
	}
}

// squidWith leaves a proxy as the only way out.
func squidWith(with rig.SquidPolicy, user string) func(t *testing.T, c *cell) way {
	return func(t *testing.T, c *cell) way {
		c.serve(t, "http", c.serverAt(serverPort))
		s := startSquid(t, c, c.box, with)
		must(t, c.behind.Fence(c.box))
		t.Cleanup(func() {
			if s.Log() == "" {
				t.Error("nothing came through the proxy")
			}
		})
		return proxied(s.URL(user))
	}
}

// squidTo443: a proxy as they come, which connects to no other port, before a server that is there.
func squidTo443(t *testing.T, c *cell) way {
	ca := c.serveTLS(t, 443)
	s := startSquid(t, c, c.box, only443)
	must(t, c.behind.Fence(c.box))
	must(t, c.TrustInChromium(ca))
	w := proxied(s.URL(""))
	w.env = append(w.env, c.Env...)
	return w
}

// serveTLS starts a server with a certificate of a test's authority, which all trust who are not behind the box. It returns
// the authority's file.
func (c *cell) serveTLS(t *testing.T, port uint16) (ca string) {
	t.Helper()
	return c.serveTLSAs(t, c.srv.Addr.String(), c.serverAt(port))
}

// serveTLSAs is serveTLS with another name on the certificate, and listening somewhere else.
func (c *cell) serveTLSAs(t *testing.T, name string, at netip.AddrPort, args ...string) (ca string) {
	t.Helper()
	server, ca, err := c.StartTLSServer(c.srv, name, at, args...)
	must(t, err)
	c.serving(t, server)
	return ca
}

// proxied is how a proxy is told: to programs by their environment, to Chromium by its settings.
func proxied(url string) way {
	return way{
		env:     rig.ProxyEnv(url),
		browser: []string{"--proxy=" + url},
	}
}

// intercepted: a box opens TLS, and its authority is one that the machine behind it trusts.
func intercepted(t *testing.T, c *cell) way { return interceptedBy(t, c, true) }

func interceptedBy(t *testing.T, c *cell, trusted bool) way {
	must(t, c.behind.CutUDP())
	c.serveTLS(t, 8443)
	ca := filepath.Join(c.Dir, "box.pem")
	c.startBox(t, c.serverAt(8443), "-intercept-tls", "-ca", ca)
	if !trusted {
		return way{env: c.Env}
	}
	must(t, c.TrustInChromium(ca))
	return way{env: []string{"SSL_CERT_FILE=" + ca}}
}

// killed: a box opens TLS, agrees on HTTP/2 and resets it.
func killed(t *testing.T, c *cell) way {
	must(t, c.behind.CutUDP())
	c.serveTLS(t, 8443)
	ca := c.Dir + "/box.pem"
	c.startBox(t, c.serverAt(8443), "-intercept-tls", "-ca", ca, "-kill-h2", "-strip-upgrade")
	return way{env: []string{"SSL_CERT_FILE=" + ca}}
}

// onlyIPv6: who is behind has no other addresses; the other end has none of these; the server has both.
func onlyIPv6(t *testing.T, c *cell) way {
	server := netip.MustParsePrefix("fd88::2/64")
	must(t, c.srv.Readdress(netip.PrefixFrom(c.srv.Addr, 24), server))
	must(t, c.behind.Readdress(netip.MustParsePrefix("fd88::9/64")))
	c.serve(t, "http", netip.AddrPortFrom(netip.IPv6Unspecified(), serverPort))
	c.URL = "http://" + c.serverAt(serverPort).String()
	return way{url: "http://" + netip.AddrPortFrom(server.Addr(), serverPort).String()}
}
