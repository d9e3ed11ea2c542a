package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/web"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// dialRung opens a link on a rung.
func (r *running) dialRung(t *testing.T, rung ladder.Rung, role auth.Role, header http.Header) *link {
	t.Helper()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Authorization", "Bearer "+r.token(t, role))
	return runLink(t, r.open(t, rung, header))
}

func (r *running) deviceOn(t *testing.T, rung ladder.Rung, name string) *testDevice {
	t.Helper()
	key := newKey(t)
	return r.dialRung(t, rung, auth.Device, nil).hello(key, name).joined(key)
}

func (r *running) viewerOn(t *testing.T, rung ladder.Rung, device string) *link {
	t.Helper()
	return r.dialRung(t, rung, auth.Viewer, http.Header{"Telepath-Open": {encodedOpen(t, device)}})
}

// TestEveryRungCarriesLinks: devices and viewers on all rungs, with and
// without TLS, where links over HTTP are HTTP/2.
func TestEveryRungCarriesLinks(t *testing.T) {
	for name, cfg := range map[string]Config{"HTTP/1.1": {}, "HTTP/2": {TLSSelf: true}} {
		for _, rungs := range [][2]ladder.Rung{{ladder.Poll, ladder.SSE}, {ladder.SSE, ladder.Poll}, {ladder.WS, ladder.Poll}, {ladder.RelayUDP, ladder.WS}, {ladder.WS, ladder.RelayUDP}, {ladder.RelayUDP, ladder.RelayUDP}, {ladder.RelayTCP, ladder.RelayTCP}} {
			t.Run(name+": "+rungs[0].String()+" to "+rungs[1].String(), func(t *testing.T) {
				s := start(t, cfg)
				d := s.deviceOn(t, rungs[0], "rig")
				v := s.viewerOn(t, rungs[1], "rig")
				if opened, f := v.nextSignal(signal.Opened); f.Hop.Conn != 1 || presenceOf(t, opened).State != signal.StateLive {
					t.Fatalf("opened on conn %d: %+v", f.Hop.Conn, opened)
				}
				conn, _ := d.accept(1, 2)
				v.nextSignal(signal.Accept)
				for seq := range uint64(50) {
					d.publish(wire.Hop{}, 2, seq+1, "value")
				}
				for seq := range uint64(50) {
					if h, _, _ := v.nextData(); h.Seq != seq+1 {
						t.Fatalf("sample %d came as the %d.", h.Seq, seq+1)
					}
				}
				v.signal(1, signal.Message{Type: signal.Close})
				if _, f := d.nextSignal(signal.Close); f.Hop.Conn != conn {
					t.Fatalf("closed on conn %d", f.Hop.Conn)
				}
			})
		}
	}
}

