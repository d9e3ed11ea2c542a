package server

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"

	"github.com/telepath-iot/telepath/peer/signal"
)

// allocate takes what a signal told and makes an allocation at the first URL of the given beginning and end.
func allocate(t *testing.T, servers []signal.Server, scheme, transport string) net.PacketConn {
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
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
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

// Both ends of a Conn are told where to allocate and meet there; when the Conn
// is closed, what they have there is gone.
func TestTURNOfAConn(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	v := s.viewer(t, "rig")
	opened, _ := v.nextSignal(signal.Opened)
	_, open := d.accept(1)
	viewer, device := allocate(t, opened.Servers, "turn", "udp"), allocate(t, open.Servers, "turn", "udp")
	if left := time.Until(time.Unix(int64(opened.Servers[0].Expires), 0)); left < 50*time.Minute {
		t.Errorf("credentials are good for %v", left)
	}
	// Each first says something to the other, which permits the other to do so, too (RFC 8656, section 9).
	say := func(from net.PacketConn, text string, to net.PacketConn) {
		if _, err := from.WriteTo([]byte(text), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	say(device, "into the void", viewer)
	say(viewer, "hello", device)
	buf := make([]byte, 100)
	n, from, err := device.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "hello" || from.String() != viewer.LocalAddr().String() {
		t.Fatalf("the device heard %q from %v, %v", buf[:n], from, err)
	}
	v.signal(1, signal.Message{Type: signal.Close})
	s.waitFor(t, "the allocations to be gone", func() bool { return s.turn.Stats().Allocations == 0 })
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
	if strings.Contains(s.metricsText(t), "telepath_turn_") {
		t.Error("metrics of a TURN server that is not there")
	}
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
	if s.turn != nil {
		t.Error("there is one inside, too")
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
	allocate(t, []signal.Server{{URLs: []string{"turn:" + at.String() + "?transport=udp"}, Username: username, Credential: password}}, "turn", "udp")
	info, err := os.Stat(filepath.Join(dir, "turn.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info, err)
	}
}
