package tunnel

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// failed is the name of a failure, and checks that it tells no password.
func failed(t *testing.T, err error) string {
	t.Helper()
	var f *carrier.Failure
	if !errors.As(err, &f) {
		t.Fatalf("no Failure: %v", err)
	}
	if strings.Contains(f.Error(), "secret") || f.Reason == "" || f.Remedy == "" {
		t.Errorf("%v", f)
	}
	return f.Name
}

func TestWithoutAProxy(t *testing.T) {
	d := New(Config{Direct: true})
	conn, err := d.DialContext(t.Context(), "tcp", echoServer(t))
	says(t, conn, err)
	_, err = d.DialContext(t.Context(), "tcp", "127.0.0.1:1")
	if got := failed(t, err); got != "refused" {
		t.Error(got, err)
	}
	_, err = d.DialContext(t.Context(), "tcp", "no-such-host.invalid:1")
	if got := failed(t, err); got != "dns" {
		t.Error(got, err)
	}
}

func TestThroughAnOpenProxy(t *testing.T) {
	p := startProxy(t, nil, openProxy)
	conn, err := New(Config{Proxy: p.url(nil)}).DialContext(t.Context(), "tcp", echoServer(t))
	says(t, conn, err)
}

// TestProxyOverTLS: an https proxy's own certificate counts, not the server's.
func TestProxyOverTLS(t *testing.T) {
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	p := startProxy(t, &tls.Config{Certificates: lender.TLS.Certificates}, wantsBasic("u", "secret"))
	cfg := Config{Proxy: p.url(url.UserPassword("u", "secret"))}
	_, err := New(cfg).DialContext(t.Context(), "tcp", "127.0.0.1:1")
	if got := failed(t, err); got != "proxy-unreachable" {
		t.Error(got, err)
	}
	cfg.TLS = lender.Client().Transport.(*http.Transport).TLSClientConfig
	conn, err := New(cfg).DialContext(t.Context(), "tcp", echoServer(t))
	says(t, conn, err)
}

// TestBasic: the password goes out when it was asked for, on the same
// connection, and then with every request.
func TestBasic(t *testing.T) {
	p, echo := startProxy(t, nil, wantsBasic("u", "secret")), echoServer(t)
	d := New(Config{Proxy: p.url(url.UserPassword("u", "secret"))})
	for range 3 {
		conn, err := d.DialContext(t.Context(), "tcp", echo)
		says(t, conn, err)
	}
	if requests, logins, connections := p.count(); requests != 4 || logins != 3 || connections != 3 {
		t.Errorf("%d requests, %d with a login, on %d connections", requests, logins, connections)
	}
}

func TestDigest(t *testing.T) {
	for _, algorithm := range []string{"MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"} {
		t.Run(algorithm, func(t *testing.T) {
			f := &fakeDigest{algorithm: algorithm, user: "u", password: "secret", uses: map[string]bool{}}
			p, echo := startProxy(t, nil, f.check), echoServer(t)
			d := New(Config{Proxy: p.url(url.UserPassword("u", "secret"))})
			dial := func() {
				conn, err := d.DialContext(t.Context(), "tcp", echo)
				says(t, conn, err)
			}
			dial()
			dial() // with the same nonce
			if requests, logins, _ := p.count(); requests != 3 || logins != 2 {
				t.Errorf("%d requests, %d with a login", requests, logins)
			}
			f.renew()
			dial() // the nonce is stale, and the proxy says so
			f.hush()
			f.renew()
			dial() // it does not say so
			if requests, logins, _ := p.count(); requests != 7 || logins != 6 {
				t.Errorf("%d requests, %d with a login", requests, logins)
			}
		})
	}
}

// TestWrongPasswordIsOneTry: however many connections are wanted, now and later.
func TestWrongPasswordIsOneTry(t *testing.T) {
	digest := &fakeDigest{algorithm: "SHA-256", user: "u", password: "other", uses: map[string]bool{}}
	for name, check := range map[string]func(*http.Request) (int, http.Header){
		"basic": wantsBasic("u", "other"), "digest": digest.check,
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, nil, check)
			var log bytes.Buffer
			d := New(Config{
				Proxy: p.url(url.UserPassword("u", "secret")),
				Log:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			var tasks sync.WaitGroup
			for range 10 {
				tasks.Go(func() {
					for range 3 {
						_, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:1")
						if got := failed(t, err); got != "proxy-auth-wrong" {
							t.Error(got, err)
						}
					}
				})
			}
			tasks.Wait()
			if _, logins, _ := p.count(); logins != 1 {
				t.Errorf("%d tries", logins)
			}
			if strings.Contains(log.String(), "secret") || log.Len() == 0 {
				t.Errorf("the log has %q", log.String())
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	with := func(status int, header http.Header) func(*http.Request) (int, http.Header) {
		return func(*http.Request) (int, http.Header) { return status, header }
	}
	login := url.UserPassword("u", "secret")
	cases := []struct {
		name, to string
		user     *url.Userinfo
		check    func(*http.Request) (int, http.Header)
		want     string
	}{
		{"no password", "192.0.2.1:443", nil, wantsBasic("u", "secret"), "proxy-auth-required"},
		{"only what we do not have", "192.0.2.1:443", login, with(407, http.Header{"Proxy-Authenticate": {"Negotiate", "NTLM"}}), "proxy-auth-unsupported"},
		{"nothing to log in with", "192.0.2.1:443", login, with(407, http.Header{}), "proxy-auth-unsupported"},
		{"another port than 443", "192.0.2.1:8080", login, with(403, http.Header{}), "proxy-443-only"},
		{"port 443", "192.0.2.1:443", login, with(403, http.Header{}), "proxy-forbidden"},
		{"no CONNECT at all", "192.0.2.1:443", login, with(405, http.Header{}), "proxy-forbidden"},
		{"the server is not there", "127.0.0.1:1", login, openProxy, "proxy-failed"},
		{"a header without end", "192.0.2.1:443", login, with(200, http.Header{"X": {strings.Repeat("x", 1<<20)}}), "proxy-failed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := startProxy(t, nil, c.check)
			_, err := New(Config{Proxy: p.url(c.user)}).DialContext(t.Context(), "tcp", c.to)
			if got := failed(t, err); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, err)
			}
		})
	}
}

func TestNoProxyThere(t *testing.T) {
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("u", "secret"), Host: "127.0.0.1:1"}
	_, err := New(Config{Proxy: proxy}).DialContext(t.Context(), "tcp", "192.0.2.1:443")
	if got := failed(t, err); got != "proxy-unreachable" || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Error(got, err)
	}
}

// TestMuteProxy: one that takes the connection and says nothing, or slowly too much.
func TestMuteProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := New(Config{Proxy: &url.URL{Scheme: "http", Host: l.Addr().String()}, StepTime: 100 * time.Millisecond})
	_, err = d.DialContext(t.Context(), "tcp", "192.0.2.1:443")
	if got := failed(t, err); got != "proxy-failed" {
		t.Error(got, err)
	}
	d = New(Config{Proxy: &url.URL{Scheme: "http", Host: l.Addr().String()}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err = d.DialContext(ctx, "tcp", "192.0.2.1:443"); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
