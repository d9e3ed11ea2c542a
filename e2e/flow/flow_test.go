// Package flow tests server, device and viewer together in one process, over
// real sockets on loopback.
package flow

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/server"
)

// world is a running server.
type world struct {
	t    *testing.T
	dir  string
	addr string
	stop func()
}

func start(t *testing.T, dir, listen string) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := server.New(server.Config{Listen: listen, Data: dir})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	w := &world{t: t, dir: dir, addr: s.Addr().String(), stop: sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error("server:", err)
		}
	})}
	t.Cleanup(w.stop)
	return w
}

func (w *world) token(role string) string {
	b, err := os.ReadFile(filepath.Join(w.dir, "tokens", role))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func (w *world) endpoint(role string) peer.Endpoint {
	e := peer.Endpoint{URL: "http://" + w.addr, Token: w.token(role)}
	if testing.Verbose() {
		e.Log = slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("end", role)
	}
	return e
}

// loopback lets the two ends of a test meet on 127.0.0.1.
var loopback = rtc.Config{IncludeLoopback: true}

// device makes a Host, with the same key for the same seed.
func (w *world) device(name string, seed byte) (h *peer.Host, linked <-chan bool) {
	w.t.Helper()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune('a'+seed)), ed25519.SeedSize)))
	up := make(chan bool, 1)
	h, err := peer.NewHost(peer.HostConfig{
		Endpoint: w.endpoint("device"), Key: key, Name: name, RTC: loopback,
		OnState: func(s peer.HostState) {
			if s.Linked {
				select {
				case up <- true:
				default:
				}
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return h, up
}

// run starts the Host and waits until it is linked; stop ends it and returns Run's error.
func (w *world) run(h *peer.Host, linked <-chan bool) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	var once sync.Once
	var result error
	stop = func() error {
		once.Do(func() { cancel(); result = <-done })
		return result
	}
	w.t.Cleanup(func() { _ = stop() })
	select {
	case <-linked:
	case <-time.After(5 * time.Second):
		w.t.Fatal("the device is not linked after 5 s")
	}
	return stop
}

// viewer collects what a Conn delivers.
type viewer struct {
	conn *peer.Conn
	stop func() error

	mu       sync.Mutex
	seqs     map[string][]uint64
	values   map[string][]uint64
	retained map[string]int
	gaps     []string
	paths    []string
	changed  chan struct{}
}

func (w *world) view(cfg peer.ViewConfig) *viewer {
	w.t.Helper()
	v := &viewer{seqs: map[string][]uint64{}, values: map[string][]uint64{}, retained: map[string]int{}, changed: make(chan struct{}, 1)}
	if cfg.Endpoint.URL == "" {
		cfg.Endpoint = w.endpoint("viewer")
	}
	cfg.RTC = loopback
	cfg.Events = peer.Events{
		Batch: func(r peer.Received) {
			v.note(func() {
				if r.Retained {
					v.retained[r.Stream.Name]++
					return
				}
				for i := r.Skip; i < r.Skip+r.Take; i++ {
					v.seqs[r.Stream.Name] = append(v.seqs[r.Stream.Name], r.Header.Seq+uint64(i))
					v.values[r.Stream.Name] = append(v.values[r.Stream.Name], binary.BigEndian.Uint64(r.Payload[8*i:]))
				}
			})
		},
		Gap: func(s *signal.Stream, g wire.Gap) {
			v.note(func() { v.gaps = append(v.gaps, fmt.Sprintf("%s %d-%d %v", s.Name, g.From, g.To, g.Reason)) })
		},
		Path: func(p peer.Path) {
			v.note(func() {
				name := "none"
				if p.OK {
					name = p.Rung.String()
				}
				v.paths = append(v.paths, name)
			})
		},
	}
	c, err := peer.Dial(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	v.conn = c
	v.stop = sync.OnceValue(func() error { cancel(); return <-done })
	w.t.Cleanup(func() { _ = v.stop() })
	return v
}

func (v *viewer) note(do func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	do()
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// locked calls do while nothing is added.
func (v *viewer) locked(do func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	do()
}

// until waits for a condition, which is called with the lock held.
func (v *viewer) until(t *testing.T, what string, within time.Duration, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	for {
		v.mu.Lock()
		ok := cond()
		v.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-v.changed:
		case <-deadline:
			v.mu.Lock()
			defer v.mu.Unlock()
			t.Fatalf("not within %v: %s; paths %v, gaps %v, received %v, retained %v", within, what, v.paths, v.gaps, counts(v.seqs), v.retained)
		}
	}
}

func counts(m map[string][]uint64) map[string]int {
	n := map[string]int{}
	for k, v := range m {
		n[k] = len(v)
	}
	return n
}

func (v *viewer) onRung(r ladder.Rung) func() bool {
	return func() bool { return len(v.paths) > 0 && v.paths[len(v.paths)-1] == r.String() }
}

// ticker publishes consecutive numbers until stopped, and returns how many.
func ticker(s *peer.Stream, every time.Duration) (stop func() uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	var n uint64
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				n++
				_ = s.Publish(1, binary.BigEndian.AppendUint64(nil, n))
			}
		}
	}()
	return func() uint64 { cancel(); <-done; return n }
}

