package rtc

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

func TestCheckCandidate(t *testing.T) {
	const relay = " raddr 0.0.0.0 rport 9"
	cases := []struct{ name, in, out, err string }{
		{"host", "1 1 udp 2130706431 192.168.1.7 50000 typ host", "1 1 udp 2130706431 192.168.1.7 50000 typ host", ""},
		{
			"a browser's", "842163049 1 UDP 1677729535 203.0.113.4 61665 typ srflx raddr 10.0.0.1 rport 61665 generation 0 ufrag x network-cost 999",
			"842163049 1 UDP 1677729535 203.0.113.4 61665 typ srflx" + relay, "",
		},
		{"IPv6", "a+/ 1 udp 1 2001:db8::1 1 typ prflx", "a+/ 1 udp 1 2001:db8::1 1 typ prflx" + relay, ""},
		{"mDNS", "1 1 udp 1 2c2d5a3e-9f5e-4b6c-8d30-0a0d5d8f5a11.local 5 typ host", "1 1 udp 1 2c2d5a3e-9f5e-4b6c-8d30-0a0d5d8f5a11.local 5 typ host", ""},
		{"empty", "", "", "fewer than eight"},
		{"tcp", "1 1 tcp 1 192.168.1.7 9 typ host tcptype active", "", "not used"},
		{"component", "1 2 udp 1 192.168.1.7 9 typ host", "", "component"},
		{"foundation", "! 1 udp 1 192.168.1.7 9 typ host", "", "foundation"},
		{"long foundation", strings.Repeat("a", 33) + " 1 udp 1 192.168.1.7 9 typ host", "", "foundation"},
		{"priority", "1 1 udp 4294967296 192.168.1.7 9 typ host", "", "priority"},
		{"signed priority", "1 1 udp +1 192.168.1.7 9 typ host", "", "priority"},
		{"port", "1 1 udp 1 192.168.1.7 65536 typ host", "", "port"},
		{"port 0", "1 1 udp 1 192.168.1.7 0 typ host", "", "port"},
		{"no typ", "1 1 udp 1 192.168.1.7 9 kind host", "", "type is missing"},
		{"type", "1 1 udp 1 192.168.1.7 9 typ other", "", "unknown"},
		{"name", "1 1 udp 1 router.example.com 9 typ host", "", "malformed"},
		{"deep .local name", "1 1 udp 1 a.b.local 9 typ host", "", "malformed"},
		{"reflexive .local name", "1 1 udp 1 a.local 9 typ srflx", "", "malformed"},
		{"loopback", "1 1 udp 1 127.0.0.1 9 typ host", "", "not allowed"},
		{"loopback, mapped", "1 1 udp 1 ::ffff:127.0.0.1 9 typ host", "", "not allowed"},
		{"link-local", "1 1 udp 1 169.254.169.254 80 typ host", "", "not allowed"},
		{"link-local v6", "1 1 udp 1 fe80::1 80 typ host", "", "not allowed"},
		{"zone", "1 1 udp 1 2001:db8::1%eth0 80 typ host", "", "not allowed"},
		{"multicast", "1 1 udp 1 224.0.0.251 5353 typ host", "", "not allowed"},
		{"broadcast", "1 1 udp 1 255.255.255.255 9 typ host", "", "not allowed"},
		{"unspecified", "1 1 udp 1 0.0.0.0 9 typ host", "", "not allowed"},
		{"filtered", "1 1 udp 1 198.51.100.1 9 typ host", "", "not allowed"},
		{"relayed", "1 1 udp 1 203.0.113.9 9 typ relay", "", "direct"},
		{"the server's own port", "1 1 udp 1 203.0.113.1 443 typ host", "", "server itself"},
		{"the server's own port, mapped", "1 1 udp 1 ::ffff:203.0.113.1 443 typ srflx", "", "server itself"},
		{
			"another port of the server's address", "1 1 udp 1 203.0.113.1 444 typ srflx raddr 10.0.0.1 rport 5",
			"1 1 udp 1 203.0.113.1 444 typ srflx" + relay, "",
		},
	}
	cfg := Config{
		Filter: func(a netip.Addr) bool { return a != netip.MustParseAddr("198.51.100.1") },
		Own:    []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:443")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { checkOne(t, cfg, c.in, c.out, c.err) })
	}
}

func checkOne(t *testing.T, cfg Config, in, want, wantErr string) {
	t.Helper()
	out, err := cfg.checkCandidate(in)
	switch {
	case wantErr == "" && (err != nil || out != want):
		t.Errorf("got %q, %v", out, err)
	case wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)):
		t.Errorf("got %q, %v, want %q", out, err, wantErr)
	}
}

