package netcheck

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// box stands between and passes requests on, spoiled by what is set.
type box struct {
	strip  bool // takes the upgrade from requests
	stall  bool // lets 101 through and nothing after it
	buffer bool // holds event streams back
	mute   bool // answers no request for a link over HTTP
}

// before starts a box before a server, and returns its address.
func (b box) before(t *testing.T, r *running) string {
	t.Helper()
	server := httptest.NewServer(b.handler("http", r.addr))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func (b box) handler(scheme, to string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: scheme, Host: to})
			if b.strip {
				r.Out.Header.Del("Connection")
				r.Out.Header.Del("Upgrade")
			}
		},
		ModifyResponse: b.modify,
		FlushInterval:  -1,
		Transport:      &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
		ErrorLog:       log.New(io.Discard, "", 0),
	}
}

func (b box) modify(answer *http.Response) error {
	stream := answer.Header.Get("Content-Type") == "text/event-stream"
	switch {
	case b.stall && answer.StatusCode == http.StatusSwitchingProtocols:
		answer.Body = &silent{server: answer.Body, closed: make(chan struct{})}
	case b.buffer && stream, b.mute && answer.Request.Method == http.MethodPost:
		<-answer.Request.Context().Done()
		return answer.Request.Context().Err()
	}
	return nil
}

// silent is an upgraded connection on which nothing moves.
type silent struct {
	server io.Closer
	once   sync.Once
	closed chan struct{}
}

func (s *silent) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.EOF
}

func (s *silent) Write(p []byte) (int, error) { return len(p), nil }

func (s *silent) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.server.Close()
}

// inspector opens TLS with a certificate of its own, and may kill HTTP/2.
type inspector struct {
	box
	certificate *tls.Certificate
	killH2      bool
}

func (i inspector) before(t *testing.T, r *running) string {
	t.Helper()
	server := httptest.NewUnstartedServer(i.handler("https", r.addr))
	server.EnableHTTP2 = !i.killH2
	server.TLS = &tls.Config{Certificates: []tls.Certificate{*i.certificate}}
	if i.killH2 {
		server.TLS.NextProtos = []string{"h2", "http/1.1"}
		server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
			"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) { c.Close() },
		}
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// connectProxy is an HTTP proxy that does CONNECT only. Its check answers
// requests that it does not like.
type connectProxy struct {
	check func(w http.ResponseWriter, r *http.Request) (good bool)

	mu     sync.Mutex
	logins int // requests with a password
}

func (p *connectProxy) start(t *testing.T, user *url.Userinfo) (proxy string) {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return (&url.URL{Scheme: "http", User: user, Host: server.Listener.Addr().String()}).String()
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Proxy-Authorization") != "" {
		p.mu.Lock()
		p.logins++
		p.mu.Unlock()
	}
	if p.check != nil && !p.check(w, r) {
		return
	}
	out, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, rest, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		io.Copy(out, rest)
		out.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(in, out)
}

// asks is a check of user and password by Basic.
func asks(user, password string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		basic := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		if u, p, ok := basic.BasicAuth(); ok && u == user && p == password {
			return true
		}
		w.Header().Set("Proxy-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return false
	}
}
