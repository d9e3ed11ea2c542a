// Package flow tests server, device and viewer together in one process, over
// real sockets on loopback.
package flow

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a running server.
type world struct {
	t    *testing.T
	dir  string
	addr string
	stop func()
	via  *cable // of devices; nil: they dial the server itself
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
	addr := w.addr
	if w.via != nil && role == "device" {
		addr = w.via.addr()
	}
	e := peer.Endpoint{URL: "http://" + addr, Token: w.token(role)}
	if w.via != nil { // a cable is for TCP: data channels to the server would go past it
		e.Only = []ladder.Rung{ladder.UDP, ladder.WS, ladder.SSE, ladder.Poll}
	}
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
