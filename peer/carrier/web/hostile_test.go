package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// stranger makes the requests of a link by hand.
type stranger struct {
	t    *testing.T
	l    *listener
	id   string
	http *transport
}

func newStranger(t *testing.T, k kind, cfg Config) *stranger {
	own := newTransport(DialConfig{})
	t.Cleanup(own.close)
	return &stranger{t: t, l: listenWith(t, k, cfg), id: newLinkID().String(), http: own}
}

// ask returns status and body; 0 if there was no answer.
func (s *stranger) ask(ctx context.Context, path string, seq uint64, body io.Reader, header ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.l.url()+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set(HeaderLink, s.id)
	setSeq(r.Header, seq)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := s.http.RoundTrip(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if got := answer.Header.Get(headerSeq); answer.StatusCode == 200 && got != strconv.FormatUint(seq, 10) {
		s.t.Errorf("the answer %d says it is %s", seq, got)
	}
	return answer.StatusCode, string(text)
}

func (s *stranger) poll(seq uint64, header ...string) (int, string) {
	s.t.Helper()
	return s.ask(s.t.Context(), pathPoll, seq, nil, header...)
}

func (s *stranger) up(seq uint64, body []byte) (int, string) {
	s.t.Helper()
	return s.ask(s.t.Context(), pathUp, seq, bytes.NewReader(body))
}

// want checks a refusal.
func (s *stranger) want(code string) func(status int, body string) {
	return func(status int, body string) {
		s.t.Helper()
		if status != wire.CodeByName(code).HTTP || !strings.Contains(body, `"`+code+`"`) {
			s.t.Errorf("got %d %.200s, want %s", status, body, code)
		}
	}
}

func TestPollsByNumber(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.want("unknown-link")(s.poll(2))
	if status, body := s.poll(1); status != 200 || body != "" {
		t.Fatalf("the first: %d %q", status, body)
	}
	c := <-s.l.opened
	for n := range 30 {
		c.Send(event(n, 100))
	}
	_, whole := s.poll(2)
	if _, again := s.poll(2); again != whole || len(whole) < 30*100 {
		t.Errorf("answer 2 of %d bytes has %d the second time", len(whole), len(again))
	}
	_, short := s.poll(2, headerMax, "2000")
	if len(short) > 2000 || len(short) < 1000 || !strings.HasPrefix(whole, short) {
		t.Errorf("a shorter answer 2 has %d bytes", len(short))
	}
	if _, again := s.poll(2); again != short {
		t.Errorf("the short answer grows to %d bytes", len(again))
	}
	if _, rest := s.poll(3); short+rest != whole {
		t.Errorf("%d and %d of %d bytes came", len(short), len(rest), len(whole))
	}
	for _, n := range []uint64{1, 2, 5, 1 << 50} {
		s.want("malformed")(s.poll(n))
	}
	s.want("malformed")(s.poll(4, headerMax, "1023"))
	end(c)
}

func TestPollsTakeOver(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.poll(1)
	c := <-s.l.opened
	first := make(chan func(), 1)
	go func() {
		status, body := s.poll(2)
		first <- func() { s.want("taken-over")(status, body) }
	}()
	s.awaitHeld(c)
	s.want("malformed")(s.poll(3)) // 2 has no answer yet, so nobody can have it
	second := make(chan string, 1)
	go func() {
		_, body := s.poll(2)
		second <- body
	}()
	(<-first)()
	c.Send(event(1, 1))
	if body := <-second; !strings.Contains(body, "event 1") {
		t.Errorf("who took over got %q", body)
	}
	end(c)
}

// awaitHeld waits until a request is held.
func (s *stranger) awaitHeld(c *Carrier) {
	p := c.side.(*host).poller
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		held := p.seat != nil && p.asked == 2
		p.mu.Unlock()
		if held {
			return
		}
	}
	s.t.Error("the request is not held")
}

func TestUpsByNumber(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{Timeout: 100 * time.Millisecond})
	s.want("unknown-link")(s.up(1, []byte("x")))
	s.poll(1)
	c := <-s.l.opened
	in := runEnd(t, c)
	s.want("malformed")(s.up(2, event(1, 1).Bytes)) // 1 does not come
	s.want("malformed")(s.up(maxAhead+1, event(1, 1).Bytes))
	s.want("malformed")(s.up(1<<50, event(1, 1).Bytes))
	for n := range uint64(3) {
		for range 2 { // the second time it is not taken
			if status, body := s.up(n+1, event(int(n), 1).Bytes); status != 204 {
				t.Fatalf("%d %s", status, body)
			}
		}
	}
	s.up(1, event(7, 1).Bytes)
	expectEvents(t, in, 3)
	if len(in) > 0 {
		t.Errorf("%q came beside", <-in)
	}
	s.want("malformed")(s.up(0, nil))
	s.want("malformed")(s.ask(t.Context(), pathUp, 4, nil, HeaderLink, "x"))
	end(c)
}

