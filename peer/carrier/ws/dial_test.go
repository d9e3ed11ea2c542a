package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer dials a server that answers like this.
func answer(t *testing.T, handler http.HandlerFunc) error {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	_, err := Dial(context.Background(), DialConfig{URL: server.URL})
	if err == nil {
		t.Fatal("a link was opened")
	}
	return err
}

func TestRefusal(t *testing.T) {
	err := answer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		w.Write([]byte(`{"code":"unauthorized","reason":"the token is unknown","remedy":"copy tokens/device from the server"}`))
	})
	var refused *carrier.Refused
	if !errors.As(err, &refused) {
		t.Fatalf("not typed: %v", err)
	}
	if refused.Status != 401 || refused.Code.Name != "unauthorized" || refused.Reason != "the token is unknown" ||
		refused.Remedy != "copy tokens/device from the server" {
		t.Errorf("got %+v", refused)
	}
}

func TestAnswersHaveNames(t *testing.T) {
	foreign := func(status int, header http.Header, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for name := range header {
				w.Header().Set(name, header.Get(name))
			}
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	cases := []struct {
		name    string
		handler http.HandlerFunc
		failure string
		words   string
	}{
		{"another server", http.NotFound, "not-telepath", "something other than a telepath server answers (the answer is 404 Not Found): check the URL"},
		{"a redirect", http.RedirectHandler("https://elsewhere.example/v1/link", http.StatusFound).ServeHTTP, "not-telepath", "to https://elsewhere.example/v1/link: use that URL"},
		{"another subprotocol", func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				c.CloseNow()
			}
		}, "not-telepath", "but not telepath.v1"},
		{"a server that got it stripped", foreign(426, nil, `{"code":"no-upgrade","reason":"r","remedy":"m"}`), "upgrade-refused", "docs/reverse-proxy.md"},
		{"a proxy that has none", foreign(426, nil, "no"), "upgrade-refused", "426"},
		{"an answer that was changed", foreign(101, http.Header{"Connection": {"close"}}, ""), "upgrade-refused", "in other words"},
		{"no answer", func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		}, "cut", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := answer(t, c.handler)
			var f *carrier.Failure
			if !errors.As(err, &f) || f.Name != c.failure || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestUnansweredUpgrade: something takes the request and says nothing.
func TestUnansweredUpgrade(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = Dial(ctx, DialConfig{URL: "ws://" + l.Addr().String()})
	var f *carrier.Failure
	if !errors.As(err, &f) || f.Name != "upgrade-stalled" {
		t.Errorf("got %v", err)
	}
}

// TestUnreachableSaysWhatToDo: what a person sees of a server that is not there, or not what its URL says.
func TestUnreachableSaysWhatToDo(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for url, want := range map[string]string{
		gone.URL: "nothing listens at the server's address",
		strings.Replace(plain.URL, "http:", "https:", 1): "use http:// in the URL",
		secure.URL: "give the authority with --tls-ca, or the certificate's pin with --tls-pin",
		strings.Replace(secure.URL, "https:", "http:", 1): "check the URL",
		"http://no-such-host.invalid":                     "the server's name has no known address",
	} {
		_, err := Dial(t.Context(), DialConfig{URL: url})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "handshake request") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestDialSendsHeadersAndSubprotocol(t *testing.T) {
	asked := make(chan *http.Request, 1)
	answer(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		http.Error(w, "", http.StatusTeapot)
	})
	if got := (<-asked).Header.Get("Sec-WebSocket-Protocol"); got != Subprotocol {
		t.Errorf("subprotocol %q", got)
	}
	server, accepted := listen(t, (*httptest.Server).Start)
	a := dial(t, DialConfig{URL: strings.Replace(server.URL, "http:", "ws:", 1), Header: http.Header{"Authorization": {"Bearer x"}}})
	b := <-accepted
	if got := a.LocalAddr().String(); !strings.HasPrefix(b.RemoteAddr(), got+":") {
		t.Errorf("from %s, and the server says from %s", got, b.RemoteAddr())
	}
	a.raw.Close()
	b.raw.Close()
}

func TestDialTrustsNobodyByItself(t *testing.T) {
	server, _ := listen(t, func(s *httptest.Server) {
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of us, rightly
		s.StartTLS()
	})
	_, err := Dial(context.Background(), DialConfig{URL: server.URL})
	var unknown *tls.CertificateVerificationError
	if !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}

func TestAcceptInsistsOnTheSubprotocol(t *testing.T) {
	refused := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := Accept(w, r, Config{})
		refused <- err
	}))
	defer server.Close()
	conn, _, err := websocket.Dial(context.Background(), server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := <-refused; err == nil || !strings.Contains(err.Error(), "subprotocol") {
		t.Errorf("accepted: %v", err)
	}
}
