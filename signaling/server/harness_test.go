package server

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/carrier/web"
	"github.com/telepath-iot/telepath/peer/carrier/ws"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is no time that is measured.
const patience = 10 * time.Second

// running is a server under test.
type running struct {
	*Server
	dir  string
	url  string
	stop func() // waits
}

func start(t *testing.T, cfg Config, before ...func(*Server)) *running {
	t.Helper()
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	cfg.Listen = "127.0.0.1:0"
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, prepare := range before {
		prepare(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r := &running{Server: s, dir: cfg.Data, url: s.scheme() + "://" + s.Addr().String()}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	t.Cleanup(r.stop)
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatal(err)
	}
	return r
}

func (r *running) token(t *testing.T, role auth.Role) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "tokens", string(role)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// link is a raw client that speaks the protocol frame by frame.
type link struct {
	t    *testing.T
	c    carrier.Carrier
	in   chan frame
	quit func()        // nobody reads in any more
	left chan struct{} // closed by quit
	over chan struct{}
	err  error // after over

	reading sync.Mutex   // held: nothing is read
	read    atomic.Int64 // bytes
}

type frame struct {
	wire.Frame
	at time.Time
}

func (r *running) dial(t *testing.T, role auth.Role, header http.Header) *link {
	t.Helper()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Authorization", "Bearer "+r.token(t, role))
	return runLink(t, r.open(t, ladder.WS, header))
}

// trusting trusts the server's certificate, if it has one.
func (r *running) trusting() *tls.Config {
	if r.tls == nil {
		return nil
	}
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(r.certs.Shown("").Certificate().Certificate[0])
	if err == nil {
		pool.AddCert(leaf)
	}
	return &tls.Config{RootCAs: pool}
}

// open makes the carrier of a link.
func (r *running) open(t *testing.T, rung ladder.Rung, header http.Header) (c carrier.Carrier) {
	t.Helper()
	url, err := r.url+"/v1/link", error(nil)
	switch rung {
	case ladder.RelayUDP, ladder.RelayTCP:
		c, err = rtc.Dial(t.Context(), rtc.DialConfig{
			URL: url, Header: header, TLS: r.trusting(), Config: rtc.Config{IncludeLoopback: true, NoUDP: rung == ladder.RelayTCP},
			NoTCP: rung == ladder.RelayUDP,
		})
	case ladder.WS:
		c, err = ws.Dial(t.Context(), ws.DialConfig{URL: url, Header: header, TLS: r.trusting()})
	default:
		c, err = web.Dial(t.Context(), web.DialConfig{Rung: rung, URL: url, Header: header, TLS: r.trusting()})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func runLink(t *testing.T, c carrier.Carrier) *link {
	l := &link{t: t, c: c, in: make(chan frame, 4096), left: make(chan struct{}), over: make(chan struct{})}
	l.quit = sync.OnceFunc(func() { close(l.left) })
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(l.over)
		l.err = c.Run(ctx, l.receive)
	}()
	t.Cleanup(func() {
		l.quit()
		cancel()
		<-l.over
	})
	return l
}

func (l *link) receive(packet []byte) {
	l.reading.Lock()
	l.read.Add(int64(len(packet)))
	l.reading.Unlock()
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			l.t.Errorf("the server sent a broken packet: %v", err)
			return
		}
		packet = rest
		if f.Hop.Conn == 0 && (f.Type == wire.TypeProbe || isMarkAnswer(f)) {
			l.acknowledge(f)
			continue
		}
		f.Body = append([]byte(nil), f.Body...)
		select {
		case l.in <- frame{f, time.Now()}:
		case <-l.left:
		}
	}
}

// pause stops reading until it goes on.
func (l *link) pause() (goOn func()) {
	l.reading.Lock()
	goOn = sync.OnceFunc(l.reading.Unlock)
	l.t.Cleanup(goOn)
	return goOn
}

// isMarkAnswer tells answers to marks, which are the carrier's business, from
// those to the test's own probes.
func isMarkAnswer(f wire.Frame) bool {
	e, err := wire.ParseEcho(f.Body)
	return f.Type == wire.TypeEcho && err == nil && e.ID >= carrier.FirstMark
}

// acknowledge answers marks, but no keep alives.
func (l *link) acknowledge(f wire.Frame) {
	if p, err := wire.ParseProbe(f.Body); f.Type == wire.TypeProbe && err == nil && p.ID >= carrier.FirstMark {
		l.c.Send(carrier.Frame{Bytes: wire.AppendEcho(nil, wire.Hop{}, wire.Echo{Probe: p}), Control: true})
	}
}

// cut ends the connection without a word.
func (l *link) cut() {
	l.quit()
	l.c.Close(wire.CodeByName("internal"), "cut")
	<-l.over
}

func (l *link) signal(conn uint64, m signal.Message) {
	l.t.Helper()
	body, err := m.Append(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.raw(wire.TypeSignal, wire.Hop{Conn: conn}, body)
}

func (l *link) raw(t wire.Type, hop wire.Hop, body []byte) {
	l.c.Send(carrier.Frame{Class: wire.Signal, Bytes: wire.AppendFrame(nil, t, hop, body)})
}

// next waits for the first frame that fits.
func (l *link) next(what string, fits func(frame) bool) frame {
	l.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case f := <-l.in:
			if fits(f) {
				return f
			}
		case <-l.over:
			select { // what came before the end still counts
			case f := <-l.in:
				if fits(f) {
					return f
				}
				continue
			default:
			}
			l.t.Fatalf("waiting for %s: the link is over: %v", what, l.err)
		case <-timeout:
			l.t.Fatalf("waiting for %s: nothing came", what)
		}
	}
}

