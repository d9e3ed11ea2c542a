package turn

import (
	"crypto/tls"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/telepath-iot/telepath/e2e/lab"
)

// end is a client of pion's that has an allocation.
type end struct {
	*turn.Client
	relayed            net.PacketConn
	username, password string
	realm              stun.Realm
	nonce              stun.Nonce
}

// dial opens a socket of a host to a TURN server; its name for TLS is not checked here.
func dial(t *testing.T, on *lab.Host, over, at string) net.PacketConn {
	t.Helper()
	var conn net.PacketConn
	must(t, on.Enter(func() error {
		switch over {
		case "udp":
			c, err := net.ListenPacket("udp4", "0.0.0.0:0")
			conn = c
			return err
		case "tcp":
			c, err := net.DialTimeout("tcp4", at, patience)
			conn = turn.NewSTUNConn(c)
			return err
		}
		c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp4", at, &tls.Config{InsecureSkipVerify: true})
		conn = turn.NewSTUNConn(c)
		return err
	}))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// join makes an end with an allocation.
func join(t *testing.T, on *lab.Host, over, at, username, password string) *end {
	t.Helper()
	e, err := tryJoin(t, on, over, at, username, password)
	must(t, err)
	return e
}

func tryJoin(t *testing.T, on *lab.Host, over, at, username, password string) (*end, error) {
	t.Helper()
	c, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: at, Conn: dial(t, on, over, at), Username: username, Password: password,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	must(t, err)
	t.Cleanup(c.Close)
	must(t, c.Listen())
	e := &end{Client: c, username: username, password: password}
	if e.relayed, err = c.Allocate(); err != nil {
		return nil, err
	}
	t.Cleanup(func() { e.relayed.Close() })
	e.realm = c.Realm()
	return e, nil
}

// hear waits for a text that ends with what is wanted; what was said before may still be on its way.
func (e *end) hear(t *testing.T, text string) {
	t.Helper()
	must(t, e.relayed.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 1500)
	n, _, err := e.relayed.ReadFrom(buf)
	if err != nil || string(buf[:n]) != text {
		t.Fatalf("heard %q, %v; want %q", buf[:n], err, text)
	}
}

// ask sends a request of the test's own making and returns the code of the answer, 0 for a success.
func (e *end) ask(t *testing.T, method stun.Method, attributes ...stun.Setter) int {
	t.Helper()
	if len(e.nonce) == 0 {
		_, answer := e.exchange(t, stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest))
		must(t, e.nonce.GetFrom(answer))
	}
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)
	code, _ := e.exchange(t, append(setters, stun.NewUsername(e.username), e.realm, e.nonce,
		stun.NewLongTermIntegrity(e.username, e.realm.String(), e.password))...)
	return code
}

func (e *end) exchange(t *testing.T, setters ...stun.Setter) (int, *stun.Message) {
	t.Helper()
	m, err := stun.Build(setters...)
	must(t, err)
	result, err := e.PerformTransaction(m, e.TURNServerAddr(), false)
	must(t, err)
	if result.Msg.Type.Class == stun.ClassSuccessResponse {
		return 0, result.Msg
	}
	var code stun.ErrorCodeAttribute
	must(t, code.GetFrom(result.Msg))
	return int(code.Code), result.Msg
}

// indicate sends a Send indication, to whomever.
func (e *end) indicate(t *testing.T, to netip.AddrPort, text string) {
	t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peer{to},
		stun.RawAttribute{Type: stun.AttrData, Value: []byte(text)})
	must(t, err)
	_, err = e.WriteTo(m.Raw, e.TURNServerAddr())
	must(t, err)
}

// peer is XOR-PEER-ADDRESS, also with addresses that pion would write in another family.
type peer struct{ netip.AddrPort }

func (p peer) AddTo(m *stun.Message) error {
	const cookie = 0x2112A442
	ip := p.Addr().AsSlice()
	family := map[int]byte{net.IPv4len: 1, net.IPv6len: 2}[len(ip)]
	mask := append(binary.BigEndian.AppendUint32(nil, cookie), m.TransactionID[:]...)
	for i := range ip {
		ip[i] ^= mask[i]
	}
	value := binary.BigEndian.AppendUint16([]byte{0, family}, p.Port()^uint16(cookie>>16))
	m.Add(stun.AttrXORPeerAddress, append(value, ip...))
	return nil
}