// Over TCP a viewer that dials takes what a device listens at, and nothing that may be another's service.
func TestCheckCandidateOverTCP(t *testing.T) {
	const passive = " typ host tcptype passive"
	cfg := Config{DialTCP: true, Own: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:4433")}}
	for _, c := range []struct{ name, in, out, err string }{
		{"passive", "1 1 TCP 1 192.168.1.7 4433" + passive + " ufrag x", "1 1 TCP 1 192.168.1.7 4433" + passive, ""},
		{"443, public", "1 1 tcp 1 203.0.113.4 443" + passive, "1 1 tcp 1 203.0.113.4 443" + passive, ""},
		{"443, private", "1 1 tcp 1 192.168.1.7 443" + passive, "", "service"},
		{"443, private and mapped", "1 1 tcp 1 ::ffff:192.168.1.7 443" + passive, "", "service"},
		{"443, by name", "1 1 tcp 1 a.local 443" + passive, "", "service"},
		{"ssh", "1 1 tcp 1 203.0.113.4 22" + passive, "", "service"},
		{"smtp", "1 1 tcp 1 203.0.113.4 1023" + passive, "", "service"},
		{"active", "1 1 tcp 1 192.168.1.7 9 typ host tcptype active", "", "not used"},
		{"simultaneous", "1 1 tcp 1 192.168.1.7 4433 typ host tcptype so", "", "not used"},
		{"reflexive", "1 1 tcp 1 203.0.113.4 4433 typ srflx tcptype passive", "", "not used"},
		{"loopback", "1 1 tcp 1 127.0.0.1 4433" + passive, "", "not allowed"},
		{"metadata", "1 1 tcp 1 169.254.169.254 4433" + passive, "", "not allowed"},
		{"the server's own port", "1 1 tcp 1 203.0.113.1 4433" + passive, "", "server itself"},
	} {
		t.Run(c.name, func(t *testing.T) { checkOne(t, cfg, c.in, c.out, c.err) })
	}
	cfg.NoUDP = true
	checkOne(t, cfg, "1 1 udp 1 192.168.1.7 50000 typ host", "", "not used")
	cfg.RelayOnly = true
	checkOne(t, cfg, "1 1 tcp 1 192.168.1.7 4433"+passive, "", "not used")
}

// A turned connection takes relayed addresses alone, and of these, too, none
// that leads somewhere special.
func TestCheckCandidateOfTurnedConnection(t *testing.T) {
	const relay = " raddr 0.0.0.0 rport 9"
	for _, c := range []struct{ name, in, out, err string }{
		{"relayed", "1 1 udp 1 203.0.113.9 9 typ relay raddr 10.0.0.1 rport 5", "1 1 udp 1 203.0.113.9 9 typ relay" + relay, ""},
		{"relayed, private", "1 1 udp 1 10.0.0.9 9 typ relay", "1 1 udp 1 10.0.0.9 9 typ relay" + relay, ""},
		{"host", "1 1 udp 1 203.0.113.9 9 typ host", "", "relayed addresses alone"},
		{"reflexive", "1 1 udp 1 203.0.113.9 9 typ srflx", "", "relayed addresses alone"},
		{"peer-reflexive", "1 1 udp 1 203.0.113.9 9 typ prflx", "", "relayed addresses alone"},
		{"mDNS", "1 1 udp 1 a.local 9 typ host", "", "relayed addresses alone"},
		{"mDNS as relayed", "1 1 udp 1 a.local 9 typ relay", "", "malformed"},
		{"loopback", "1 1 udp 1 127.0.0.1 9 typ relay", "", "not allowed"},
		{"metadata", "1 1 udp 1 169.254.169.254 80 typ relay", "", "not allowed"},
		{"multicast", "1 1 udp 1 239.1.1.1 80 typ relay", "", "not allowed"},
		{"tcp", "1 1 tcp 1 203.0.113.9 9 typ relay tcptype passive", "", "not used"},
	} {
		t.Run(c.name, func(t *testing.T) { checkOne(t, Config{RelayOnly: true}, c.in, c.out, c.err) })
	}
}

// Loopback is for two ends that both say so.
func TestCheckCandidateOnLoopback(t *testing.T) {
	const text = "1 1 udp 1 127.0.0.1 9 typ host"
	checkOne(t, Config{IncludeLoopback: true}, text, text, "")
}

// good is a description as a browser makes it, shortened.
const good = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=candidate:1 1 udp 1 192.168.1.7 50000 typ host\r\na=mid:0\r\na=sctp-port:5000\r\n"

func TestCheckSDP(t *testing.T) {
	rest, candidates, err := checkSDP(good)
	if err != nil || len(candidates) != 1 || candidates[0].text != "1 1 udp 1 192.168.1.7 50000 typ host" {
		t.Fatalf("got %v, %v", candidates, err)
	}
	if strings.Contains(rest, "candidate") || !strings.HasSuffix(rest, "a=mid:0\r\na=sctp-port:5000\r\n") {
		t.Errorf("the rest is %q", rest)
	}
	bad := map[string]string{
		"no section":       good[:strings.Index(good, "m=")],
		"two sections":     good + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
		"video":            strings.Replace(good, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=video 9 UDP/TLS/RTP/SAVPF 96", 1),
		"malformed":        "hello",
		"empty":            "",
		"more than 16 KiB": good + "a=x:" + strings.Repeat("x", wire.MaxSDP) + "\r\n",
	}
	for name, text := range bad {
		if _, _, err := checkSDP(text); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func FuzzCheckCandidate(f *testing.F) {
	f.Add("1 1 udp 2130706431 192.168.1.7 50000 typ host")
	f.Add("1 1 udp 1 a.local 50000 typ srflx raddr 0.0.0.0 rport 9")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := Config{}.checkCandidate(text)
		if err != nil {
			return
		}
		again, err := Config{}.checkCandidate(out)
		if err != nil || again != out {
			t.Errorf("%q passes as %q, which is %q, %v", text, out, again, err)
		}
	})
}

func FuzzCheckSDP(f *testing.F) {
	f.Add(good)
	f.Fuzz(func(t *testing.T, text string) {
		rest, candidates, err := checkSDP(text)
		if err != nil {
			return
		}
		if len(rest) > len(text) || strings.Contains(rest, "\na=candidate:") {
			t.Errorf("%d candidates, %d bytes of %d", len(candidates), len(rest), len(text))
		}
	})
}