func (l *link) nextSignal(kind string) (signal.Message, frame) {
	l.t.Helper()
	var m signal.Message
	f := l.next(kind, func(f frame) bool {
		if f.Type != wire.TypeSignal {
			return false
		}
		var err error
		if m, err = signal.Parse(f.Body); err != nil {
			l.t.Fatal(err)
		}
		return m.Type == kind
	})
	return m, f
}

func (l *link) nextData() (wire.Header, string, frame) {
	l.t.Helper()
	f := l.next("data", func(f frame) bool { return f.Type == wire.TypeData })
	h, payload, err := wire.ParseData(f.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return h, string(payload), f
}

// ended waits for the end of the link and returns its code.
func (l *link) ended() string {
	l.t.Helper()
	select {
	case <-l.over:
	case <-time.After(patience):
		l.t.Fatal("the link goes on")
	}
	if closed, ok := l.err.(*carrier.CloseError); ok {
		return closed.Code.Name
	}
	return fmt.Sprint(l.err)
}

// testDevice is a device by hand.
type testDevice struct {
	*link
	key     ed25519.PrivateKey
	id      string
	session uint64
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

type helloOption func(*signal.Message)

func (r *running) hello(t *testing.T, key ed25519.PrivateKey, name string, options ...helloOption) *link {
	t.Helper()
	return r.dial(t, auth.Device, nil).hello(key, name, options...)
}

func (l *link) hello(key ed25519.PrivateKey, name string, options ...helloOption) *link {
	l.t.Helper()
	challenge, _ := l.nextSignal(signal.Challenge)
	m := signal.Message{
		Type: signal.Hello, Key: signal.Bytes(key.Public().(ed25519.PublicKey)), Name: name,
		Sig: ed25519.Sign(key, signal.HelloBytes(challenge.Nonce, name)), Facts: map[string]string{"os": "test"},
		KeepAliveMS: 60_000, // these devices keep nothing alive by themselves
	}
	for _, o := range options {
		o(&m)
	}
	l.signal(0, m)
	return l
}

// device joins with the streams cpu (1, live) and log (2, event).
func (r *running) device(t *testing.T, key ed25519.PrivateKey, name string, options ...helloOption) *testDevice {
	t.Helper()
	return r.hello(t, key, name, options...).joined(key)
}

// joined is the device whose hello was accepted.
func (l *link) joined(key ed25519.PrivateKey) *testDevice {
	l.t.Helper()
	welcome, _ := l.nextSignal(signal.Welcome)
	d := &testDevice{link: l, key: key, session: welcome.Session}
	if err := json.Unmarshal(welcome.Device, &d.id); err != nil {
		l.t.Fatal(err)
	}
	d.describe()
	// Its echo says that the server has read the description, too.
	d.raw(wire.TypeProbe, wire.Hop{}, []byte{1, 0, 0})
	d.next("echo", func(f frame) bool { return f.Type == wire.TypeEcho })
	return d
}

func (d *testDevice) describe() {
	d.signal(0, signal.Message{Type: signal.Describe, Epoch: "00000007", Streams: []signal.Stream{
		{ID: 1, Name: "cpu", Class: "live", Meta: json.RawMessage(`{"kind":"number"}`)},
		{ID: 2, Name: "log", Class: "event", Meta: json.RawMessage(`{"kind":"text"}`)},
	}})
}

func data(stream uint32, seq uint64, payload string) []byte {
	class := wire.Live
	if stream == 2 {
		class = wire.Event
	}
	return append(wire.AppendHeader(nil, wire.Header{Class: class, Stream: stream, Epoch: 7, Seq: seq, Count: 1}), payload...)
}

func (d *testDevice) publish(hop wire.Hop, stream uint32, seq uint64, payload string) {
	class := wire.Event // keeps its order behind other events, and is not dropped
	if hop.Store {
		class = wire.Signal
	}
	d.c.Send(carrier.Frame{Class: class, Bytes: wire.AppendFrame(nil, wire.TypeData, hop, data(stream, seq, payload))})
}

// accept takes the next open and routes streams to it.
func (d *testDevice) accept(streams ...uint32) (conn uint64, open signal.Message) {
	d.t.Helper()
	open, f := d.nextSignal(signal.Open)
	d.signal(f.Hop.Conn, signal.Message{Type: signal.Accept, ID: open.ID, Epoch: "00000007"})
	d.signal(f.Hop.Conn, signal.Message{Type: signal.Route, On: true, Routed: streams})
	return f.Hop.Conn, open
}

func quoted(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return b
}

func openSignal(device string) signal.Message {
	return signal.Message{Type: signal.Open, Device: quoted(device), ID: uuid.NewString()}
}

// viewer enters and opens a device as conn 1.
func (r *running) viewer(t *testing.T, device string) *link {
	t.Helper()
	v := r.dial(t, auth.Viewer, nil)
	v.nextSignal(signal.Welcome)
	v.signal(1, openSignal(device))
	return v
}

func presenceOf(t *testing.T, m signal.Message) (d signal.Device) {
	t.Helper()
	if err := json.Unmarshal(m.Device, &d); err != nil {
		t.Fatal(err)
	}
	return d
}
