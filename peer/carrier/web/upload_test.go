package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// stalling is a network on which some requests with packets come when they are let go.
type stalling struct {
	http.RoundTripper
	stalls func(seq string, before int) bool

	mu   sync.Mutex
	seen map[string]int // requests, by number
	now  int            // that stall
	let  chan struct{}
}

func newStalling(over http.RoundTripper, stalls func(seq string, before int) bool) *stalling {
	return &stalling{RoundTripper: over, stalls: stalls, seen: make(map[string]int), let: make(chan struct{})}
}

// RoundTrip implements http.RoundTripper.
func (s *stalling) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, pathUp) {
		return s.RoundTripper.RoundTrip(r)
	}
	seq := r.Header.Get(headerSeq)
	s.mu.Lock()
	stalls := s.stalls(seq, s.seen[seq])
	s.seen[seq]++
	s.mu.Unlock()
	if stalls {
		s.count(1)
		defer s.count(-1)
		select {
		case <-s.let:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

func (s *stalling) count(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += change
}

func (s *stalling) stalled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stalling) await(t *testing.T, count int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); s.stalled() != count; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d requests are under way, want %d", s.stalled(), count)
		}
	}
	time.Sleep(20 * time.Millisecond)
	if n := s.stalled(); n != count {
		t.Fatalf("then %d requests are under way, want %d", n, count)
	}
}

// over opens a link over a network that stalls.
func over(t *testing.T, stalls func(seq string, before int) bool) (client *Carrier, in <-chan string, network *stalling) {
	l := listen(t, kind{rung: ladder.Poll})
	own := newTransport(DialConfig{})
	t.Cleanup(own.close)
	network = newStalling(own, stalls)
	client = l.dial(t, DialConfig{Transport: network})
	in = runEnd(t, <-l.opened)
	runEnd(t, client)
	return client, in, network
}

// TestSeveralAtATime: so many packets are under way, and what they bring comes in its order.
func TestSeveralAtATime(t *testing.T) {
	client, in, network := over(t, func(string, int) bool { return true })
	for n := range 20 {
		client.Send(event(n, 10))
		network.await(t, min(n+1, mostUps))
	}
	close(network.let)
	expectEvents(t, in, 20)
}

// TestSignalsGoAlone: nothing is under way with one.
func TestSignalsGoAlone(t *testing.T) {
	client, in, network := over(t, func(seq string, _ int) bool { return seq == "1" || seq == "3" })
	client.Send(event(0, 10))
	network.await(t, 1)
	client.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, []byte(`{"type":"x"}`))})
	client.Send(event(1, 10))
	network.await(t, 1)
	if len(in) > 0 {
		t.Errorf("%q came", <-in)
	}
	close(network.let) // also for what came too late for the signal's packet, and goes behind it
	expectEvents(t, in, 2)
}

// TestOverdueIsSentAgain: a request that hangs holds nothing up, is not cut, and its packet is taken once.
func TestOverdueIsSentAgain(t *testing.T) {
	client, in, network := over(t, func(seq string, before int) bool { return len(seq) > 2 && before == 0 })
	for n := range 102 { // from the hundredth on the first request of each packet hangs: until then enough is saved up
		client.Send(event(n, 10))
		began := time.Now()
		if got := <-in; !strings.HasPrefix(got, fmt.Sprintf("event %d ", n)) || time.Since(began) > 5*time.Second {
			t.Fatalf("after %v %q came instead of %d", time.Since(began), got, n)
		}
	}
	network.await(t, 3)
	close(network.let)
	network.await(t, 0)
	client.Send(event(102, 10))
	if got := <-in; !strings.HasPrefix(got, "event 102 ") {
		t.Errorf("then %q came", got)
	}
}
