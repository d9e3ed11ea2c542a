package peer

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// runKeeper keeps an earlier run of one Event stream.
type runKeeper struct {
	stream StreamConfig
	epoch  uint32
	bodies [][]byte // batches of one sample each, from the first on
}

func newRunKeeper(stream StreamConfig, epoch uint32, batches, size int) *runKeeper {
	k := &runKeeper{stream: stream, epoch: epoch}
	for i := range uint64(batches) {
		h := wire.Header{Class: wire.Event, Stream: 1, Epoch: epoch, Seq: i + 1, Count: 1}
		k.bodies = append(k.bodies, append(wire.AppendHeader(nil, h), value(epoch, i+1, size)...))
	}
	return k
}

func (k *runKeeper) Keep(StreamConfig, wire.Header, []byte) error { return nil }

func (k *runKeeper) Read(after map[string]wire.Position, _ time.Duration) Past {
	p, wanted := after[k.stream.Name]
	switch {
	case !wanted || p.Epoch != k.epoch:
		return &runPast{keeper: k, next: len(k.bodies)}
	default:
		return &runPast{keeper: k, next: int(p.Seq)}
	}
}

type runPast struct {
	keeper *runKeeper
	next   int
}

func (p *runPast) Next() (Kept, error) {
	if p.next >= len(p.keeper.bodies) {
		return Kept{}, io.EOF
	}
	p.next++
	return Kept{Stream: p.keeper.stream, Epoch: p.keeper.epoch, Number: 1, Body: p.keeper.bodies[p.next-1]}, nil
}

func (p *runPast) Settled() bool                  { return true }
func (p *runPast) Ends() map[string]wire.Position { return nil }
func (p *runPast) Close()                         {}

// ledger is what came of each run of a stream, which has to come in order.
type ledger struct {
	t    *testing.T
	mu   sync.Mutex
	last map[uint32]uint64 // by epoch
	gaps []wire.Gap
}

func (l *ledger) events() Events {
	return Events{Batch: l.batch, Gap: func(_ *signal.Stream, g wire.Gap) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.gaps = append(l.gaps, g)
	}}
}

func (l *ledger) batch(r Received) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Retained {
		return
	}
	if r.Header.Seq != l.last[r.Header.Epoch]+1 {
		l.t.Errorf("%x:%d came behind %d", r.Header.Epoch, r.Header.Seq, l.last[r.Header.Epoch])
	}
	l.last[r.Header.Epoch] = r.Header.Seq
}

// TestTheRestComesBeforeTheNewRun: of an earlier run 50 KB are kept, and as much as its ring holds of the new one. The viewer wants
// the earlier run first, and drops what comes of the new one before: that must not have the narrow link for itself.
func TestTheRestComesBeforeTheNewRun(t *testing.T) {
	for name, ring := range map[string]struct{ batches, size int }{
		"60 kB":  {600, 90},
		"250 kB": {250, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { restFirst(t, ring.batches, ring.size) })
		})
	}
}

func restFirst(t *testing.T, batches, size int) {
	const earlier, kept = 77, 500
	w := newWorld(t, peertest.Config{})
	w.relay.Narrow(true, narrowRate)
	var s *Stream
	w.before = func(d *device) {
		s = w.declareEvent(d.host, 0)
		d.host.cfg.Keeper, d.host.keeps = newRunKeeper(s.cfg, earlier, kept, 90), true
	}
	w.boot(time.Hour)
	for range batches {
		_ = s.Publish(1, make([]byte, size))
	}
	time.Sleep(time.Second)
	l := &ledger{t: t, last: map[uint32]uint64{}}
	w.watch(func(c *ViewConfig) {
		c.NoDirect, c.Want, c.From, c.Events = true, []string{s.cfg.Name}, signal.FormatPosition(earlier, 0), l.events()
	})
	took := w.await(25*time.Second, "all of the earlier run", func() bool { return l.upTo(earlier) == kept })
	next := w.await(time.Minute, "all of the new one", func() bool { return l.upTo(s.epoch) == uint64(batches) })
	t.Logf("the earlier run came within %v, the new one within another %v", took, next)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.gaps) != 1 || l.gaps[0].From != kept+1 || l.gaps[0].Epoch != earlier {
		t.Errorf("gaps %+v, want the end of the earlier run alone", l.gaps)
	}
}

// upTo is the last sample of a run that came.
func (l *ledger) upTo(epoch uint32) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[epoch]
}
