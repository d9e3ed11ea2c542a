package server

import (
	"log/slog"
	"net"
	"time"

	"github.com/telepath-iot/telepath/signaling/port"
)

// proxyListener reads the PROXY headers of connections that come from trusted
// proxies, and hands out connections that have their client's address. Those
// from elsewhere are handed out as they are.
type proxyListener struct {
	net.Listener // set once
	proxies      proxies
	log          *slog.Logger
	ready        chan net.Conn
	reading      chan struct{} // a place for each header being read
	done         chan struct{} // closed when Run has ended
	failed       error         // why; set before done is closed
}

const (
	maxHeadersRead  = 128             // connections whose header is awaited; further ones wait in the kernel
	proxyHeaderTime = 5 * time.Second // from a proxy that is near
)

func newProxyListener(l net.Listener, p proxies, log *slog.Logger) *proxyListener {
	return &proxyListener{
		Listener: l, proxies: p, log: log,
		ready: make(chan net.Conn), reading: make(chan struct{}, maxHeadersRead), done: make(chan struct{}),
	}
}

// Run takes connections until the listener is closed, and returns when all that wait for their header are gone.
func (l *proxyListener) Run() {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			l.failed = err
			close(l.done)
			break
		}
		l.reading <- struct{}{}
		go func() {
			defer func() { <-l.reading }()
			l.take(conn)
		}()
	}
	for range cap(l.reading) {
		l.reading <- struct{}{}
	}
}

func (l *proxyListener) take(conn net.Conn) {
	if l.proxies.trust(remote(conn)) {
		_ = conn.SetDeadline(time.Now().Add(proxyHeaderTime))
		source, err := readProxyHeader(conn)
		if err != nil {
			l.log.Debug("a proxy's connection is closed", "from", conn.RemoteAddr(), "err", err)
			conn.Close()
			return
		}
		_ = conn.SetDeadline(time.Time{})
		if source.IsValid() {
			conn = &proxiedConn{port.Wrapped{Conn: conn}, net.TCPAddrFromAddrPort(source)}
		}
	}
	select {
	case l.ready <- conn:
	case <-l.done:
		conn.Close()
	}
}

// Accept implements net.Listener.
func (l *proxyListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.done:
		return nil, l.failed
	}
}

// proxiedConn is a connection through a proxy, as its client's.
type proxiedConn struct {
	port.Wrapped
	source *net.TCPAddr
}

// RemoteAddr implements net.Conn.
func (c *proxiedConn) RemoteAddr() net.Addr { return c.source }