func consecutive(t *testing.T, name string, seqs, values []uint64) {
	t.Helper()
	for i, seq := range seqs {
		if i > 0 && seq != seqs[i-1]+1 {
			t.Fatalf("%s: %d follows %d", name, seq, seqs[i-1])
		}
		if values[i] != seq {
			t.Fatalf("%s: sample %d has value %d", name, seq, values[i])
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func declare(t *testing.T, h *peer.Host, name string, class wire.Class) *peer.Stream {
	t.Helper()
	s, err := h.Declare(peer.StreamConfig{Name: name, Class: class})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRelayThenDirect(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	h, linked := w.device("bench", 1)
	live, event := declare(t, h, "live", wire.Live), declare(t, h, "event", wire.Event)
	w.run(h, linked)
	stopLive, stopEvent := ticker(live, 10*time.Millisecond), ticker(event, 10*time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	v := w.view(peer.ViewConfig{Device: "bench", From: "start"})
	v.until(t, "samples", 5*time.Second, func() bool { return len(v.seqs["live"]) > 5 && len(v.seqs["event"]) > 5 })
	v.until(t, "direct", 10*time.Second, v.onRung(ladder.UDP))
	v.locked(func() {
		if first := slices.IndexFunc(v.paths, func(p string) bool { return p != "none" }); v.paths[first] != "ws" {
			t.Errorf("began on %v, want the relay", v.paths)
		}
	})
	time.Sleep(2 * time.Second)
	stopLive()
	n := stopEvent()
	v.until(t, "all events", 5*time.Second, func() bool { return uint64(len(v.seqs["event"])) == n })
	v.locked(func() {
		consecutive(t, "event", v.seqs["event"], v.values["event"])
		if v.seqs["event"][0] != 1 || len(v.gaps) > 0 {
			t.Errorf("events begin with %d, gaps %v", v.seqs["event"][0], v.gaps)
		}
	})
}

func TestServerRestart(t *testing.T) {
	for _, direct := range []bool{true, false} {
		t.Run(fmt.Sprintf("direct=%v", direct), func(t *testing.T) {
			dir, addr := t.TempDir(), freePort(t)
			w := start(t, dir, addr)
			h, linked := w.device("bench", 1)
			event := declare(t, h, "event", wire.Event)
			w.run(h, linked)
			stop := ticker(event, 10*time.Millisecond)
			v := w.view(peer.ViewConfig{Device: "bench", From: "start", NoDirect: !direct})
			want := ladder.WS
			if direct {
				want = ladder.UDP
			}
			v.until(t, "path", 15*time.Second, v.onRung(want))
			w.stop()
			time.Sleep(time.Second)
			w2 := start(t, dir, addr)
			_ = w2
			time.Sleep(500 * time.Millisecond)
			n := stop()
			v.until(t, "all events", 20*time.Second, func() bool { return uint64(len(v.seqs["event"])) >= n })
			v.locked(func() {
				consecutive(t, "event", v.seqs["event"], v.values["event"])
				if len(v.gaps) > 0 {
					t.Errorf("gaps %v", v.gaps)
				}
			})
		})
	}
}

func TestDeviceRestartIsAGap(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	h, linked := w.device("bench", 1)
	event := declare(t, h, "event", wire.Event)
	stop := w.run(h, linked)
	v := w.view(peer.ViewConfig{Device: "bench", From: "start"})
	tick := ticker(event, 10*time.Millisecond)
	v.until(t, "samples", 5*time.Second, func() bool { return len(v.seqs["event"]) > 20 })
	tick()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h2, linked2 := w.device("bench", 1)
	event2 := declare(t, h2, "event", wire.Event)
	w.run(h2, linked2)
	before := 0
	v.locked(func() { before = len(v.seqs["event"]) })
	stop2 := ticker(event2, 10*time.Millisecond)
	v.until(t, "samples of the second run", 5*time.Second, func() bool { return len(v.seqs["event"]) > before+20 })
	stop2()
	v.locked(func() {
		consecutive(t, "second run", v.seqs["event"][before:], v.values["event"][before:])
		if len(v.gaps) > 0 { // it said goodbye and everything was acknowledged
			t.Errorf("gaps %v", v.gaps)
		}
	})
}

func TestRetainedAndWill(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	h, linked := w.device("bench", 1)
	live, will := declare(t, h, "live", wire.Live), declare(t, h, "status", wire.Event)
	h.SetWill(will, binary.BigEndian.AppendUint64(nil, 99))
	stop := w.run(h, linked)
	_ = live.Publish(1, binary.BigEndian.AppendUint64(nil, 7))
	time.Sleep(1500 * time.Millisecond)
	v := w.view(peer.ViewConfig{Device: "bench"})
	v.until(t, "retained", 2*time.Second, func() bool { return v.retained["live"] == 1 })
	_ = stop() // with bye: no will
	time.Sleep(300 * time.Millisecond)
	v.locked(func() {
		if v.retained["status"] != 0 {
			t.Error("a will was published after a bye")
		}
	})
}

func TestUnknownDeviceIsRefused(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	c, err := peer.Dial(peer.ViewConfig{Endpoint: w.endpoint("viewer"), Device: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var refused *peer.RefusedError
	if err := c.Run(ctx); !errors.As(err, &refused) || refused.Code != "unknown-device" {
		t.Fatalf("got %v", err)
	}
}

func TestWrongTokenIsFinal(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	e := w.endpoint("viewer")
	e.Token = "wrong"
	c, err := peer.Dial(peer.ViewConfig{Endpoint: e, Device: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	var refused *peer.RefusedError
	if err := c.Run(t.Context()); !errors.As(err, &refused) || refused.Code != "unauthorized" {
		t.Fatalf("got %v", err)
	}
}
