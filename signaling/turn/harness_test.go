package turn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is no time that is measured.
const patience = 10 * time.Second

// tinyTime is long enough for a packet of this machine to this machine, where a test shows that none comes.
const tinyTime = 100 * time.Millisecond

// running is a server under test with a socket of each kind.
type running struct {
	*Server
	at      map[string]string // transport: address
	trusted *tls.Config
}

func start(t *testing.T, cfg Config) *running {
	t.Helper()
	r := &running{at: make(map[string]string)}
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	secret, trusted := certificate(t)
	r.trusted = trusted
	r.at["udp"], r.at["tcp"], r.at["tls"] = udp.LocalAddr().String(), tcp.Addr().String(), inner.Addr().String()
	cfg.PacketConns = append(cfg.PacketConns, udp)
	cfg.Listeners = append(cfg.Listeners, tcp, tls.NewListener(inner, secret))
	if udp6, err := net.ListenPacket("udp6", "[::1]:0"); err == nil { // not every machine has it
		cfg.PacketConns = append(cfg.PacketConns, udp6)
		r.at["udp6"] = udp6.LocalAddr().String()
	}
	if cfg.Secret == "" {
		cfg.Secret = "a secret of the test's own"
	}
	if cfg.Addresses == nil {
		cfg.Addresses = []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")}
	}
	s, err := New(cfg)
	must(t, err)
	r.Server = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != context.Canceled {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

// dial opens a socket to the server, without a word of TURN.
func (r *running) dial(t *testing.T, over string) net.PacketConn {
	t.Helper()
	var conn net.PacketConn
	switch over {
	case "udp", "udp6":
		host := map[string]string{"udp": "127.0.0.1:0", "udp6": "[::1]:0"}[over]
		c, err := net.ListenPacket("udp", host)
		must(t, err)
		conn = c
	case "tcp":
		c, err := net.Dial("tcp4", r.at[over])
		must(t, err)
		conn = turn.NewSTUNConn(c)
	case "tls":
		c, err := tls.Dial("tcp4", r.at[over], r.trusted)
		must(t, err)
		conn = turn.NewSTUNConn(c)
	default:
		t.Fatalf("no transport %q", over)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// end is one end of a session: pion's client.
type end struct {
	*turn.Client
	conn    net.PacketConn
	relayed net.PacketConn
	nonce   stun.Nonce // for requests of the test's own making; empty: not asked for yet
}

func (r *running) end(t *testing.T, over, username, password string) *end {
	t.Helper()
	conn := r.dial(t, over)
	c, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: r.at[over], STUNServerAddr: r.at[over], Conn: conn, RTO: 50 * time.Millisecond,
		Username: username, Password: password, RequestedAddressFamily: turn.RequestedAddressFamilyIPv4,
		LoggerFactory: quiet{},
	})
	must(t, err)
	must(t, c.Listen())
	e := &end{Client: c, conn: conn}
	t.Cleanup(sync.OnceFunc(func() {
		if e.relayed != nil {
			_ = e.relayed.Close()
		}
		c.Close()
		conn.Close()
	}))
	return e
}

// join makes an end of a session that has allocated.
func (r *running) join(t *testing.T, over, session string) *end {
	t.Helper()
	username, password := r.Credentials(session, time.Minute)
	e := r.end(t, over, username, password)
	var err error
	if e.relayed, err = e.Allocate(); err != nil {
		t.Fatalf("allocate over %s: %v", over, err)
	}
	return e
}

// send lets one end say something to the other's relayed address.
func (e *end) send(t *testing.T, to net.Addr, text string) {
	t.Helper()
	if _, err := e.relayed.WriteTo([]byte(text), to); err != nil {
		t.Fatalf("send %q to %s: %v", text, to, err)
	}
}

func (e *end) hear(t *testing.T, from net.Addr, text string) {
	t.Helper()
	must(t, e.relayed.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, maxFrame)
	n, addr, err := e.relayed.ReadFrom(buf)
	if err != nil || string(buf[:n]) != text || addr.String() != from.String() {
		t.Fatalf("heard %q from %v, %v; want %q from %v", buf[:n], addr, err, text, from)
	}
}

func (e *end) hearNothing(t *testing.T) {
	t.Helper()
	must(t, e.relayed.SetReadDeadline(time.Now().Add(tinyTime)))
	buf := make([]byte, maxFrame)
	if n, addr, err := e.relayed.ReadFrom(buf); err == nil {
		t.Fatalf("heard %q from %v", buf[:n], addr)
	}
}

// ask sends a request of the test's own making, signed for an allocation, and returns the answer.
func (e *end) ask(t *testing.T, s *running, username string, kind stun.MessageType, attributes ...stun.Setter) *stun.Message {
	t.Helper()
	if len(e.nonce) == 0 {
		m, err := stun.Build(stun.TransactionID, allocateType)
		must(t, err)
		result, err := e.PerformTransaction(m, e.TURNServerAddr(), false)
		must(t, err)
		must(t, e.nonce.GetFrom(result.Msg))
	}
	setters := []stun.Setter{stun.TransactionID, kind}
	setters = append(setters, attributes...)
	setters = append(setters, stun.NewUsername(username), stun.NewRealm(realm), e.nonce,
		stun.NewLongTermIntegrity(username, realm, s.credentials.password(username)))
	m, err := stun.Build(setters...)
	must(t, err)
	result, err := e.PerformTransaction(m, e.TURNServerAddr(), false)
	must(t, err)
	return result.Msg
}

// codeOf is the code of an answer; 0: it is no error.
func codeOf(t *testing.T, m *stun.Message) int {
	t.Helper()
	if m.Type.Class == stun.ClassSuccessResponse {
		return 0
	}
	var code stun.ErrorCodeAttribute
	must(t, code.GetFrom(m))
	return int(code.Code)
}

func (r *running) refused(why Refusal) int { return int(r.counts.Refused[why].Load()) }

// until waits for what must come about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came about that %s", what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
	}
}