// TestCutStreamIsNoticedAtOnce: a device whose event stream breaks is offline
// at once.
func TestCutStreamIsNoticedAtOnce(t *testing.T) {
	s := start(t, Config{})
	conns := make(chan net.Conn, 8)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		conns <- conn
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	header := http.Header{"Authorization": {"Bearer " + s.token(t, auth.Device)}}
	c, err := web.Dial(t.Context(), web.DialConfig{Rung: ladder.SSE, URL: s.url + "/v1/link", Header: header, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	runLink(t, c).hello(key, "rig").joined(key)
	w := s.dial(t, auth.Viewer, nil)
	w.signal(0, signal.Message{Type: signal.Watch})
	if m, _ := w.nextSignal(signal.Devices); len(m.Devices) != 1 || m.Devices[0].State != signal.StateLive {
		t.Fatalf("at first: %+v", m.Devices)
	}
	began := time.Now()
	(<-conns).Close() // the first one: the event stream's
	if m, _ := w.nextSignal(signal.Devices); m.Devices[0].State != signal.StateOffline {
		t.Fatalf("then: %+v", m.Devices)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("that was noticed after %v", took)
	}
}

// TestLinksOverHTTPDrain: they are told to come again, and why.
func TestLinksOverHTTPDrain(t *testing.T) {
	for name, cfg := range map[string]Config{"HTTP/1.1": {}, "HTTP/2": {TLSSelf: true}} {
		t.Run(name, func(t *testing.T) {
			s := start(t, cfg)
			d, v := s.deviceOn(t, ladder.Poll, "rig"), s.viewerOn(t, ladder.SSE, "rig")
			v.nextSignal(signal.Opened)
			began := time.Now()
			s.stop()
			for _, l := range []*link{d.link, v} {
				if code := l.ended(); code != "draining" {
					t.Errorf("ended with %s", code)
				}
			}
			if took := time.Since(began); took > drainTime {
				t.Errorf("draining took %v", took)
			}
		})
	}
}

func TestLinksOverHTTPAreCounted(t *testing.T) {
	s := start(t, Config{Admin: "127.0.0.1:0"})
	d := s.deviceOn(t, ladder.Poll, "rig")
	s.viewerOn(t, ladder.SSE, "rig").nextSignal(signal.Opened)
	admin := &running{url: "http://" + s.AdminAddr().String()}
	_, got, _ := admin.ask(t, "GET", "/metrics", "")
	for _, line := range []string{`telepath_links{role="device",rung="poll"} 1`, `telepath_links{role="viewer",rung="sse"} 1`, `telepath_links{role="viewer",rung="ws"} 0`} {
		if !strings.Contains(got["text"].(string), line) {
			t.Errorf("no %s", line)
		}
	}
	d.cut()
}

// post makes a request of a link by hand.
func (r *running) post(t *testing.T, path string, header ...string) (int, map[string]any) {
	t.Helper()
	status, body, _ := r.ask(t, "POST", path, "", header...)
	return status, body
}

func someID() string {
	id := make([]byte, 16)
	rand.Read(id)
	return base64.RawURLEncoding.EncodeToString(id)
}

func TestGatesOfLinksOverHTTP(t *testing.T) {
	s := start(t, Config{})
	id, token := someID(), "Bearer "+s.token(t, auth.Viewer)
	for _, c := range []struct {
		name, path string
		header     []string
		code       string
	}{
		{"no token", "/v1/link/poll", []string{"Telepath-Link", id, "Telepath-Seq", "1"}, "unauthorized"},
		{"no id", "/v1/link/poll", []string{"Telepath-Seq", "1", "Authorization", token}, "malformed"},
		{"a short id", "/v1/link/poll", []string{"Telepath-Link", "AAAA", "Telepath-Seq", "1", "Authorization", token}, "malformed"},
		{"no number", "/v1/link/poll", []string{"Telepath-Link", id, "Authorization", token}, "malformed"},
		{"a later number", "/v1/link/poll", []string{"Telepath-Link", id, "Telepath-Seq", "2", "Authorization", token}, "unknown-link"},
		{"a packet for nobody", "/v1/link/up", []string{"Telepath-Link", id, "Telepath-Seq", "1", "Authorization", token}, "unknown-link"},
		{"another site's page", "/v1/link/poll", []string{"Telepath-Link", id, "Telepath-Seq", "1", "Authorization", token, "Origin", "https://elsewhere.example"}, "bad-origin"},
		{"another host", "/v1/link/up", []string{"Telepath-Link", id, "Telepath-Seq", "1", "Host", "elsewhere.example"}, "bad-origin"},
	} {
		status, got := s.post(t, c.path, c.header...)
		if got["code"] != c.code || status != wire.CodeByName(c.code).HTTP || got["reason"] == "" {
			t.Errorf("%s: %d %v", c.name, status, got)
		}
	}
	if n := s.gate.count(); n > 2 {
		t.Errorf("%d places are taken by nobody", n)
	}
}

// TestLinksAreNoPages: what comes dozens of times a second has no headers that are about pages.
func TestLinksAreNoPages(t *testing.T) {
	s := start(t, Config{})
	for path, want := range map[string]bool{"/v1/link/up": false, "/v1/link/poll": false, "/v1/login": true} {
		_, _, header := s.ask(t, "POST", path, "", "Telepath-Link", someID(), "Telepath-Seq", "1")
		if got := header.Get("Content-Security-Policy") != ""; got != want || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, header)
		}
	}
}

// TestLinksTakePlaces: one connection of HTTP/2 does not open more links than
// as many connections could, and who closes them gives their places back.
func TestLinksTakePlaces(t *testing.T) {
	const limit = 10
	s := start(t, Config{TLSSelf: true, Limits: Limits{Connections: limit}})
	transport := &http.Transport{TLSClientConfig: s.trusting(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	refused := 0
	for range 3 * limit {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/v1/link/poll", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + s.token(t, auth.Viewer)}, "Telepath-Link": {someID()}, "Telepath-Seq": {"1"}}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 {
			refused++
			if answer.StatusCode != 503 || !strings.Contains(string(body), `"too-many"`) {
				t.Fatalf("refused with %d %s", answer.StatusCode, body)
			}
		}
	}
	if want := 2*limit + 1; refused != want { // one place is the connection's
		t.Errorf("%d of %d links were refused, want %d", refused, 3*limit, want)
	}
	for _, c := range s.clients.all() {
		c.Close(wire.CodeByName("internal"), "the test is over")
	}
	for end := time.Now().Add(patience); s.gate.count() > 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d places are still taken", s.gate.count())
		}
	}
}
