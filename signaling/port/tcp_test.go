package port

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come; it is no time that is measured.
const patience = 10 * time.Second

// startTCP shares a port of this machine, to the end of the test.
func startTCP(t *testing.T, cfg TCPConfig) *TCP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = l
	p := NewTCP(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// serverTLS is a configuration with a certificate of its own.
func serverTLS(t *testing.T) *tls.Config {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	return &tls.Config{Certificates: s.TLS.Certificates}
}

// serve answers on each connection of a side with its name and all that it reads.
func serve(t *testing.T, p *TCP, side Side) {
	l := p.Listener(side)
	var conns sync.WaitGroup
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				if _, ok := conn.LocalAddr().(*net.TCPAddr); !ok {
					t.Errorf("%v has a local address of %T", side, conn.LocalAddr())
				}
				fmt.Fprintf(conn, "%v:", side)
				io.Copy(conn, conn)
			})
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		conns.Wait()
	})
}

func dial(t *testing.T, p *TCP) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.cfg.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// say sends b in pieces, and returns what came back until the other end has heard all of it, or hung up.
func say(t *testing.T, conn net.Conn, b string, piece int) string {
	t.Helper()
	go func() {
		for rest := b; rest != ""; rest = rest[min(piece, len(rest)):] {
			if _, err := io.WriteString(conn, rest[:min(piece, len(rest))]); err != nil {
				return
			}
		}
	}()
	var got strings.Builder
	for buf := make([]byte, 256); !strings.HasSuffix(got.String(), b); {
		n, err := conn.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("nobody answers, after %q", got.String())
			}
			break
		}
	}
	return got.String()
}

const page = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// TestTCPSides: each kind of bytes reaches its side whole, in any pieces, plain and in TLS.
func TestTCPSides(t *testing.T) {
	for _, secure := range []bool{false, true} {
		p := startTCP(t, TCPConfig{TLS: serverTLS(t)})
		for _, side := range Sides {
			serve(t, p, side)
		}
		for name, c := range map[string]struct{ bytes, plain, inTLS string }{
			"HTTP": {page, "http:" + page, "http:" + page},
			"TURN": {string(allocate), "turn:" + string(allocate), "turn:" + string(allocate)},
			"ICE":  {string(framed(check)), "ice:" + string(framed(check)), ""},
			"junk": {"\x00\x01\x02\x03junk", "", ""},
		} {
			for _, piece := range []int{1, 3, 7, 1000} {
				conn, want := dial(t, p), c.plain
				if secure {
					conn, want = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}), c.inTLS
				}
				if got := say(t, conn, c.bytes, piece); got != want {
					t.Errorf("%s in pieces of %d (TLS: %v): %q", name, piece, secure, got)
				}
				conn.Close()
			}
		}
	}
}

// TestTLSProtocols: what is agreed on in TLS counts before anything was said.
func TestTLSProtocols(t *testing.T) {
	p := startTCP(t, TCPConfig{TLS: serverTLS(t)})
	http := p.Listener(HTTP)
	defer http.Close()
	for _, name := range []string{"h2", "http/1.1"} {
		conn := tls.Client(dial(t, p), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{name}})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		got, err := http.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if inner, ok := got.(*tls.Conn); !ok || inner.ConnectionState().NegotiatedProtocol != name {
			t.Errorf("HTTP has a %T for %s", got, name)
		}
		got.Close()
	}
	serve(t, p, TURN)
	for _, names := range [][]string{{"stun.turn"}, {"http/1.1", "stun.turn", "stun.nat-discovery"}} { // the latter is coturn's client
		conn := tls.Client(dial(t, p), &tls.Config{InsecureSkipVerify: true, NextProtos: names})
		if got := say(t, conn, string(allocate), 1000); got != "turn:"+string(allocate) {
			t.Errorf("%q gets %q", names, got)
		}
	}
}

// TestTCPDrops: what belongs to nobody is closed, and counted by its reason.
func TestTCPDrops(t *testing.T) {
	p := startTCP(t, TCPConfig{TLS: serverTLS(t), FirstBytes: 300 * time.Millisecond})
	gone := p.Listener(ICE)
	gone.Close()
	mute := p.Listener(HTTP) // never accepts
	defer mute.Close()
	for why, first := range map[Reason]string{
		Silent: "\x00", Unknown: "\xff", BadTLS: "\x16\x03\x01\x00\x04\x63\x00\x00\x00", Unserved: string(framed(check)), Busy: page,
	} {
		before := p.Counts()
		say(t, dial(t, p), first, 1000)
		want := before
		want.Dropped[why]++
		if got := p.Counts(); got != want {
			t.Errorf("%v: %v, want %v", why, got, want)
		}
	}
	before := p.Counts().Dropped[Unserved]
	say(t, dial(t, p), string(allocate), 1000) // nobody ever asked for it
	if p.Counts().Dropped[Unserved] != before+1 {
		t.Error("a side that nobody serves is served")
	}
}

// TestIdleConnections: a thousand that say nothing push out one another, are
// gone when their time is over, and harm nobody who means it.
func TestIdleConnections(t *testing.T) {
	const idle, room = 1000, 300
	p := startTCP(t, TCPConfig{Waiting: room, FirstBytes: 2 * time.Second})
	serve(t, p, HTTP)
	var conns []net.Conn
	for range idle {
		conns = append(conns, dial(t, p))
	}
	for range 20 {
		if got := say(t, dial(t, p), page, 5); got != "http:"+page {
			t.Fatalf("among the idle one hears %q", got)
		}
	}
	for _, conn := range conns {
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("an idle connection: %v", err)
		}
	}
	got := p.Counts()
	if got.Dropped[Crowded]+got.Dropped[Silent] < idle || got.Dropped[Crowded] < idle-room || got.Served[HTTP] != 20 {
		t.Errorf("%+v", got)
	}
}

// TestSideIsTakenOver: who asks for a side has it, and the one before learns so.
func TestSideIsTakenOver(t *testing.T) {
	p := startTCP(t, TCPConfig{})
	before := p.Listener(TURN)
	serve(t, p, TURN)
	if _, err := before.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the one before: %v", err)
	}
	before.Close()
	if got := say(t, dial(t, p), string(allocate), 1000); got != "turn:"+string(allocate) {
		t.Errorf("the one after gets %q", got)
	}
}

// A connection that its side has got is not closed any more for having waited, neither by one that comes after it nor at the end.
func TestTakenIsNotWaiting(t *testing.T) {
	p := startTCP(t, TCPConfig{Waiting: 1})
	l := p.Listener(HTTP)
	defer l.Close()
	for range 300 {
		conn := dial(t, p)
		if _, err := conn.Write([]byte("GET /")); err != nil {
			t.Fatal(err)
		}
		taken, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p.waiting.closeAll()
		if _, err := taken.Write([]byte("!")); err != nil {
			t.Fatalf("closed while its side has it: %v", err)
		}
		taken.Close()
		conn.Close()
	}
}
