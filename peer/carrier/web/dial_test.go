package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

var bothRungs = []ladder.Rung{ladder.SSE, ladder.Poll}

// dialTo dials a server that answers like this.
func dialTo(t *testing.T, rung ladder.Rung, handler http.HandlerFunc) error {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	_, err := Dial(t.Context(), DialConfig{Rung: rung, URL: strings.Replace(server.URL, "http:", "ws:", 1)})
	if err == nil {
		t.Fatal("a link was opened")
	}
	return err
}

func TestRefusal(t *testing.T) {
	for _, rung := range bothRungs {
		err := dialTo(t, rung, func(w http.ResponseWriter, r *http.Request) {
			writeRefusal(w, refused("unauthorized", "the token is unknown", "copy tokens/device from the server"))
		})
		var refused *carrier.Refused
		if !errors.As(err, &refused) {
			t.Fatalf("%v: not typed: %v", rung, err)
		}
		if refused.Status != 401 || refused.Code.Name != "unauthorized" || refused.Reason != "the token is unknown" ||
			refused.Remedy != "copy tokens/device from the server" {
			t.Errorf("%v: got %+v", rung, refused)
		}
	}
}

func TestDialErrorsSayWhatIsThere(t *testing.T) {
	cases := []struct {
		what    string
		handler http.HandlerFunc
		name    string
		detail  string
	}{
		{"another server", http.NotFound, "not-telepath", "404"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>welcome") }, "not-telepath", "200 OK"},
		{"a redirect", http.RedirectHandler("https://elsewhere.example/", http.StatusFound).ServeHTTP, "not-telepath", "to https://elsewhere.example/: use that URL"},
		{"a gateway", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, "not-telepath", "502"},
		{"a proxy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) }, "proxy-auth-required", ""},
		{"nobody any more", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "cut", ""},
	}
	for _, c := range cases {
		for _, rung := range bothRungs {
			err := dialTo(t, rung, c.handler)
			var failure *carrier.Failure
			if !errors.As(err, &failure) || failure.Name != c.name || !strings.Contains(failure.Detail, c.detail) {
				t.Errorf("%s, %v: %v", c.what, rung, err)
			}
		}
	}
}

func TestDialSendsHeadersOnce(t *testing.T) {
	for _, rung := range bothRungs {
		l := listen(t, kind{rung: rung})
		seen := make(chan http.Header, 64)
		own := newTransport(DialConfig{})
		defer own.close()
		client := l.dial(t, DialConfig{Header: http.Header{"Authorization": {"Bearer x"}}, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			seen <- r.Header
			return own.RoundTrip(r)
		})})
		in := runEnd(t, <-l.opened)
		client.Send(event(0, 1))
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); client.Run(ctx, func([]byte) {}) }()
		expectEvents(t, in, 1)
		cancel()
		<-over
		first := <-seen
		if first.Get("Authorization") != "Bearer x" || len(first.Get(HeaderLink)) != 22 {
			t.Errorf("%v: the first request has %v", rung, first)
		}
		for len(seen) > 0 {
			if h := <-seen; h.Get("Authorization") != "" || h.Get(HeaderLink) != first.Get(HeaderLink) {
				t.Errorf("%v: a later request has %v", rung, h)
			}
		}
	}
}

func TestDialKnowsWhereItComesFrom(t *testing.T) {
	for _, k := range kinds {
		l := listen(t, k)
		client := l.dial(t, DialConfig{})
		if from := client.LocalAddr(); !from.IsLoopback() || from.Is4() == k.ipv6 {
			t.Errorf("%v: from %v", k, from)
		}
		end(client)
		end(<-l.opened)
	}
}

// deaf is a server that never answers, or answers with headers alone.
func deafServer(headers bool) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		if headers && r.Method == http.MethodGet {
			body, in := io.Pipe()
			context.AfterFunc(r.Context(), func() { in.CloseWithError(context.Cause(r.Context())) })
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}, Body: body}, nil
		}
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
}

func TestDialToNobodyEnds(t *testing.T) {
	for _, rung := range bothRungs {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := Dial(t.Context(), DialConfig{Rung: rung, URL: "http://x/v1/link", Transport: deafServer(false)})
			var failure *carrier.Failure
			if took := time.Since(began); !errors.As(err, &failure) || took != openTime {
				t.Errorf("%v: after %v: %v", rung, took, err)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := Dial(ctx, DialConfig{Rung: rung, URL: "http://x/v1/link", Transport: deafServer(false)})
			if took := time.Since(began); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v: after %v: %v", rung, took, err)
			}
		})
	}
}

func TestStreamThatIsHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := Dial(t.Context(), DialConfig{Rung: ladder.SSE, URL: "http://x/v1/link", Transport: deafServer(true)})
		if err != nil {
			t.Fatal(err)
		}
		c.Send(event(1, 1)) // goes nowhere, either
		began := time.Now()
		err = c.Run(t.Context(), func([]byte) {})
		var failure *carrier.Failure
		if took := time.Since(began); !errors.As(err, &failure) || failure.Name != "stream-buffered" || took != firstByteTime {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

func TestRequestsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := Dial(t.Context(), DialConfig{Rung: ladder.Poll, URL: "http://x/v1/link", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get(headerSeq) == "1" && strings.HasSuffix(r.URL.Path, pathPoll) {
				return &http.Response{StatusCode: 200, Header: http.Header{headerSeq: {"1"}}, Body: http.NoBody}, nil
			}
			return deafServer(false)(r)
		})})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err = c.Run(t.Context(), func([]byte) {})
		var failure *carrier.Failure
		if took := time.Since(began); !errors.As(err, &failure) || failure.Name != "cut" || took < defaultTimeout || took > defaultTimeout+time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// tripper is a transport that is a function.
type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// TestDialThatFailsWhileItIsGivenUp is a failure, whichever of the two comes first.
func TestDialThatFailsWhileItIsGivenUp(t *testing.T) {
	for range 2000 {
		ctx, cancel := context.WithCancel(t.Context())
		transport := tripper(func(*http.Request) (*http.Response, error) {
			cancel()
			return nil, errors.New("cut")
		})
		if c, err := Dial(ctx, DialConfig{URL: "http://server", Rung: ladder.SSE, Transport: transport}); err == nil {
			t.Fatalf("a link %v without a server", c.Rung())
		}
	}
}
