package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/carriertest"
	"github.com/telepath-iot/telepath/peer/ladder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// end ends a link without a word, because nobody listens any more.
func end(c *Carrier) {
	c.life.Stop(errors.New("the test is over"))
	_ = c.Run(context.Background(), func([]byte) {}) // it says what we told it
}

// kind is a way to make links: a rung, a version of HTTP, a family of addresses.
type kind struct {
	rung  ladder.Rung
	http2 bool
	ipv6  bool
}

func (k kind) String() string {
	name := k.rung.String() + " over HTTP/1.1"
	if k.http2 {
		name = k.rung.String() + " over HTTP/2"
	}
	if k.ipv6 {
		name += " and IPv6"
	}
	return name
}

var kinds = []kind{
	{ladder.SSE, false, false}, {ladder.SSE, true, true}, {ladder.Poll, false, true}, {ladder.Poll, true, false},
}

func TestContractSSE(t *testing.T) { contract(t, ladder.SSE) }

func TestContractPoll(t *testing.T) { contract(t, ladder.Poll) }

func contract(t *testing.T, rung ladder.Rung) {
	for _, k := range kinds {
		if k.rung != rung {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			carriertest.Run(t, carriertest.Harness{Codes: true, Connect: func(t *testing.T) (a, b carrier.Carrier) {
				return listen(t, k).connect(t)
			}})
		})
	}
	t.Run(rung.String()+", from the server", func(t *testing.T) {
		carriertest.Run(t, carriertest.Harness{Codes: true, Connect: func(t *testing.T) (a, b carrier.Carrier) {
			client, server := listen(t, kind{rung: rung}).connect(t)
			return server, client
		}})
	})
}

// listener is a server that hands over every link that is opened.
type listener struct {
	*Server
	kind     kind
	http     *httptest.Server
	opened   chan *Carrier
	versions chan string // of HTTP, of opening requests
}

func listen(t testing.TB, k kind) *listener { return listenWith(t, k, Config{}) }

func listenWith(t testing.TB, k kind, cfg Config) *listener {
	l := &listener{kind: k, opened: make(chan *Carrier, 64), versions: make(chan string, 64)}
	l.Server = NewServer(ServerConfig{
		Config: cfg,
		Open: func(_ http.ResponseWriter, r *http.Request) func(*Carrier) {
			l.versions <- r.Proto
			return func(c *Carrier) {
				l.opened <- c
				<-c.life.Over()
			}
		},
		Refuse: func(w http.ResponseWriter, _ *http.Request, no *carrier.Refused) { writeRefusal(w, no) },
	})
	l.http = httptest.NewUnstartedServer(l.mux())
	l.http.Config.ErrorLog = log.New(testLog{t}, "", 0)
	l.serve(t)
	t.Cleanup(l.http.Close)
	return l
}

func (l *listener) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/link/sse", l.ServeStream)
	mux.HandleFunc("POST /v1/link/poll", l.ServePoll)
	mux.HandleFunc("POST /v1/link/up", l.ServeUp)
	return mux
}

func (l *listener) serve(t testing.TB) {
	if l.kind.ipv6 {
		v6, err := net.Listen("tcp6", "[::1]:0")
		if err != nil {
			t.Fatal(err)
		}
		l.http.Listener.Close()
		l.http.Listener = v6
	}
	l.http.EnableHTTP2 = l.kind.http2
	if l.kind.http2 {
		l.http.StartTLS()
	} else {
		l.http.Start()
	}
}

// testLog drops what an http.Server complains of: cut connections, rightly.
type testLog struct{ testing.TB }

func (testLog) Write(b []byte) (int, error) { return len(b), nil }

func writeRefusal(w http.ResponseWriter, no *carrier.Refused) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(no.Status)
	w.Write([]byte(`{"code":"` + no.Code.Name + `","reason":"` + no.Reason + `","remedy":"` + no.Remedy + `"}`))
}

func (l *listener) url() string { return l.http.URL + "/v1/link" }

func (l *listener) trust() *tls.Config {
	if t, ok := l.http.Client().Transport.(*http.Transport); ok {
		return t.TLSClientConfig
	}
	return nil
}

// connect opens a link and returns its two ends.
func (l *listener) connect(t testing.TB) (client, server *Carrier) {
	t.Helper()
	client = l.dial(t, DialConfig{})
	if proto, want := <-l.versions, map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[l.kind.http2]; proto != want {
		t.Fatalf("the link is made of %s, want %s", proto, want)
	}
	return client, <-l.opened
}

func (l *listener) dial(t testing.TB, cfg DialConfig) *Carrier {
	t.Helper()
	cfg.Rung, cfg.URL, cfg.TLS = l.kind.rung, l.url(), l.trust()
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
