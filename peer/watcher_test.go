package peer

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// watcher is a viewer with the ledger that checks what it is told.
type watcher struct {
	node
	world *world
	conn  *Conn

	mu        sync.Mutex
	next      map[uint32]uint64 // by epoch: the Event sample to come; 0: the epoch is over
	fresh     map[liveKey]bool
	gaps      []wire.Gap
	paths     []Path
	lastLive  time.Time
	silence   time.Duration // the longest without a Live sample
	lastRung  string
	lastEvent time.Time
}

type liveKey struct {
	epoch uint32
	seq   uint64
}

// watch starts a viewer, with what change changes.
func (w *world) watch(change func(*ViewConfig)) *watcher { return w.watchWith(change, nil, nil) }

// watchWith: before is called before it starts. All may be nil.
func (w *world) watchWith(change func(*ViewConfig), direct newDirect, before func(*watcher)) *watcher {
	w.t.Helper()
	v := &watcher{world: w, next: map[uint32]uint64{}, fresh: map[liveKey]bool{}}
	cfg := ViewConfig{
		Endpoint: Endpoint{URL: "http://relay"}, Device: "bench", From: "start",
		Events: Events{Batch: v.batch, Gap: v.gap, Path: v.path},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := Dial(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	v.conn = c
	c.link.dial, c.attempts.direct = v.dialer(w.relay, false), w.director(&v.node)
	c.link.lift.dial, c.link.road.ahead.dial = nil, nil
	if direct != nil {
		c.attempts.direct = direct
	}
	if before != nil {
		before(v)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			w.t.Error("Conn.Run:", err)
		}
	})
	v.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(v.stop)
	return v
}

func (v *watcher) path(p Path) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.paths = append(v.paths, p)
}

func (v *watcher) batch(r Received) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.Retained {
		return
	}
	epoch, n := binary.BigEndian.Uint32(r.Payload), binary.BigEndian.Uint64(r.Payload[4:])
	if epoch != r.Header.Epoch || n != r.Header.Seq || r.Take != 1 {
		v.world.t.Errorf("sample %x:%d says it is %x:%d", r.Header.Epoch, r.Header.Seq, epoch, n)
	}
	if r.Header.Class == wire.Live {
		v.freshSample(r, liveKey{epoch, n})
		return
	}
	v.lastEvent = time.Now()
	want, known := v.next[epoch]
	if !known {
		want = 1
	}
	if n != want {
		v.world.t.Errorf("Event %x:%d, want %d", epoch, n, want)
	}
	v.next[epoch] = n + 1
}

func (v *watcher) freshSample(r Received, key liveKey) {
	if v.fresh[key] {
		v.world.t.Errorf("Live %x:%d twice", key.epoch, key.seq)
	}
	v.fresh[key] = true
	if !v.lastLive.IsZero() {
		v.silence = max(v.silence, time.Since(v.lastLive))
	}
	v.lastLive, v.lastRung = time.Now(), r.Rung.String()
}

func (v *watcher) gap(_ *signal.Stream, g wire.Gap) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gaps = append(v.gaps, g)
	if g.Reason == wire.GapRing && time.Since(v.lastEvent) < v.world.ringTime() {
		v.world.t.Errorf("gap %+v, though the ring has it", g)
	}
	if want := v.next[g.Epoch]; g.From != max(want, 1) {
		v.world.t.Errorf("gap %+v, want it to begin with %d", g, want)
	}
	v.next[g.Epoch] = g.To + 1
	if g.To == 0 {
		v.next[g.Epoch] = 0
	}
}

// ringTime is for how long at least a ring holds what the device publishes,
// at most every 40 ms.
func (w *world) ringTime() time.Duration {
	return min(50*time.Second, time.Duration(1<<20/(w.size+100))*36*time.Millisecond)
}

// rung is the path in use as Events.Path told it last.
func (v *watcher) rung() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.paths) == 0 || !v.paths[len(v.paths)-1].OK {
		return "none"
	}
	return v.paths[len(v.paths)-1].Rung.String()
}

// await waits in simulated time.
func (w *world) await(within time.Duration, what string, is func() bool) time.Duration {
	w.t.Helper()
	begin := time.Now()
	for !is() {
		if time.Since(begin) > within {
			w.t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(begin)
}

// settle checks that every viewer has all there is.
func (w *world) settle(viewers ...*watcher) {
	w.t.Helper()
	time.Sleep(75 * time.Second) // the longest back-offs, and the longest resend
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, v := range viewers {
		v.mu.Lock()
		for epoch, last := range w.published {
			next := v.next[epoch]
			running := epoch == w.device.event.epoch
			// Of a run that is over, a viewer has all, was told of the gap, or never heard.
			if running && next+2*uint64(oneWay/time.Millisecond) < last || !running && next != last+1 && next != 0 {
				w.t.Errorf("viewer %d, epoch %x: expects %d of %d; gaps %+v", i, epoch, next, last, v.gaps)
			}
		}
		v.mu.Unlock()
	}
}