// TestUpsAhead: packets wait for the one before them, but for those that say that they need not.
func TestUpsAhead(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.poll(1)
	c := <-s.l.opened
	in := runEnd(t, c)
	answers := make(chan int, 16)
	post := func(n int, header ...string) {
		status, _ := s.ask(t.Context(), pathUp, uint64(n), bytes.NewReader(event(n, 1).Bytes), header...)
		answers <- status
	}
	answered := func(count int) {
		t.Helper()
		for range count {
			if status := <-answers; status != 204 {
				t.Errorf("got %d", status)
			}
		}
	}
	expect := func(numbers ...int) {
		t.Helper()
		for _, n := range numbers {
			if got, want := <-in, string(event(n, 1).Bytes); !strings.HasSuffix(want, got) {
				t.Errorf("%q came instead of %d", got, n)
			}
		}
		if len(in) > 0 {
			t.Errorf("%q came beside", <-in)
		}
	}
	for range 2 { // the second time it is not taken
		post(3, headerAhead, "1")
		post(maxAhead, headerAhead, "1")
		answered(2)
	}
	expect(3, maxAhead)
	for range 2 {
		go post(2)
		go post(4)
	}
	s.awaitUps(c, 4)
	expect()
	post(1)
	answered(5)
	expect(1, 2, 4)
	s.want("malformed")(s.up(4+maxAhead+1, nil))
	go post(6)
	s.awaitUps(c, 1)
	end(c)
	if status := <-answers; status != wire.CodeByName("unknown-link").HTTP {
		t.Errorf("what waits when the link is over gets %d", status)
	}
}

// awaitUps waits until so many requests bring a packet.
func (s *stranger) awaitUps(c *Carrier, count int32) {
	h := c.side.(*host)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if h.ups.Load() == count {
			return
		}
	}
	s.t.Errorf("%d requests bring a packet, not %d", h.ups.Load(), count)
}

func TestBodiesTooLarge(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.poll(1)
	c := <-s.l.opened
	runEnd(t, c)
	large := make([]byte, wire.MaxPacket+1)
	s.want("too-large")(s.up(1, large))
	s.want("too-large")(s.ask(t.Context(), pathUp, 1, io.MultiReader(bytes.NewReader(large)))) // in chunks, without a length
	if status, body := s.up(1, bytes.Repeat(event(1, 1).Bytes, wire.MaxPacket/len(event(1, 1).Bytes))); status != 204 {
		t.Errorf("after that: %d %s", status, body)
	}
	end(c)
}

// TestSlowBodies: who sends a body byte by byte is not waited for, and the
// link goes on.
func TestSlowBodies(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{Timeout: 200 * time.Millisecond})
	s.poll(1)
	c := <-s.l.opened
	in := runEnd(t, c)
	body, trickle := io.Pipe()
	defer trickle.Close()
	began := time.Now()
	s.ask(t.Context(), pathUp, 1, body)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a body that never ends was waited for %v", took)
	}
	if status, text := s.up(1, event(0, 1).Bytes); status != 204 {
		t.Errorf("then: %d %s", status, text)
	}
	expectEvents(t, in, 1)
	end(c)
}

// TestAnswersHaveNoQuestion: a request for answers has no body; what it announces would be waited for before the first answer.
func TestAnswersHaveNoQuestion(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.want("malformed")(s.ask(t.Context(), pathPoll, 1, strings.NewReader("x")))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.l.url()+pathStream, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(HeaderLink, s.id)
	answer, err := s.http.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("an event stream with a body: %s", answer.Status)
	}
	if len(s.l.opened) > 0 {
		t.Error("a link was opened")
	}
}

func TestTooManyAtOnce(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.poll(1)
	c := <-s.l.opened // nobody runs it: packets wait
	statuses := make(chan int, 2*maxUps)
	ctx, cancel := context.WithCancel(t.Context())
	for range cap(statuses) {
		go func() {
			status, _ := s.ask(ctx, pathUp, 1, strings.NewReader("x"))
			statuses <- status
		}()
	}
	for range maxUps {
		if status := <-statuses; status != 503 {
			t.Errorf("got %d", status)
		}
	}
	cancel()
	for range maxUps {
		<-statuses
	}
	end(c)
}

