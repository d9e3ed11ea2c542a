package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func trusted(t *testing.T, list ...string) proxies {
	t.Helper()
	p, err := ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseProxies(t *testing.T) {
	p := trusted(t, "10.0.0.0/8", " fd00::/8", "192.0.2.7", "10.9.9.9/30")
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "11.0.0.1": false, "fd12::1": true, "fe80::1": false, "192.0.2.7": true, "192.0.2.8": false,
	} {
		if got := p.trust(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is trusted: %v", addr, got)
		}
	}
	for _, bad := range []string{"", "10.0.0.0/33", "proxy.example", "10.0.0.0/8,11.0.0.0/8", "::ffff:10.0.0.0/104", "fe80::1%eth0"} {
		if _, err := ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q is taken for a network", bad)
		}
	}
}

// TestWhoIsBehind: 10.0.0.0/8 and 127.0.0.1 are our proxies.
func TestWhoIsBehind(t *testing.T) {
	for _, c := range []struct {
		name, x, standard, scheme string
		proxy                     string // default 10.0.0.1
		client, wantScheme        string
	}{
		{name: "nothing told", client: "10.0.0.1"},
		{name: "one proxy", x: "192.0.2.5", scheme: "https", client: "192.0.2.5", wantScheme: "https"},
		{name: "what the client made up is further left", x: "1.1.1.1, 192.0.2.5", client: "192.0.2.5"},
		{name: "two proxies of ours", x: "1.1.1.1, 192.0.2.5, 10.0.0.2", client: "192.0.2.5"},
		{name: "from within", x: "10.0.0.9, 10.0.0.2", client: "10.0.0.9"},
		{name: "with port", x: "192.0.2.5:1234", client: "192.0.2.5"},
		{name: "IPv6", x: "[2001:db8::5]:99", client: "2001:db8::5"},
		{name: "IPv6, bare", x: "2001:db8::5", client: "2001:db8::5"},
		{name: "4 in 6", x: "::ffff:192.0.2.5", client: "192.0.2.5"},
		{name: "no address", x: "1.1.1.1, unknown", client: "10.0.0.1"},
		{name: "empty element", x: "1.1.1.1, ", client: "10.0.0.1"},
		{name: "another machine's loopback", x: "127.0.0.1", client: "10.0.0.1"},
		{name: "our own", x: "127.0.0.1", proxy: "127.0.0.1", client: "127.0.0.1"},
		{name: "Forwarded", standard: `for=192.0.2.5;proto=HTTPS;by=10.0.0.1`, client: "192.0.2.5", wantScheme: "https"},
		{name: "Forwarded, quoted", standard: `For="[2001:db8::5]:4711"`, client: "2001:db8::5"},
		{name: "Forwarded, two", standard: `for=1.1.1.1, for=192.0.2.5;proto=http, for=10.0.0.2;proto=https`, client: "192.0.2.5", wantScheme: "https"},
		{name: "Forwarded, hidden", standard: `for=1.1.1.1, for=_gazonk`, client: "10.0.0.1"},
		{name: "Forwarded, no for", standard: `for=1.1.1.1, proto=https`, client: "10.0.0.1", wantScheme: "https"},
		{name: "Forwarded, a comma in quotes", standard: `for="1.1.1.1, 2.2.2.2";x="\"", for=192.0.2.5`, client: "192.0.2.5"},
		{name: "Forwarded, broken at its end", standard: `for=192.0.2.5, for="1.1.1.1`, client: "10.0.0.1"},
		{name: "both, the same", x: "192.0.2.5", standard: "for=192.0.2.5", client: "192.0.2.5"},
		{name: "both, differing", x: "192.0.2.5", standard: "for=1.1.1.1;proto=https", scheme: "https", client: "10.0.0.1"},
		{name: "scheme of the nearest", x: "192.0.2.5", scheme: "http, https", client: "192.0.2.5", wantScheme: "https"},
		{name: "no scheme", x: "192.0.2.5", scheme: "gopher", client: "192.0.2.5"},
	} {
		h := http.Header{}
		for name, value := range map[string]string{"X-Forwarded-For": c.x, "Forwarded": c.standard, "X-Forwarded-Proto": c.scheme} {
			if value != "" {
				h.Set(name, value)
			}
		}
		if c.proxy == "" {
			c.proxy = "10.0.0.1"
		}
		client, scheme := trusted(t, "10.0.0.0/8", "127.0.0.1").origin(h, netip.MustParseAddr(c.proxy))
		if client.String() != c.client || scheme != c.wantScheme {
			t.Errorf("%s: %v %q, want %s %q", c.name, client, scheme, c.client, c.wantScheme)
		}
	}
}

