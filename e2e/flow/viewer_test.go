package flow

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

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
	within = slack.Of(within)
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

func (v *viewer) onRung(r ladder.Rung) func() bool { return v.onRungName(r.String()) }

// onRungName takes none for no path, too.
func (v *viewer) onRungName(name string) func() bool {
	return func() bool { return len(v.paths) > 0 && v.paths[len(v.paths)-1] == name }
}
