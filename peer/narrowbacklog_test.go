package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// allKeeper keeps all of this run, in memory.
type allKeeper struct {
	mu   sync.Mutex
	kept []Kept
}

func (k *allKeeper) Keep(s StreamConfig, h wire.Header, body []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, Kept{Stream: s, Epoch: h.Epoch, Number: h.Stream, Body: body})
	return nil
}

func (k *allKeeper) Read(after map[string]wire.Position, _ time.Duration) Past {
	return &allPast{keeper: k, after: after}
}

type allPast struct {
	keeper *allKeeper
	after  map[string]wire.Position
	next   int
}

func (p *allPast) Next() (Kept, error) {
	p.keeper.mu.Lock()
	defer p.keeper.mu.Unlock()
	for p.next < len(p.keeper.kept) {
		k := p.keeper.kept[p.next]
		p.next++
		h, _, err := wire.ParseData(k.Body)
		if behind, wanted := p.after[k.Stream.Name]; err != nil || wanted && h.Seq > behind.Seq {
			return k, err
		}
	}
	return Kept{}, io.EOF
}

func (p *allPast) Settled() bool                  { return true }
func (p *allPast) Ends() map[string]wire.Position { return nil }
func (p *allPast) Close()                         {}

// TestABacklogKeepsNoOtherStreamWaiting: a stream has outlasted its ring while the viewer was away, and takes half a minute to be
// fetched from the spool. Events of another one come meanwhile, behind what is in flight.
func TestABacklogKeepsNoOtherStreamWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, peertest.Config{})
		w.relay.Narrow(true, 64_000)
		var busy, alarm *Stream
		w.before = func(d *device) {
			d.host.cfg.Keeper, d.host.keeps = &allKeeper{}, true
			busy, alarm = w.declare(d.host, "busy", wire.Event), w.declare(d.host, "alarm", wire.Event)
		}
		w.boot(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		var publishing sync.WaitGroup
		publishing.Go(func() { publishBusy(ctx, busy, alarm) })
		defer func() { cancel(); publishing.Wait() }()
		time.Sleep(time.Second)
		l, ages := &ledger{t: t, last: map[uint32]uint64{}}, &eventAges{}
		v := w.watch(func(c *ViewConfig) {
			c.NoDirect, c.Want, c.Since, c.Events = true, []string{"busy", "alarm"}, time.Hour, l.events()
			c.Events.Batch = func(r Received) {
				if r.Stream.Name == "alarm" {
					ages.batch(r)
				} else {
					l.batch(r)
				}
			}
		})
		time.Sleep(5 * time.Second)
		v.away(90 * time.Second)
		had := l.upTo(busy.epoch)
		w.await(time.Minute, "the backlog", func() bool { return l.upTo(busy.epoch) > had })
		time.Sleep(20 * time.Second)
		before, _ := ages.told()
		time.Sleep(5 * time.Second)
		came, oldest := ages.told()
		t.Logf("20 s after the viewer is back, %d of the other stream come in 5 s, up to %v old", came-before, oldest)
		if came-before < 3 || oldest > 10*time.Second {
			t.Errorf("of the other stream %d came in 5 s, up to %v old", came-before, oldest)
		}
		w.await(time.Minute, "all of it", func() bool { return l.upTo(busy.epoch)+2 >= busy.head() })
		if len(l.gaps) > 0 {
			t.Errorf("gaps %+v", l.gaps)
		}
	})
}

// publishBusy publishes 20 kB/s of one Event stream and the time on the other one, once a second, until ctx ends.
func publishBusy(ctx context.Context, busy, alarm *Stream) {
	for i := 0; ctx.Err() == nil; i++ {
		time.Sleep(50 * time.Millisecond)
		_ = busy.Publish(1, make([]byte, 1000))
		if i%20 == 0 {
			_ = alarm.Publish(1, binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano())))
		}
	}
}

// away takes the network from a viewer for so long.
func (n *node) away(long time.Duration) {
	dead := func(is bool) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dead = is
	}
	dead(true)
	n.medium().Break(errors.New("away"))
	time.Sleep(long)
	dead(false)
}

// TestTheSpoolBringsWhatTheRingHasNot, and no more: what a ring holds of a stream comes from there. On a narrow link it would take
// as long once more, with all that is live behind it.
func TestTheSpoolBringsWhatTheRingHasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, before, during = 1000, 10, 1500 // of which the ring holds 1 MiB
		w := newWorld(t, peertest.Config{})
		w.relay.Narrow(true, 64_000)
		var s *Stream
		w.before = func(d *device) {
			s = w.declareEvent(d.host, 0)
			d.host.cfg.Keeper, d.host.keeps = &allKeeper{}, true
		}
		w.boot(time.Hour)
		time.Sleep(time.Second)
		l := &ledger{t: t, last: map[uint32]uint64{}}
		var chunks atomic.Int64 // of three
		v := w.watch(func(c *ViewConfig) {
			c.NoDirect, c.Want, c.Since, c.Events = true, []string{s.cfg.Name}, time.Hour, l.events()
			c.Events.Chunk = func() { chunks.Add(1) }
		})
		publish := func(n int) {
			for range n {
				_ = s.Publish(1, make([]byte, size))
				time.Sleep(time.Millisecond)
			}
		}
		publish(before)
		w.await(time.Minute, "what was made before", func() bool { return l.upTo(s.epoch) == before })
		time.Sleep(time.Second) // it has asked for what was before it, and knows that there is no more
		var publishing sync.WaitGroup
		publishing.Go(func() { publish(during) })
		v.away(3 * time.Second)
		publishing.Wait()
		w.await(10*time.Minute, "all", func() bool { return l.upTo(s.epoch) == s.head() })
		time.Sleep(10 * time.Second)
		n := chunks.Load()
		t.Logf("of %d batches some %d came from the spool", s.head(), 3*n)
		if 3*n < during/4 || 3*n > during/2 || len(l.gaps) > 0 {
			t.Errorf("some %d came from the spool, gaps %+v", 3*n, l.gaps)
		}
	})
}
