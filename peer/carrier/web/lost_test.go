package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// faulty is a network that loses POST requests and their answers, never the
// same one more often than a client has patience for.
type faulty struct {
	http.RoundTripper
	mu    sync.Mutex
	rand  *rand.Rand
	row   map[string]int // losses in a row, by path and number
	count int            // losses in all; guarded by mu, as rand and row
}

var errCut = errors.New("the test cuts")

// RoundTrip implements http.RoundTripper.
func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	fault := f.fault(r)
	if fault == "request" {
		return nil, errCut
	}
	answer, err := f.RoundTripper.RoundTrip(r)
	if err != nil || fault == "" {
		return answer, err
	}
	if fault == "half" && answer.ContentLength > 1 {
		answer.Body = &half{answer.Body, answer.ContentLength / 2}
		return answer, nil
	}
	answer.Body.Close()
	return nil, errCut
}

func (f *faulty) fault(r *http.Request) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	request := r.URL.Path + " " + r.Header.Get(headerSeq)
	if r.Method != http.MethodPost || f.row[request] == maxRepeats || f.rand.IntN(3) > 0 {
		f.row[request] = 0
		return ""
	}
	f.row[request]++
	f.count++
	return []string{"request", "answer", "half"}[f.rand.IntN(3)]
}

func (f *faulty) losses() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// half is a body that breaks off.
type half struct {
	io.ReadCloser
	left int64
}

func (h *half) Read(b []byte) (int, error) {
	if h.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := h.ReadCloser.Read(b[:min(int64(len(b)), h.left)])
	h.left -= int64(n)
	return n, err
}

// TestNothingIsLostOrRepeated: on a network that loses every third request or
// answer, everything comes, once and in order, both ways.
func TestNothingIsLostOrRepeated(t *testing.T) {
	const frames = 2000
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			l := listen(t, k)
			own := newTransport(DialConfig{TLS: l.trust()})
			defer own.close()
			network := &faulty{RoundTripper: own, rand: rand.New(rand.NewPCG(1, uint64(k.rung))), row: map[string]int{"/v1/link/poll 1": maxRepeats}}
			client := l.dial(t, DialConfig{Transport: network})
			server := <-l.opened
			fromClient, fromServer := runEnd(t, client), runEnd(t, server)
			go sendEvents(client, frames)
			go sendEvents(server, frames)
			expectEvents(t, fromServer, frames)
			expectEvents(t, fromClient, frames)
			if lost := network.losses(); lost < 5 {
				t.Errorf("only %d losses", lost)
			}
			for _, c := range []*Carrier{client, server} {
				if drops := c.Stats().Drops; drops.Total() > 0 {
					t.Errorf("drops: %v", drops)
				}
			}
		})
	}
}

// runEnd runs c until the test ends; it yields what c receives.
func runEnd(t *testing.T, c *Carrier) <-chan string {
	in := make(chan string, 1<<16)
	over := make(chan struct{})
	go func() {
		defer close(over)
		c.Run(t.Context(), func(packet []byte) {
			for len(packet) > 0 {
				f, rest, err := wire.NextFrame(packet)
				if err != nil {
					t.Errorf("a broken packet: %v", err)
					return
				}
				switch f.Type {
				case wire.TypeData:
					in <- string(f.Body)
				case wire.TypeProbe: // a mark
					probe, _ := wire.ParseProbe(f.Body)
					c.Send(carrier.Frame{Bytes: wire.AppendEcho(nil, f.Hop, wire.Echo{Probe: probe}), Control: true})
				}
				packet = rest
			}
		})
	}()
	t.Cleanup(func() { <-over })
	return in
}

func event(n, size int) carrier.Frame {
	body := append(fmt.Appendf(nil, "event %d ", n), bytes.Repeat([]byte("."), size)...)
	return carrier.Frame{Class: wire.Event, Stream: 1, Bytes: wire.AppendFrame(nil, wire.TypeData, wire.Hop{}, body)}
}

// sendEvents sends as fast as there is room.
func sendEvents(c *Carrier, count int) {
	for n := range count {
		for f := event(n, 100); !c.Send(f); time.Sleep(time.Millisecond) {
			if c.life.Ends() {
				return
			}
		}
	}
}

func expectEvents(t *testing.T, in <-chan string, count int) {
	t.Helper()
	for n := range count {
		select {
		case got := <-in:
			if want := fmt.Sprintf("event %d .", n); len(got) < len(want) || got[:len(want)] != want {
				t.Fatalf("the %d. is %.20q", n, got)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("event %d does not come", n)
		}
	}
}

// TestGivesUp: what is lost again and again is no accident.
func TestGivesUp(t *testing.T) {
	for _, path := range []string{pathUp, pathPoll} {
		l := listen(t, kind{rung: ladder.Poll})
		own := newTransport(DialConfig{})
		defer own.close()
		asked := 0
		client := l.dial(t, DialConfig{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/v1/link"+path && r.Header.Get(headerSeq) == map[string]string{pathUp: "1", pathPoll: "2"}[path] {
				asked++
				return nil, errCut
			}
			return own.RoundTrip(r)
		})})
		server := <-l.opened
		client.Send(event(1, 10))
		err := client.Run(t.Context(), func([]byte) {})
		var failure *carrier.Failure
		if !errors.As(err, &failure) || failure.Name != "cut" || !errors.Is(err, errCut) || asked != 1+maxRepeats {
			t.Errorf("%s: after %d requests: %v", path, asked, err)
		}
		end(server)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
