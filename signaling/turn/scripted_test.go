package turn

import (
	"bufio"
	"context"
	"net"
	"testing"
	"testing/synctest"

	"github.com/pion/stun/v4"
)

// scripted is a client over a stream that does one thing after the other.
type scripted struct {
	t        *testing.T
	conn     net.Conn
	s        *Server
	username string
	in       *bufio.Reader
	nonce    stun.Nonce
}

// ask sends a signed request and returns the answer, which must be a success.
func (c *scripted) ask(kind stun.MessageType, attributes ...stun.Setter) *stun.Message {
	c.t.Helper()
	if c.in == nil {
		c.in = bufio.NewReader(c.conn)
		challenge := c.exchange(stun.TransactionID, allocateType)
		must(c.t, c.nonce.GetFrom(challenge))
	}
	setters := append([]stun.Setter{stun.TransactionID, kind}, attributes...)
	answer := c.exchange(append(setters, stun.NewUsername(c.username), stun.NewRealm(realm), c.nonce,
		stun.NewLongTermIntegrity(c.username, realm, c.s.credentials.password(c.username)))...)
	if code := codeOf(c.t, answer); code != 0 {
		c.t.Fatalf("%s is answered with %d", kind, code)
	}
	return answer
}

func (c *scripted) exchange(setters ...stun.Setter) *stun.Message {
	c.t.Helper()
	request, err := stun.Build(setters...)
	must(c.t, err)
	_, err = c.conn.Write(request.Raw)
	must(c.t, err)
	p := make([]byte, maxFrame)
	n, err := readFrame(c.in, p)
	must(c.t, err)
	answer := &stun.Message{Raw: p[:n]}
	must(c.t, answer.Decode())
	if answer.TransactionID != request.TransactionID {
		c.t.Fatalf("the answer to another request: %s", answer)
	}
	return answer
}

func lifetime(seconds uint16) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrLifetime, Value: []byte{0, 0, byte(seconds >> 8), byte(seconds)}}
}

// addressed is a connection in memory with addresses of the network.
type addressed struct {
	net.Conn
	local, remote *net.TCPAddr
}

func (a addressed) LocalAddr() net.Addr  { return a.local }
func (a addressed) RemoteAddr() net.Addr { return a.remote }

// listenerOfOne has one connection.
type listenerOfOne struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l listenerOfOne) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conn:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l listenerOfOne) Close() error {
	close(l.closed)
	return nil
}

func (l listenerOfOne) Addr() net.Addr { return &net.TCPAddr{} }

// connect runs the server for one connection in memory, and returns its client's end.
func (s *Server) connect(t *testing.T) net.Conn {
	t.Helper()
	a, b := net.Pipe()
	client := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	server := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 443}
	l := listenerOfOne{make(chan net.Conn), make(chan struct{})}
	s.cfg.Listeners = []net.Listener{l}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		a.Close()
		<-done
	})
	l.conn <- addressed{b, server, client}
	synctest.Wait() // it was taken
	return addressed{a, client, server}
}

func addrOf(t *testing.T, text string) net.Addr {
	t.Helper()
	addr, err := net.ResolveUDPAddr("udp", text)
	must(t, err)
	return addr
}
