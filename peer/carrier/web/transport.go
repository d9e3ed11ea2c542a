package web

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/tunnel"
)

// handshakeTime is how long TLS may take.
const handshakeTime = 10 * time.Second

// streamWindow is how much of an answer HTTP/2 may bring that nobody has read
// yet, in bytes: what waits in it can neither be overtaken nor dropped.
const streamWindow = 256 << 10

// transport is a link's own. Its connections go with it: one of HTTP/2 whose
// requests were cut a moment ago is not idle yet, and would stay.
type transport struct {
	http.Transport
	connect func(ctx context.Context, network, addr string) (net.Conn, error)

	mu     sync.Mutex
	open   map[*transportConn]bool
	closed bool
	from   netip.Addr // of ours, that the newest one was made from
}

func newTransport(cfg DialConfig) *transport {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.TLS != nil {
		secure = cfg.TLS.Clone()
		secure.NextProtos = nil // HTTP's to choose
	}
	if cfg.agreed != nil {
		secure.VerifyConnection = noteHTTP2(cfg.agreed, secure.VerifyConnection)
	}
	t := &transport{connect: cfg.DialContext, open: make(map[*transportConn]bool)}
	if t.connect == nil {
		scheme, _, _ := strings.Cut(cfg.URL, ":")
		t.connect = tunnel.New(tunnel.Config{Scheme: scheme}).DialContext
	}
	t.Transport = http.Transport{
		DialContext:         t.dial,
		TLSClientConfig:     secure,
		TLSHandshakeTimeout: handshakeTime,
		DisableCompression:  true,
		MaxIdleConnsPerHost: maxPosts + 1, // and a poll's
		Protocols:           new(http.Protocols),
		HTTP2:               &http.HTTP2Config{MaxReceiveBufferPerStream: streamWindow},
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(!cfg.http1)
	return t
}

// noteHTTP2 sets agreed when HTTP/2 is agreed on, and then asks check, which may be nil.
func noteHTTP2(agreed *atomic.Bool, check func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol == "h2" {
			agreed.Store(true)
		}
		if check == nil {
			return nil
		}
		return check(s)
	}
}

func (t *transport) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := t.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &transportConn{conn, t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed { // the link has ended meanwhile
		conn.Close()
		return nil, net.ErrClosed
	}
	t.open[c] = true
	if tcp, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		t.from = tcp.AddrPort().Addr().Unmap()
	}
	return c, nil
}

func (t *transport) localAddr() netip.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.from
}

// close closes all connections, for good.
func (t *transport) close() {
	t.mu.Lock()
	open := t.open
	t.open, t.closed = nil, true
	t.mu.Unlock()
	for c := range open {
		c.Conn.Close()
	}
	t.CloseIdleConnections()
}

// transportConn tells when it is closed.
type transportConn struct {
	net.Conn
	of *transport
}

// Close implements net.Conn.
func (c *transportConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
