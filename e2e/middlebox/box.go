package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/telepath-iot/telepath/e2e/authority"
)

// Box takes connections apart, as its Config says.
type Box struct {
	// Set once.
	cfg       Config
	out       *log.Logger // a line a request
	authority *authority.Authority
	plain     chan net.Conn // HTTP, for the server inside
	up, down  *hop          // towards the server, towards the client; nil: full speed
	done      chan struct{} // closed by Run
}

// New makes a box that reports to out. An intercepting one makes its authority here.
func New(cfg Config, out io.Writer) (*Box, error) {
	b := &Box{cfg: cfg, out: log.New(out, "", log.Ltime|log.Lmicroseconds), plain: make(chan net.Conn), done: make(chan struct{})}
	b.up, b.down = newHop(cfg.Slow), newHop(cfg.Slow)
	if !cfg.InterceptTLS {
		return b, nil
	}
	var err error
	if b.authority, err = authority.New("Middlebox Inspection"); err != nil || cfg.CAFile == "" {
		return b, err
	}
	return b, os.WriteFile(cfg.CAFile, b.authority.PEM(), 0o644)
}

// Run takes connections until ctx ends. It closes the listener.
func (b *Box) Run(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	inside := &http.Server{Handler: b.handler(), ErrorLog: log.New(io.Discard, "", 0)}
	go inside.Serve(feed{b, l.Addr()}) // it ends with the feed
	defer inside.Close()
	defer close(b.done)
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		go b.take(conn)
	}
}

// firstBytes is how long a client may take to say what it speaks.
const firstBytes = 10 * time.Second

// take looks at a connection's first bytes and decides what becomes of it.
func (b *Box) take(conn net.Conn) {
	conn = b.down.wrap(cutIdle(conn, b.cfg.CutIdle))
	reader := bufio.NewReader(conn)
	_ = conn.SetReadDeadline(time.Now().Add(firstBytes))
	first, err := reader.Peek(3)
	_ = conn.SetReadDeadline(time.Time{})
	peeked := &peekedConn{conn, reader}
	switch {
	case err != nil:
		conn.Close()
	case first[0] != recordHandshake:
		b.takeHTTP(peeked, string(first) == "PRI")
	case b.cfg.InterceptTLS:
		b.intercept(peeked)
	default:
		b.pass(peeked)
	}
}

func (b *Box) takeHTTP(conn net.Conn, isH2 bool) {
	if isH2 && b.cfg.KillH2 {
		b.reset(conn)
		return
	}
	b.hand(conn)
}

// hand gives a connection to the HTTP server inside.
func (b *Box) hand(conn net.Conn) {
	select {
	case b.plain <- conn:
	case <-b.done:
		conn.Close()
	}
}

// pass copies bytes both ways until both ends have ended.
func (b *Box) pass(client net.Conn) {
	server, err := b.dial(context.Background(), "tcp", b.cfg.To)
	if err != nil {
		b.out.Print("cannot pass on: ", err)
		client.Close()
		return
	}
	b.out.Print("TLS passed on")
	go func() {
		_, _ = io.Copy(server, client) // either end may cut
		server.Close()
	}()
	_, _ = io.Copy(client, server)
	client.Close()
}

// dial connects to the server, whatever name stands in a request.
func (b *Box) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: firstBytes}).DialContext(ctx, network, b.cfg.To)
	if err != nil {
		return nil, err
	}
	return b.up.wrap(conn), nil
}

// reset ends a connection with RST, as a box does that dislikes what it sees.
func (b *Box) reset(conn net.Conn) {
	b.out.Print("HTTP/2 reset")
	if tcp := socket(conn); tcp != nil {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// socket is what is under the layers of a connection.
func socket(conn net.Conn) *net.TCPConn {
	for conn != nil {
		switch c := conn.(type) {
		case *net.TCPConn:
			return c
		case *tls.Conn:
			conn = c.NetConn()
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
	return nil
}

// feed is the listener of the HTTP server inside.
type feed struct {
	box  *Box
	addr net.Addr
}

func (f feed) Accept() (net.Conn, error) {
	select {
	case conn := <-f.box.plain:
		return conn, nil
	case <-f.box.done:
		return nil, errors.New("the box is closed")
	}
}

func (f feed) Close() error   { return nil }
func (f feed) Addr() net.Addr { return f.addr }

// peekedConn reads what was looked at already, then the rest.
type peekedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *peekedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
func (c *peekedConn) NetConn() net.Conn          { return c.Conn }
