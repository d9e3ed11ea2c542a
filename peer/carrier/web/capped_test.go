package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// capped is a network that lets no body through that is longer than it likes:
// requests are answered with 413, answers break off.
type capped struct {
	http.RoundTripper
	request, answer int64
}

// RoundTrip implements http.RoundTripper.
func (c *capped) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength > c.request {
		return &http.Response{StatusCode: 413, Status: "413 Too Large", Body: http.NoBody}, nil
	}
	answer, err := c.RoundTripper.RoundTrip(r)
	if err == nil && answer.ContentLength > c.answer {
		answer.Body = &half{answer.Body, c.answer}
	}
	return answer, err
}

// TestBodiesThatAreCapped: everything comes, in smaller packets.
func TestBodiesThatAreCapped(t *testing.T) {
	const frames = 500
	l := listen(t, kind{rung: ladder.Poll})
	own := newTransport(DialConfig{})
	defer own.close()
	var told atomic.Int64
	client := l.dial(t, DialConfig{Transport: &capped{own, 2000, 3000}, OnCapped: func(bytes int) { told.Store(int64(bytes)) }})
	server := <-l.opened
	for n := range frames { // so that the first packets are large
		client.Send(event(n, 100))
		server.Send(event(n, 100))
	}
	fromClient, fromServer := runEnd(t, client), runEnd(t, server)
	expectEvents(t, fromServer, frames)
	expectEvents(t, fromClient, frames)
	if bytes := told.Load(); bytes < minPacket || bytes > 2000 {
		t.Errorf("bodies are said to be capped at %d", bytes)
	}
	for _, c := range []*Carrier{client, server} {
		if s := c.Stats(); s.Drops.Total() > 0 {
			t.Errorf("drops: %v", s.Drops)
		}
	}
}

// TestCappedBeyondHelp: a frame that cannot be made smaller does not get through.
func TestCappedBeyondHelp(t *testing.T) {
	for name, network := range map[string]*capped{"request": {nil, 2000, 1 << 20}, "answer": {nil, 1 << 20, 2000}} {
		l := listen(t, kind{rung: ladder.Poll})
		own := newTransport(DialConfig{})
		defer own.close()
		network.RoundTripper = own
		client := l.dial(t, DialConfig{Transport: network})
		server := <-l.opened
		client.Send(event(0, 5000))
		server.Send(event(0, 5000))
		runEnd(t, server)
		err := client.Run(t.Context(), func([]byte) {})
		var failure *carrier.Failure
		if !errors.As(err, &failure) || failure.Name != "body-capped" {
			t.Errorf("%s: %v", name, err)
		}
		end(server)
	}
}

// TestRefusalsEndLinks: what the server says to a request of a link is the
// server's end of the link.
func TestRefusalsEndLinks(t *testing.T) {
	for _, rung := range bothRungs {
		l := listen(t, kind{rung: rung})
		own := newTransport(DialConfig{})
		defer own.close()
		client := l.dial(t, DialConfig{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, pathUp) {
				r.Header.Set(headerSeq, strconv.Itoa(maxAhead+1))
			}
			return own.RoundTrip(r)
		})})
		server := <-l.opened
		runEnd(t, server)
		client.Send(event(0, 10))
		err := client.Run(t.Context(), func([]byte) {})
		var closed *carrier.CloseError
		if !errors.As(err, &closed) || closed.Code.Name != "malformed" || !closed.Remote {
			t.Errorf("%v: %v", rung, err)
		}
		end(server)
	}
}
