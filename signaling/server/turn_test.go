package server

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/signal"
)

// allocateAt takes what a signal told and makes an allocation at the first URL of the given beginning and end.
func (r *running) allocateAt(t *testing.T, servers []signal.Server, scheme, transport string) net.PacketConn {
	t.Helper()
	if len(servers) != 1 {
		t.Fatalf("told %+v", servers)
	}
	var at string
	for _, url := range servers[0].URLs {
		if rest, ok := strings.CutPrefix(url, scheme+":"); ok && strings.HasSuffix(rest, "?transport="+transport) {
			at = strings.TrimSuffix(rest, "?transport="+transport)
		}
	}
	conn := r.dialTURN(t, at, scheme, transport)
	c, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: at, Conn: conn, Username: servers[0].Username, Password: servers[0].Credential,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		conn.Close()
	})
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatalf("allocate at %s: %v", at, err)
	}
	t.Cleanup(func() { relayed.Close() })
	return relayed
}

func (r *running) dialTURN(t *testing.T, at, scheme, transport string) net.PacketConn {
	t.Helper()
	var packets net.PacketConn
	var stream net.Conn
	var err error
	switch scheme + " " + transport {
	case "turn udp":
		packets, err = net.ListenPacket("udp", "127.0.0.1:0")
	case "turn tcp":
		stream, err = net.Dial("tcp", at)
	case "turns tcp":
		stream, err = tls.Dial("tcp", at, r.trusting())
	}
	if err != nil {
		t.Fatal(err)
	}
	if stream != nil {
		return turn.NewSTUNConn(stream)
	}
	return packets
}

// TestTURNLeavesRoomForLinks: however many connections come for TURN, half of all that there may be are left.
func TestTURNLeavesRoomForLinks(t *testing.T) {
	s := start(t, Config{Limits: Limits{Connections: 8}})
	binding := "\x00\x01\x00\x00\x21\x12\xa4\x42transaction_"
	for range 4 {
		s.idle(t).asks(t, binding)
	}
	conn := s.idle(t)
	conn.SetDeadline(time.Now().Add(patience / 2)) // without an allocation it would be closed some time
	_, _ = conn.Write([]byte(binding))
	if n, err := conn.Read(make([]byte, 100)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a fifth connection: %d bytes, %v", n, err)
	}
}

// Both ends of a Conn are told where to allocate and meet there; when the Conn
// is closed, what they have there is gone.
func TestTURNOfAConn(t *testing.T) {
	s := start(t, Config{TLSSelf: true})
	d := s.device(t, newKey(t), "rig")
	for i, way := range [][2]string{{"turn", "udp"}, {"turn", "tcp"}, {"turns", "tcp"}} {
		v := s.viewer(t, "rig")
		opened, _ := v.nextSignal(signal.Opened)
		_, open := d.accept(1)
		viewer, device := s.allocateAt(t, opened.Servers, way[0], way[1]), s.allocateAt(t, open.Servers, "turn", "udp")
		if left := time.Until(time.Unix(int64(opened.Servers[0].Expires), 0)); left < 50*time.Minute {
			t.Errorf("credentials are good for %v", left)
		}
		// Each says something to the other, which permits the other to do so, too (RFC 8656, section 9).
		s.say(t, device, "into the void", viewer)
		s.say(t, viewer, "hello", device)
		buf := make([]byte, 100)
		n, from, err := device.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "hello" || from.String() != viewer.LocalAddr().String() {
			t.Fatalf("%s: the device heard %q from %v, %v", way, buf[:n], from, err)
		}
		if have := s.turn.Stats(); have.Allocations != 2 {
			t.Errorf("%d: %d allocations", i, have.Allocations)
		}
		v.signal(1, signal.Message{Type: signal.Close})
		s.waitFor(t, "the allocations to be gone", func() bool { return s.turn.Stats().Allocations == 0 })
	}
}

func (r *running) say(t *testing.T, from net.PacketConn, text string, to net.PacketConn) {
	t.Helper()
	if _, err := from.WriteTo([]byte(text), to.LocalAddr()); err != nil {
		t.Fatal(err)
	}
}

// metricsText is what the admin listener shows.
func (r *running) metricsText(t *testing.T) string {
	t.Helper()
	admin := &running{Server: r.Server, url: "http://" + r.AdminAddr().String()}
	_, got, _ := admin.ask(t, "GET", "/metrics", "")
	return got["text"].(string)
}

func TestTURNMetrics(t *testing.T) {
	s := start(t, Config{Admin: "127.0.0.1:0"})
	text := s.metricsText(t)
	for _, want := range []string{"telepath_turn_allocations 0", `telepath_turn_refused_total{reason="wrong-mac"} 0`, `telepath_turn_drops_total{reason="no-peer"} 0`} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestTURNOff(t *testing.T) {
	s := start(t, Config{NoTURN: true, Admin: "127.0.0.1:0"})
	d := s.device(t, newKey(t), "rig")
	opened, _ := s.viewer(t, "rig").nextSignal(signal.Opened)
	_, open := d.accept(1)
	if opened.Servers != nil || open.Servers != nil {
		t.Errorf("told %+v and %+v", opened.Servers, open.Servers)
	}
	if strings.Contains(s.metricsText(t), "telepath_turn_allocations") {
		t.Error("metrics of a TURN server that is not there")
	}
	s.answersSTUN(t)
}

func TestExternalTURN(t *testing.T) {
	urls := []string{"turn:turn.example:3478?transport=udp"}
	s := start(t, Config{TURNServers: urls, TURNSecret: "north"})
	d := s.device(t, newKey(t), "rig")
	opened, _ := s.viewer(t, "rig").nextSignal(signal.Opened)
	_, open := d.accept(1)
	for _, told := range [][]signal.Server{opened.Servers, open.Servers} {
		if len(told) != 1 || told[0].URLs[0] != urls[0] || !strings.HasSuffix(told[0].Username, ":"+opened.ID) {
			t.Errorf("told %+v", told)
		}
	}
	s.answersSTUN(t)
}

// answersSTUN: who is behind a NAT learns its address here, whoever is the TURN server.
func (r *running) answersSTUN(t *testing.T) {
	t.Helper()
	asks, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer asks.Close()
	seen, err := rtc.AskSTUN(t.Context(), asks, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.UDPPort()))
	if err != nil || seen.String() != asks.LocalAddr().String() {
		t.Errorf("seen at %v, %v", seen, err)
	}
}

// Credentials are good after a restart: their secret is kept, and nobody else may read it.
func TestTURNSecretIsKept(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Config{Data: dir})
	username, password := first.turn.Credentials("session", time.Hour)
	first.stop()
	second := start(t, Config{Data: dir})
	at := netip.MustParseAddrPort(second.Addr().String())
	second.allocateAt(t, []signal.Server{{URLs: []string{"turn:" + at.String() + "?transport=udp"}, Username: username, Credential: password}}, "turn", "udp")
	info, err := os.Stat(filepath.Join(dir, "turn.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info, err)
	}
}
