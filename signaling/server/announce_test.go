package server

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// TestWelcomeTellsUDP: only where the port is another than the one of the URL, and behind a proxy that is another than ours.
func TestWelcomeTellsUDP(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]struct {
		cfg  Config
		told func(own uint16) *uint16
	}{
		"the same": {Config{}, func(uint16) *uint16 { return nil }},
		"none":     {Config{UDP: "none"}, func(uint16) *uint16 { return new(uint16) }},
		"another":  {Config{UDP: "127.0.0.1:0"}, func(own uint16) *uint16 { return &own }},
		"a proxy":  {Config{TrustProxy: loopback, AllowHost: []string{"proxy.example"}}, func(own uint16) *uint16 { return &own }},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, c.cfg)
			want := c.told(s.UDPPort())
			check := func(who string, welcome signal.Message) {
				if got := welcome.UDP; (got == nil) != (want == nil) || got != nil && *got != *want {
					t.Errorf("%s is told %v, want %v", who, got, want)
				}
			}
			if c.cfg.TrustProxy == nil {
				v := s.dial(t, auth.Viewer, nil)
				welcome, _ := v.nextSignal(signal.Welcome)
				check("a viewer", welcome)
				d := s.hello(t, newKey(t), "rig")
				welcome, _ = d.nextSignal(signal.Welcome)
				check("a device", welcome)
				return
			}
			if got := s.toldUDP(requestFor("proxy.example", "127.0.0.1")); got == nil || *got != *want {
				t.Errorf("through the proxy: %v", got)
			}
			if got := s.toldUDP(requestFor(s.Addr().String(), "127.0.0.1")); got != nil {
				t.Errorf("beside the proxy: %v", *got)
			}
			if got := s.toldUDP(requestFor("proxy.example", "192.0.2.1")); got == nil || *got != 0 {
				t.Errorf("to who cannot reach loopback: %v", got)
			}
		})
	}
}

func TestAnnounced(t *testing.T) {
	given := []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")}
	if got := start(t, Config{Announce: given}).Announced(); len(got) != 2 || got[1] != given[1] {
		t.Errorf("of those that are given: %v", got)
	}
	if got := start(t, Config{}).Announced(); len(got) != 1 || got[0] != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("of the one that is listened on: %v", got)
	}
	for _, addr := range interfaceAddresses() {
		if addr.IsUnspecified() || addr.IsLinkLocalUnicast() || addr.Is4In6() || addr.Zone() != "" {
			t.Errorf("of the interfaces: %v", addr)
		}
	}
}

func TestParseAnnounce(t *testing.T) {
	got, err := ParseAnnounce([]string{"203.0.113.7", " ::ffff:203.0.113.8"})
	if err != nil || len(got) != 2 || got[1].String() != "203.0.113.8" {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "example.org", "203.0.113.7:8080", "0.0.0.0", "::", "224.0.0.1", "fe80::1%eth0", "203.0.113.0/24"} {
		if _, err := ParseAnnounce([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func requestFor(host, from string) *http.Request {
	return &http.Request{Host: host, Header: http.Header{}, RemoteAddr: from + ":4000"}
}
