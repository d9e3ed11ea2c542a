package server

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// v2 makes a header of version 2.
func v2(command, family byte, rest []byte) string {
	head := append([]byte(v2Signature), command, family)
	return string(append(binary.BigEndian.AppendUint16(head, uint16(len(rest))), rest...))
}

func ends(source, target netip.AddrPort, behind ...byte) (rest []byte) {
	rest = append(source.Addr().AsSlice(), target.Addr().AsSlice()...)
	rest = binary.BigEndian.AppendUint16(rest, source.Port())
	return append(binary.BigEndian.AppendUint16(rest, target.Port()), behind...)
}

var (
	four = ends(netip.MustParseAddrPort("192.0.2.5:4711"), netip.MustParseAddrPort("198.51.100.1:443"))
	six  = ends(netip.MustParseAddrPort("[2001:db8::5]:4711"), netip.MustParseAddrPort("[2001:db8::1]:443"), 3, 0, 4, 1, 2, 3, 4)
)

func TestReadProxyHeader(t *testing.T) {
	for name, c := range map[string]struct{ header, source string }{
		"v1, IPv4":         {"PROXY TCP4 192.0.2.5 198.51.100.1 4711 443\r\n", "192.0.2.5:4711"},
		"v1, IPv6":         {"PROXY TCP6 2001:db8::5 2001:db8::1 4711 443\r\n", "[2001:db8::5]:4711"},
		"v1, longest":      {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535" + strings.Repeat(" ", 48) + "\r\n", "invalid AddrPort"},
		"v1, unknown":      {"PROXY UNKNOWN\r\n", "invalid AddrPort"},
		"v2, IPv4":         {v2(0x21, 0x11, four), "192.0.2.5:4711"},
		"v2, IPv6 and TLV": {v2(0x21, 0x21, six), "[2001:db8::5]:4711"},
		"v2, local":        {v2(0x20, 0, nil), "invalid AddrPort"},
		"v2, Unix socket":  {v2(0x21, 0x31, make([]byte, 216)), "invalid AddrPort"},
	} {
		r := strings.NewReader(c.header + "GET / ")
		source, err := readProxyHeader(r)
		if err != nil || source.String() != c.source {
			t.Errorf("%s: %v %v", name, source, err)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "GET / " {
			t.Errorf("%s: what follows is %q", name, rest)
		}
	}
}

func TestReadProxyHeaderRefuses(t *testing.T) {
	for name, header := range map[string]string{
		"no header":          "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"nothing":            "",
		"half a line":        "PROXY TCP4 192.0.2.5 198",
		"no end":             "PROXY TCP4 " + strings.Repeat("1", 200),
		"too long by one":    "PROXY UNKNOWN" + strings.Repeat(" ", 93) + "\r\n",
		"other family":       "PROXY TCP6 192.0.2.5 198.51.100.1 4711 443\r\n",
		"mixed":              "PROXY TCP4 192.0.2.5 2001:db8::1 4711 443\r\n",
		"unheard of":         "PROXY UDP4 192.0.2.5 198.51.100.1 4711 443\r\n",
		"port":               "PROXY TCP4 192.0.2.5 198.51.100.1 65536 443\r\n",
		"port with zero":     "PROXY TCP4 192.0.2.5 198.51.100.1 04711 443\r\n",
		"second port":        "PROXY TCP4 192.0.2.5 198.51.100.1 4711 -1\r\n",
		"two spaces":         "PROXY TCP4  192.0.2.5 198.51.100.1 4711 443\r\n",
		"zone":               "PROXY TCP6 fe80::1%eth0 2001:db8::1 4711 443\r\n",
		"too few":            "PROXY TCP4 192.0.2.5\r\n",
		"v2, another number": v2(0x31, 0x11, four),
		"v2, no command":     v2(0x22, 0x11, four),
		"v2, short":          v2(0x21, 0x11, four[:11]),
		"v2, IPv4 for IPv6":  v2(0x21, 0x21, four),
		"v2, cut":            v2(0x21, 0x11, four)[:20],
		"v2, very long":      v2(0x21, 0x11, append(four, make([]byte, v2Longest)...)),
	} {
		if source, err := readProxyHeader(strings.NewReader(header)); err == nil {
			t.Errorf("%s: taken for %v", name, source)
		}
	}
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.5 198.51.100.1 4711 443\r\n"))
	f.Add([]byte(v2(0x21, 0x21, six)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		source, err := readProxyHeader(r)
		if read := len(data) - r.Len(); read > v2Fixed+v2Longest {
			t.Errorf("%d bytes were read", read)
		}
		if err == nil && source.IsValid() && (source.Addr().Is4In6() || source.Addr().Zone() != "") {
			t.Errorf("%v is not plain", source)
		}
	})
}

// ask sends bytes and a request on one connection and returns the answer's status; 0: it was hung up.
func ask(t *testing.T, s *running, before string) int {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, before); err != nil {
		t.Fatal(err)
	}
	if s.scheme() == "https" {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	fmt.Fprintf(conn, "GET /v1/devices HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", s.token(t, "viewer"))
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return 0
	}
	var status int
	fmt.Sscanf(string(answer), "HTTP/1.0 %d", &status)
	return status
}

// TestProxyProtocol: the header's address is the one that has limits, and it is required of those who are trusted.
func TestProxyProtocol(t *testing.T) {
	for _, tlsSelf := range []bool{false, true} {
		s := start(t, Config{
			TrustProxy: trusted(t, "127.0.0.0/8"), ProxyProtocol: true, TLSSelf: tlsSelf,
			Limits: Limits{RequestsPerSecond: 1},
		})
		for name, header := range map[string]string{"v1": "PROXY TCP4 192.0.2.5 127.0.0.1 1 2\r\n", "v2": v2(0x21, 0x21, six), "local": v2(0x20, 0, nil)} {
			if status := ask(t, s, header); status != http.StatusOK {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status := ask(t, s, ""); status != 0 {
			t.Errorf("without a header: %d", status)
		}
		last := 0
		for range 10 {
			last = ask(t, s, "PROXY TCP4 192.0.2.6 127.0.0.1 1 2\r\n")
		}
		if last != http.StatusTooManyRequests {
			t.Errorf("the tenth request of one address at once: %d", last)
		}
		if status := ask(t, s, "PROXY TCP4 192.0.2.7 127.0.0.1 1 2\r\n"); status != http.StatusOK {
			t.Errorf("another address: %d", status)
		}
	}
}

// A header of somebody who is not trusted is no header.
func TestProxyProtocolOfOthers(t *testing.T) {
	s := start(t, Config{TrustProxy: trusted(t, "192.0.2.0/24"), ProxyProtocol: true})
	if status := ask(t, s, "PROXY TCP4 192.0.2.5 127.0.0.1 1 2\r\n"); status != http.StatusBadRequest && status != 0 {
		t.Errorf("with a header: %d", status)
	}
	if status := ask(t, s, ""); status != http.StatusOK {
		t.Errorf("without: %d", status)
	}
}

// Connections whose header does not come do not keep others out, and not the server from ending.
func TestProxyHeaderNeverComes(t *testing.T) {
	s := start(t, Config{TrustProxy: trusted(t, "127.0.0.1"), ProxyProtocol: true})
	for range 50 {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "PROXY TC")
	}
	if status := ask(t, s, "PROXY UNKNOWN\r\n"); status != http.StatusOK {
		t.Errorf("behind them: %d", status)
	}
}

// TestProxyProtocolPassesTURNOn: what passes TCP on is where TURN is, under the number that clients used; what passes HTTP on is not.
func TestProxyProtocolPassesTURNOn(t *testing.T) {
	for passesTCP, want := range map[bool]func(*Server) int{true: func(s *Server) int { return s.tcpAddr().Port }, false: func(*Server) int { return 0 }} {
		s := start(t, Config{TrustProxy: trusted(t, "127.0.0.1"), ProxyProtocol: passesTCP})
		if got := s.turnWays().Own; got != want(s.Server) {
			t.Errorf("PROXY protocol %v: port %d", passesTCP, got)
		}
	}
}

func TestProxyProtocolNeedsNetworks(t *testing.T) {
	if _, err := New(Config{Data: t.TempDir(), ProxyProtocol: true}); err == nil {
		t.Error("everybody would be trusted")
	}
}
