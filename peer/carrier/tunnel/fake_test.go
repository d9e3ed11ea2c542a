package tunnel

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeProxy is an HTTP proxy that does CONNECT only, and says what it is told to.
type fakeProxy struct {
	t        *testing.T
	listener net.Listener
	check    func(r *http.Request) (status int, header http.Header) // 0: connect
	conns    sync.WaitGroup

	mu       sync.Mutex
	open     map[net.Conn]bool
	accepted int
	requests []*http.Request
}

func startProxy(t *testing.T, secure *tls.Config, check func(r *http.Request) (int, http.Header)) *fakeProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	p := &fakeProxy{t: t, listener: l, check: check, open: map[net.Conn]bool{}}
	p.conns.Go(p.accept)
	t.Cleanup(p.stop)
	return p
}

func (p *fakeProxy) stop() {
	p.listener.Close()
	p.mu.Lock()
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.conns.Wait()
}

func (p *fakeProxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.accepted++
		p.open[conn] = true
		p.mu.Unlock()
		p.conns.Go(func() {
			defer conn.Close()
			p.serve(conn)
		})
	}
}

func (p *fakeProxy) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.requests = append(p.requests, r)
		p.mu.Unlock()
		status, header := p.check(r)
		if status == 0 {
			p.connect(conn, in, r.RequestURI)
			return
		}
		answer := &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: header, Body: http.NoBody}
		if header.Get("Content-Length") != "" {
			answer.Body, answer.ContentLength = io.NopCloser(strings.NewReader("sorry")), 5
		}
		answer.Write(conn)
	}
}

func (p *fakeProxy) connect(conn net.Conn, in *bufio.Reader, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		fmt.Fprintf(conn, "HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n")
		return
	}
	defer out.Close()
	fmt.Fprintf(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.conns.Go(func() {
		io.Copy(out, in)
		out.(*net.TCPConn).CloseWrite()
	})
	io.Copy(conn, out)
}

// count is how many requests came, and how many of them with a login.
func (p *fakeProxy) count() (requests, logins, connections int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r.Header.Get("Proxy-Authorization") != "" {
			logins++
		}
	}
	return len(p.requests), logins, p.accepted
}

func (p *fakeProxy) url(user *url.Userinfo) *url.URL {
	scheme := "http"
	if _, plain := p.listener.(*net.TCPListener); !plain {
		scheme = "https"
	}
	return &url.URL{Scheme: scheme, User: user, Host: p.listener.Addr().String()}
}

// echoServer is what lies behind the proxy.
func echoServer(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); tasks.Wait() })
	return l.Addr().String()
}

// says checks that a connection goes there and back, and closes it.
func says(t *testing.T, conn net.Conn, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello")
	b := make([]byte, 5)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
		t.Fatalf("%q came back, %v", b, err)
	}
}

func openProxy(*http.Request) (int, http.Header) { return 0, nil }

// wants makes a check of Basic.
func wantsBasic(user, password string) func(*http.Request) (int, http.Header) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	return func(r *http.Request) (int, http.Header) {
		if r.Header.Get("Proxy-Authorization") == want {
			return 0, nil
		}
		return http.StatusProxyAuthRequired, http.Header{
			"Proxy-Authenticate": {"Negotiate", `Basic realm="fake"`}, "Content-Length": {"5"},
		}
	}
}

// fakeDigest checks Digest as RFC 7616 has it, and its nonces' uses.
type fakeDigest struct {
	algorithm      string
	user, password string

	mu    sync.Mutex
	nonce int
	uses  map[string]bool
	quiet bool // it does not say that a nonce is stale
}

func (d *fakeDigest) renew() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nonce++
}

func (d *fakeDigest) hush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet = true
}

func (d *fakeDigest) check(r *http.Request) (int, http.Header) {
	d.mu.Lock()
	defer d.mu.Unlock()
	nonce := fmt.Sprint("nonce", d.nonce)
	stale := false
	for _, c := range parseChallenges(r.Header.Values("Proxy-Authorization")) {
		good, uses := d.verify(c, r), c.params["nonce"]+c.params["nc"]
		if good && c.params["nonce"] == nonce && !d.uses[uses] {
			d.uses[uses] = true
			return 0, nil
		}
		stale = good && !d.quiet
	}
	return http.StatusProxyAuthRequired, http.Header{"Proxy-Authenticate": {fmt.Sprintf(
		`Digest realm="fake", nonce="%s", opaque="o", qop="auth", algorithm=%s, stale=%v`, nonce, d.algorithm, stale)}}
}

// verify reckons with the nonce that the client names.
func (d *fakeDigest) verify(c challenge, r *http.Request) bool {
	mine := newDigest(challenge{params: map[string]string{
		"realm": "fake", "nonce": c.params["nonce"], "qop": "auth", "algorithm": d.algorithm,
	}})
	mine.cnonce = c.params["cnonce"]
	return c.scheme == "digest" && c.params["username"] == d.user && c.params["uri"] == r.RequestURI && c.params["opaque"] == "o" &&
		c.params["response"] == mine.response(d.user, d.password, r.Method, r.RequestURI, c.params["nc"])
}