// through sends a request to the handler behind `forwarded` and returns what arrives there, and the answer.
func through(s *Server, from string, headers ...string) (arrived *http.Request, answer *httptest.ResponseRecorder) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = from
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer = httptest.NewRecorder()
	s.forwarded(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived = r })).ServeHTTP(answer, r)
	return arrived, answer
}

func TestForwardedIsBelievedOfTrustedProxiesOnly(t *testing.T) {
	p := trusted(t, "10.0.0.1")
	s := &Server{proxies: p, gate: newGate(Limits{}.orDefault(), p)}
	for _, c := range []struct{ from, want, scheme string }{
		{"10.0.0.1:5000", "192.0.2.5:0", "https"},
		{"[::ffff:10.0.0.1]:5000", "192.0.2.5:0", "https"},
		{"10.0.0.2:5000", "10.0.0.2:5000", ""},
		{"127.0.0.1:5000", "127.0.0.1:5000", ""},
	} {
		r, _ := through(s, c.from, "X-Forwarded-For", "192.0.2.5", "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.5")
		if r.RemoteAddr != c.want || overTLS(r) != (c.scheme == "https") {
			t.Errorf("from %s: %s, over TLS %v", c.from, r.RemoteAddr, overTLS(r))
		}
		if r.Header.Get("X-Forwarded-For")+r.Header.Get("Forwarded") != "" {
			t.Errorf("from %s: what was claimed is still there", c.from)
		}
	}
}

// Who comes through a proxy has the limits of an address of its own; the proxy has none.
func TestLimitsBehindAProxy(t *testing.T) {
	p := trusted(t, "10.0.0.1")
	g := newGate(Limits{ConnectionsPerAddress: 2, RequestsPerSecond: 5}.orDefault(), p)
	s := &Server{proxies: p, gate: g}
	for range 100 {
		if g.enter(p[0].Addr()) == nil {
			t.Fatal("the proxy has a limit")
		}
	}
	client := netip.MustParseAddr("192.0.2.5")
	for range 2 + spare {
		if !g.enterBehind(client) {
			t.Fatal("refused within the limit")
		}
	}
	if _, answer := through(s, "10.0.0.1:1", "X-Forwarded-For", "192.0.2.5"); answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "too-many") {
		t.Errorf("beyond the limit: %d %s", answer.Code, answer.Body)
	}
	if _, answer := through(s, "10.0.0.1:1", "X-Forwarded-For", "192.0.2.6"); answer.Code != http.StatusOK {
		t.Errorf("another one is refused as well: %d", answer.Code)
	}
	r, _ := through(s, "10.0.0.1:1", "X-Forwarded-For", "192.0.2.7")
	asked := 0
	for range 100 {
		if g.mayAsk(r) {
			asked++
		}
	}
	if asked > 25 {
		t.Errorf("one behind the proxy asks %d times at once", asked)
	}
	g.leaveBehind(client)
	if r, _ := through(s, "10.0.0.1:1", "X-Forwarded-For", "192.0.2.5"); r == nil || g.open[client] != 1+spare {
		t.Errorf("places are not given back: %d", g.open[client])
	}
}

// A page that came in the clear may not talk to a server that is behind TLS.
func TestOriginsBehindTLS(t *testing.T) {
	h := newHosts([]string{"telepath.example"})
	for origin, want := range map[string]bool{"https://telepath.example": true, "http://telepath.example": false} {
		r := httptest.NewRequest("GET", "http://telepath.example/v1/link", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("X-Forwarded-Proto", "https")
		if got := h.check(r) == nil; got != want {
			t.Errorf("%s is allowed: %v", origin, got)
		}
	}
}

func FuzzForwarded(f *testing.F) {
	f.Add(`for=1.2.3.4;proto=https, for="[::1]:5"`, "1.2.3.4, 5.6.7.8", "https")
	f.Add(`for="\",`, ",,", "")
	p := proxies{netip.MustParsePrefix("10.0.0.0/8")}
	proxy := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, standard, x, proto string) {
		h := http.Header{"Forwarded": {standard}, "X-Forwarded-For": {x}, "X-Forwarded-Proto": {proto}}
		client, scheme := p.origin(h, proxy)
		if !client.IsValid() || client.Is4In6() || client.Zone() != "" || client.IsLoopback() {
			t.Errorf("the client is %v", client)
		}
		if scheme != "" && scheme != "http" && scheme != "https" {
			t.Errorf("the scheme is %q", scheme)
		}
	})
}
