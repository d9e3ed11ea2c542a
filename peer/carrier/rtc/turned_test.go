package rtc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/turn/v5"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// turnServer is a TURN server on loopback, over UDP, TCP and TLS, that relays between whoever has its password.
type turnServer struct {
	udp, tcp, tls string // URLs
	roots         *x509.CertPool
}

const (
	turnUser     = "somebody"
	turnPassword = "secret"
)

func startTURN(t *testing.T) turnServer {
	t.Helper()
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	check(t, err)
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	cert, roots := certificate(t)
	secure, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	check(t, err)
	relay := &turn.RelayAddressGeneratorStatic{RelayAddress: net.IPv4(127, 0, 0, 1), Address: "127.0.0.1"}
	all := func(net.Addr, net.IP) bool { return true }
	server, err := turn.NewServer(turn.ServerConfig{
		Realm: "test",
		AuthHandler: func(ra *turn.RequestAttributes) (string, []byte, bool) {
			return ra.Username, turn.GenerateAuthKey(turnUser, ra.Realm, turnPassword), ra.Username == turnUser
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: udp, RelayAddressGenerator: relay, PermissionHandler: all}},
		ListenerConfigs: []turn.ListenerConfig{
			{Listener: tcp, RelayAddressGenerator: relay, PermissionHandler: all},
			{Listener: secure, RelayAddressGenerator: relay, PermissionHandler: all},
		},
	})
	check(t, err)
	t.Cleanup(func() { server.Close() })
	return turnServer{
		udp: fmt.Sprintf("turn:%v?transport=udp", udp.LocalAddr()),
		tcp: fmt.Sprintf("turn:%v?transport=tcp", tcp.Addr()),
		tls: fmt.Sprintf("turns:%v?transport=tcp", secure.Addr()), roots: roots,
	}
}

// certificate is one for 127.0.0.1, signed by itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	leaf, err := x509.ParseCertificate(der)
	check(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// through is a turned connection's configuration with those URLs.
func (s turnServer) through(urls ...string) Config {
	return Config{
		IncludeLoopback: true, RelayOnly: true, TLS: &tls.Config{RootCAs: s.roots},
		Servers: []Server{{URLs: urls, Username: turnUser, Credential: turnPassword}},
	}
}

// connectTurned connects two ends whose candidates all come behind their descriptions, and runs them.
func connectTurned(t *testing.T, ofViewer, ofDevice Config) (viewer, device *Peer) {
	t.Helper()
	viewer, device = introduceTurned(t, ofViewer, ofDevice)
	run(t, viewer)
	run(t, device)
	return viewer, device
}

// introduceTurned makes them, to be run.
func introduceTurned(t *testing.T, ofViewer, ofDevice Config) (viewer, device *Peer) {
	t.Helper()
	var theirs, ours atomic.Pointer[Peer]
	tell := func(to *atomic.Pointer[Peer]) Events {
		return Events{Candidate: func(text, mid string) {
			if err := to.Load().AddCandidate(text, mid); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}}
	}
	viewer, err := NewOfferer(ofViewer, tell(&theirs))
	check(t, err)
	device, err = NewAnswerer(ofDevice, tell(&ours))
	check(t, err)
	theirs.Store(device)
	ours.Store(viewer)
	introduce(t, viewer, device)
	return viewer, device
}

// Each end is on the rung by which it reaches its own TURN server; with several ways, on the best.
func TestTurned(t *testing.T) {
	s := startTURN(t)
	for _, c := range []struct {
		name           string
		viewer, device []string
		want, wantToo  ladder.Rung
	}{
		{"UDP", []string{s.udp}, []string{s.udp}, ladder.TurnUDP, ladder.TurnUDP},
		{"TCP", []string{s.tcp}, []string{s.tcp}, ladder.TurnTCP, ladder.TurnTCP},
		{"TLS", []string{s.tls}, []string{s.tls}, ladder.TurnTLS, ladder.TurnTLS},
		{"UDP and TLS", []string{s.udp}, []string{s.tls}, ladder.TurnUDP, ladder.TurnTLS},
		{"all", []string{s.tls, s.tcp, s.udp}, []string{s.udp, s.tcp, s.tls}, ladder.TurnUDP, ladder.TurnUDP},
		{
			"beside URLs that are none",
			[]string{"turn:", "turn:::::", "http://x", "turns:h:1?transport=udp", "stun:127.0.0.1:9", s.tcp},
			[]string{s.udp},
			ladder.TurnTCP, ladder.TurnUDP,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			viewer, device := connectTurned(t, s.through(c.viewer...), s.through(c.device...))
			waitReady(t, viewer, device)
			if viewer.Rung() != c.want || device.Rung() != c.wantToo {
				t.Errorf("on %v and %v (%s), want %v and %v", viewer.Rung(), device.Rung(), viewer.Pair(), c.want, c.wantToo)
			}
		})
	}
}

// A connection to a TURN server goes the way that links go, and asks nobody for
// the server's name, which behind a proxy nobody here may know.
func TestTurnedThroughADialer(t *testing.T) {
	s := startTURN(t)
	var dialled atomic.Int32
	through := func(url string) Config {
		at := url[strings.Index(url, ":")+1 : strings.Index(url, "?")]
		cfg := s.through(strings.Replace(url, at, "turn.invalid:443", 1))
		cfg.TLS.ServerName = "127.0.0.1"
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != "turn.invalid:443" {
				return nil, fmt.Errorf("dialled %s", addr)
			}
			dialled.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, at)
		}
		return cfg
	}
	viewer, device := connectTurned(t, through(s.tls), through(s.tcp))
	waitReady(t, viewer, device)
	if viewer.Rung() != ladder.TurnTLS || device.Rung() != ladder.TurnTCP || dialled.Load() != 2 {
		t.Errorf("on %v and %v, dialled %d times", viewer.Rung(), device.Rung(), dialled.Load())
	}
}

// What keeps a turned connection from being made has a name, and where the
// dialer knows more, its words.
func TestWhyNotTurned(t *testing.T) {
	s := startTURN(t)
	refused := s.through(s.udp)
	refused.Servers[0].Credential = "wrong"
	untrusted := s.through(s.tls)
	untrusted.TLS = nil
	proxied := s.through(s.tcp)
	proxied.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, carrier.Fail("proxy-443-only", "", nil)
	}
	for _, c := range []struct {
		name   string
		cfg    Config
		detail string
	}{
		{"wrong credentials", refused, ""},
		{"no trust", untrusted, "tls-untrusted"},
		{"a proxy's no", proxied, "proxy-443-only"},
		{"none", Config{RelayOnly: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			viewer, err := NewOfferer(c.cfg, Events{})
			check(t, err)
			run(t, viewer)
			_, err = viewer.Offer()
			check(t, err)
			var failure *carrier.Failure
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if !errors.As(viewer.Stuck(), &failure) {
					t.Fatal(viewer.Stuck())
				}
				if strings.Contains(failure.Detail, c.detail) || time.Now().After(end) {
					break
				}
			}
			if failure.Name != "turn-unreachable" || !strings.Contains(failure.Detail, c.detail) {
				t.Errorf("it says %q", failure.Brief())
			}
		})
	}
}
