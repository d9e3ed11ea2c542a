package web

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/telepath-iot/telepath/peer/ladder"
)

// TestHTTP2Killed: something agrees on HTTP/2 and cuts the connection then.
func TestHTTP2Killed(t *testing.T) {
	for _, rung := range bothRungs {
		var killed atomic.Int32
		l := listen(t, kind{rung: rung})
		box := httptest.NewUnstartedServer(l.mux())
		box.Config.ErrorLog = log.New(io.Discard, "", 0)
		box.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
		box.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
			"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) { killed.Add(1); c.Close() },
		}
		box.StartTLS()
		trusted := box.Client().Transport.(*http.Transport).TLSClientConfig
		var http1 atomic.Bool
		for range 2 {
			c, err := Dial(t.Context(), DialConfig{Rung: rung, URL: box.URL + "/v1/link", TLS: trusted, HTTP1: &http1})
			if err != nil {
				t.Fatalf("%v: %v", rung, err)
			}
			if proto := <-l.versions; proto != "HTTP/1.1" || killed.Load() != 1 || !http1.Load() {
				t.Errorf("%v: the link is made of %s, after %d tries of HTTP/2 in all, want 1", rung, proto, killed.Load())
			}
			end(c)
			end(<-l.opened)
		}
		box.Close()
	}
}

// TestHTTP2NotSuspected: a connection that was cut over HTTP/1.1 is no reason to do without HTTP/2.
func TestHTTP2NotSuspected(t *testing.T) {
	var http1 atomic.Bool
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked++
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	trusted := server.Client().Transport.(*http.Transport).TLSClientConfig
	_, err := Dial(t.Context(), DialConfig{Rung: ladder.Poll, URL: server.URL + "/v1/link", TLS: trusted, HTTP1: &http1})
	if err == nil || asked != 1 || http1.Load() {
		t.Errorf("it was tried %d times, and HTTP/2 is blamed: %t; %v", asked, http1.Load(), err)
	}
}

// TestHTTP1NotSuspected: where there is no TLS there is no HTTP/2 to blame.
func TestHTTP1NotSuspected(t *testing.T) {
	asked := 0
	dialTo(t, ladder.SSE, func(http.ResponseWriter, *http.Request) {
		asked++
		panic(http.ErrAbortHandler)
	})
	if asked != 1 {
		t.Errorf("it was tried %d times", asked)
	}
}
