package peer

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// settable is a clock that somebody sets.
type settable struct{ off atomic.Int64 }

func (s *settable) now() time.Time        { return time.Now().Add(time.Duration(s.off.Load())) }
func (s *settable) set(off time.Duration) { s.off.Store(int64(off)) }

// stamped is a stream with batches of four samples every 40 ms. A payload is
// the time of its last sample, on a clock that may be wrong.
func stamped(d *device, clock *settable) (publish func(ctx context.Context)) {
	d.host.cfg.Clock = clock.now
	stream := d.world.declare(d.host, "stamped", wire.Live)
	return func(ctx context.Context) {
		for tick := time.NewTicker(40 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			_ = stream.Publish(4, binary.BigEndian.AppendUint64(nil, uint64(clock.now().UnixMicro())))
		}
	}
}

func stampOf(payload []byte, _ int) (int64, bool) {
	return int64(binary.BigEndian.Uint64(payload)), true
}

// ages is what a viewer makes of such a stream.
type ages struct {
	conn *Conn

	mu      sync.Mutex
	came    int       // samples
	unknown int       // batches whose age nobody knew
	wrong   int       // whose age was wrong by more than the bound
	wrongAt time.Time // when that was last
}

func (a *ages) batch(r Received) {
	if r.Stream.Name != "stamped" || r.Retained {
		return
	}
	offset, bound, known := a.conn.Clock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came += r.Take
	age := r.At.Add(offset).Sub(time.UnixMicro(int64(binary.BigEndian.Uint64(r.Payload))))
	switch want := 2 * oneWay; {
	case !known:
		a.unknown++
	case age < want-bound-time.Millisecond || age > want+bound+time.Millisecond:
		a.wrong++
		a.wrongAt = time.Now()
	}
}

// TestClocksAreSet: whoever's clock is set, by however much, all samples come, and ages are right again within a
// round trip of the first sample that shows it.
func TestClocksAreSet(t *testing.T) {
	const day = 24 * time.Hour
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Sub(time.Unix(5, 0)) // of a bubble
	for name, c := range map[string]struct{ device, viewer []time.Duration }{
		"the device hears the time":       {device: []time.Duration{-epoch, 0}},
		"the device's, a day ahead":       {device: []time.Duration{0, day}},
		"the device's, a day back":        {device: []time.Duration{0, -day}},
		"the device's, three times":       {device: []time.Duration{0, -2 * time.Second, 3 * time.Second, day}},
		"the viewer's, a day ahead":       {viewer: []time.Duration{0, day}},
		"the viewer's, five seconds back": {viewer: []time.Duration{0, -5 * time.Second}},
		"the viewer hears the time":       {viewer: []time.Duration{-epoch, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { clocksAreSet(t, c.device, c.viewer) })
		})
	}
}

func clocksAreSet(t *testing.T, theirOffs, ourOffs []time.Duration) {
	var theirs, ours settable
	for _, c := range []struct {
		clock *settable
		offs  []time.Duration
	}{{&theirs, theirOffs}, {&ours, ourOffs}} {
		if len(c.offs) > 0 {
			c.clock.set(c.offs[0])
		}
	}
	w := newWorld(t, peertest.Config{Delay: oneWay})
	var publish func(context.Context)
	w.before = func(d *device) { publish = stamped(d, &theirs) }
	w.boot(time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	publishing.Go(func() { publish(ctx) })
	defer func() { stop(); publishing.Wait() }()
	time.Sleep(time.Second)
	var a ages
	w.watchWith(func(c *ViewConfig) {
		c.NoDirect, c.Want, c.NewestTime = true, []string{"stamped"}, stampOf
		c.Events = Events{Batch: a.batch}
	}, nil, func(v *watcher) {
		a.conn = v.conn
		v.conn.own.machine = ours.now
	})
	time.Sleep(11*time.Second + 15*time.Millisecond) // no tick falls on it, and no probe soon
	for i := 1; i < max(len(theirOffs), len(ourOffs)); i++ {
		a.mu.Lock()
		came := a.came
		a.unknown, a.wrong, a.wrongAt = 0, 0, time.Time{}
		a.mu.Unlock()
		if i < len(theirOffs) {
			theirs.set(theirOffs[i])
		} else {
			ours.set(ourOffs[i])
		}
		began := time.Now()
		time.Sleep(10 * time.Second)
		a.mu.Lock()
		if n := a.came - came; n != 1000 {
			t.Errorf("%d samples of 1000 came", n)
		}
		// The first sample of after is 40 ms old at most when it leaves, and comes 40 ms later; probe and echo take 80 ms.
		if took := a.wrongAt.Sub(began); a.wrong > 0 && took > 161*time.Millisecond {
			t.Errorf("%d batches had a wrong age, the last one %v after the clock was set", a.wrong, took)
		}
		if a.unknown > 3 || len(ourOffs) > 0 && a.wrong > 0 {
			t.Errorf("the age of %d batches was not known, that of %d wrong", a.unknown, a.wrong)
		}
		a.mu.Unlock()
	}
	if n := a.conn.Stats().Drops["deadline"]; n > 0 {
		t.Errorf("%d samples were dropped as too old", n)
	}
	offset, bound, known := a.conn.Clock()
	if want := time.Duration(theirs.off.Load() - ours.off.Load()); !known || (offset-want).Abs() > bound || bound > 50*time.Millisecond {
		t.Errorf("the device's clock is %v ± %v ahead, %v; it is %v", offset, bound, known, want)
	}
}