// TestEarlyPacketsAreBounded: those that wait for one before them have no more than a client needs in memory, which is seen from
// outside, and the one that they wait for finds room.
func TestEarlyPacketsAreBounded(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	s.poll(1)
	c := <-s.l.opened
	in := runEnd(t, c)
	large := bytes.Repeat(event(1, 1000).Bytes, wire.MaxPacket/len(event(1, 1000).Bytes))
	answers := make(chan int, 3)
	post := func(n uint64) {
		status, _ := s.up(n, large)
		answers <- status
	}
	const fit = maxEarly / wire.MaxPacket
	for n := range uint64(fit) {
		go post(n + 2)
		s.awaitHeldBytes(c, (int(n)+1)*len(large))
	}
	s.want("too-many")(s.up(fit+2, large))
	s.awaitHeldBytes(c, fit*len(large))
	if status, body := s.up(1, large); status != 204 {
		t.Errorf("the one that was missing: %d %s", status, body)
	}
	for range fit {
		if status := <-answers; status != 204 {
			t.Errorf("one that waited: %d", status)
		}
	}
	for range (1 + fit) * (len(large) / len(event(1, 1000).Bytes)) {
		<-in
	}
	s.awaitHeldBytes(c, 0)
	end(c)
}

// awaitHeldBytes waits until the link's bodies have so many bytes.
func (s *stranger) awaitHeldBytes(c *Carrier, want int) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if c.Stats().Queued.Bytes == want {
			return
		}
	}
	s.t.Fatalf("the link holds %d bytes, not %d", c.Stats().Queued.Bytes, want)
}

// TestThousandsOfIDs cost nothing while they are nobody's.
func TestThousandsOfIDs(t *testing.T) {
	s := newStranger(t, kind{rung: ladder.Poll}, Config{})
	for range 2000 {
		s.id = newLinkID().String()
		s.want("unknown-link")(s.up(1, []byte("x")))
		s.want("unknown-link")(s.poll(2))
	}
	if n := len(s.l.links); n != 0 {
		t.Errorf("%d links", n)
	}
}

// TestOpenedAgain: the newer link of an id is the link.
func TestOpenedAgain(t *testing.T) {
	l := listen(t, kind{rung: ladder.SSE})
	older, newer := l.dial(t, DialConfig{}), (*Carrier)(nil)
	own := newTransport(DialConfig{})
	defer own.close()
	id := older.side.(*client).id
	runEnd(t, <-l.opened)
	newer = l.dial(t, DialConfig{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		r.Header.Set(HeaderLink, id)
		return own.RoundTrip(r)
	})})
	in := runEnd(t, <-l.opened)
	var closed *carrier.CloseError
	if err := older.Run(t.Context(), func([]byte) {}); !errors.As(err, &closed) || closed.Code.Name != "taken-over" {
		t.Errorf("the older one ended with %v", err)
	}
	runEnd(t, newer)
	newer.Send(event(0, 1))
	expectEvents(t, in, 1)
	end(newer)
}

// TestCutStream: an event stream whose connection is gone is over at once.
func TestCutStream(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		l := listen(t, kind{rung: ladder.SSE, http2: http2})
		own := newTransport(DialConfig{TLS: l.trust()})
		conns := make(chan net.Conn, 8)
		own.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			conns <- conn
			return conn, err
		}
		client := l.dial(t, DialConfig{Transport: own})
		server := <-l.opened
		over := make(chan error, 1)
		go func() { over <- server.Run(context.Background(), func([]byte) {}) }()
		(<-conns).Close()
		began := time.Now()
		var failure *carrier.Failure
		if err := <-over; !errors.As(err, &failure) || failure.Name != "cut" || time.Since(began) > time.Second {
			t.Errorf("HTTP/2 %v: after %v: %v", http2, time.Since(began), err)
		}
		if err := client.Run(t.Context(), func([]byte) {}); !errors.As(err, &failure) || failure.Name != "cut" {
			t.Errorf("HTTP/2 %v: the client says %v", http2, err)
		}
		own.close()
	}
}

// TestStreamWatchdog: a client that reads nothing is given up.
func TestStreamWatchdog(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		l := listenWith(t, kind{rung: ladder.SSE, http2: http2}, Config{Timeout: 200 * time.Millisecond})
		client := l.dial(t, DialConfig{}) // nobody runs it
		server := <-l.opened
		go func() {
			for server.Send(carrier.Frame{Bytes: make([]byte, 10_000), Class: wire.Live}) {
				time.Sleep(time.Millisecond / 4)
			}
		}()
		if err := server.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "took nothing for 200ms") {
			t.Errorf("HTTP/2 %v: %v", http2, err)
		}
		end(client)
	}
}
