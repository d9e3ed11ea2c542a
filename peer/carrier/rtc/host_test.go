package rtc

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/carriertest"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

var loopback = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}

// hosted is a Host behind a server that does nothing but answer offers.
type hosted struct {
	host *Host
	url  string
	far  chan *Peer
}

func startHost(t *testing.T, udp, tcp bool) *hosted {
	t.Helper()
	cfg := HostConfig{}
	if udp {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		check(t, err)
		cfg.UDP = conn
	}
	if tcp {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		check(t, err)
		cfg.TCP = l
	}
	host, err := NewHost(cfg)
	check(t, err)
	h := &hosted{host: host, far: make(chan *Peer, 16)}
	server := httptest.NewServer(http.HandlerFunc(h.serve))
	h.url = server.URL + "/v1/link"
	t.Cleanup(func() {
		server.Close()
		check(t, host.Close())
	})
	return h
}

func (h *hosted) serve(w http.ResponseWriter, r *http.Request) {
	offer, _ := io.ReadAll(r.Body)
	p, answer, err := h.host.Answer(string(offer), loopback)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.far <- p
	w.Header().Set("Content-Type", sdpType)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (h *hosted) dial(t *testing.T, cfg DialConfig) (near, far *Peer) {
	t.Helper()
	cfg.URL, cfg.IncludeLoopback = h.url, true
	near, err := Dial(t.Context(), cfg)
	check(t, err)
	far = <-h.far
	waitReady(t, far)
	return near, far
}

func TestContractWithHost(t *testing.T) {
	for name, tcp := range map[string]bool{"UDP": false, "TCP": true} {
		t.Run(name, func(t *testing.T) {
			carriertest.Run(t, carriertest.Harness{Codes: true, Connect: func(t *testing.T) (a, b carrier.Carrier) {
				return startHost(t, !tcp, tcp).dial(t, DialConfig{Config: Config{NoUDP: tcp}, NoTCP: !tcp})
			}})
		})
	}
}

// TestRungOfHost: one opening tries both, and says what came of it, at both ends.
func TestRungOfHost(t *testing.T) {
	cases := []struct {
		udp, tcp bool
		want     ladder.Rung
	}{{true, true, ladder.RelayUDP}, {true, false, ladder.RelayUDP}, {false, true, ladder.RelayTCP}}
	for _, c := range cases {
		t.Run(c.want.String(), func(t *testing.T) {
			near, far := startHost(t, c.udp, c.tcp).dial(t, DialConfig{})
			run(t, near)
			run(t, far)
			if near.Rung() != c.want || far.Rung() != c.want {
				t.Errorf("rungs %v and %v, want %v", near.Rung(), far.Rung(), c.want)
			}
		})
	}
}

// TestHostTakesNoCandidates: an offer cannot make the server send anywhere.
func TestHostTakesNoCandidates(t *testing.T) {
	spy, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(t, err)
	defer spy.Close()
	h := startHost(t, true, true)
	viewer, err := NewOfferer(onLoopback, Events{})
	check(t, err)
	run(t, viewer)
	offer, err := viewer.Offer()
	check(t, err)
	_, port, _ := net.SplitHostPort(spy.LocalAddr().String())
	offer += "a=candidate:1 1 udp 2130706431 127.0.0.1 " + port + " typ host\r\n"
	far, answer, err := h.host.Answer(offer, loopback)
	check(t, err)
	run(t, far)
	if far.remote.count() != 0 {
		t.Errorf("%d candidates were taken", far.remote.count())
	}
	if !strings.Contains(answer, "a=ice-lite") || strings.Count(answer, "a=candidate:") != 2 || strings.Contains(answer, anyIP4.String()) {
		t.Errorf("the answer:\n%s", answer)
	}
	check(t, spy.SetReadDeadline(time.Now().Add(time.Second)))
	if n, from, err := spy.ReadFrom(make([]byte, 2000)); err == nil {
		t.Errorf("%d bytes came from %v", n, from)
	}
}

// TestDialNamesWhatBlocks: the server agrees, and nothing comes through.
func TestDialNamesWhatBlocks(t *testing.T) {
	dark, err := net.ListenPacket("udp", "127.0.0.1:0") // nobody reads
	check(t, err)
	defer dark.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offer, _ := io.ReadAll(r.Body)
		p, err := NewAnswerer(onLoopback, Events{})
		check(t, err)
		defer func() { p.Close(wire.CodeByName("internal"), ""); <-p.life.Over() }()
		answer, err := p.Answer(string(offer))
		check(t, err)
		_, port, _ := net.SplitHostPort(dark.LocalAddr().String())
		w.Header().Set("Content-Type", sdpType)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, withCandidates(answer, []string{"a=candidate:1 1 udp 1 127.0.0.1 " + port + " typ host\r\n"}))
	}))
	defer server.Close()
	for want, noTCP := range map[string]bool{"udp-blocked": true, "relay-blocked": false} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, err := Dial(ctx, DialConfig{URL: server.URL, Config: Config{IncludeLoopback: true}, NoTCP: noTCP})
		cancel()
		if f := carrier.Explain(err); err == nil || f.Name != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestServersCandidates(t *testing.T) {
	const passive = "1 1 tcp 1 203.0.113.1 443 typ host tcptype passive"
	both, noUDP := Config{server: true, DialTCP: true}, Config{server: true, DialTCP: true, NoUDP: true}
	for _, c := range []struct {
		cfg  Config
		text string
		ok   bool
	}{
		{both, passive, true},
		{both, "1 1 udp 1 203.0.113.1 443 typ host", true},
		{noUDP, "1 1 udp 1 203.0.113.1 443 typ host", false},
		{noUDP, passive, true},
		{Config{}, passive, false},
		{both, "1 1 tcp 1 203.0.113.1 443 typ host tcptype so", false},
		{both, "1 1 tcp 1 203.0.113.1 443 typ host", false},
		{both, "1 1 tcp 1 127.0.0.1 443 typ host tcptype passive", false},
		{both, "1 1 tcp 1 169.254.169.254 80 typ host tcptype passive", false},
	} {
		if out, err := c.cfg.checkCandidate(c.text); (err == nil) != c.ok || c.ok && out != c.text {
			t.Errorf("%+v, %q: %q, %v", c.cfg, c.text, out, err)
		}
	}
}
