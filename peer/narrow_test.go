package peer

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/session"
)

// narrowRate is what a link of 64 kbit/s carries, in bytes per second.
const narrowRate = 8000

// eventAges is how old Events are when they come.
type eventAges struct {
	mu     sync.Mutex
	came   int
	oldest time.Duration // of those that came since it was asked last
}

func (a *eventAges) batch(r Received) {
	if r.Retained {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came++
	a.oldest = max(a.oldest, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(r.Payload)))))
}

// told is how many came, and how old they were at most since it was asked last.
func (a *eventAges) told() (came int, oldest time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	came, oldest, a.oldest = a.came, a.oldest, 0
	return came, oldest
}

// publishTimes publishes the time, in 120 bytes, on 8 Event streams 4 times a second each, until ctx ends.
func (w *world) publishTimes(ctx context.Context, h *Host) {
	var streams []*Stream
	for i := range 8 {
		streams = append(streams, w.declareEvent(h, i))
	}
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second / 32):
		}
		payload := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
		_ = streams[i%len(streams)].Publish(1, append(payload, make([]byte, 112)...))
	}
}

// TestWhatOnlyWaitsIsNotLost: behind an outage a narrow link has more to carry than it can at once. What waits for it is
// sent once, or the copies would be all that it carries.
func TestWhatOnlyWaitsIsNotLost(t *testing.T) {
	down := func(w *world, _ *watcher) {
		w.relay.Stop()
		time.Sleep(10 * time.Second)
		w.relay.Start()
	}
	cut := func(link *peertest.Medium) { // for less than 4.5 s, or it would be given up
		link.Cut()
		time.Sleep(4 * time.Second)
		link.Heal()
	}
	for name, tc := range map[string]struct {
		device bool // whose link is narrow
		outage func(*world, *watcher)
	}{
		"a device's other link": {true, down},
		"a device's same link":  {true, func(w *world, _ *watcher) { cut(w.device.medium()) }},
		"a viewer's other link": {false, down},
		"a viewer's same link":  {false, func(_ *world, v *watcher) { cut(v.medium()) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { catchesUp(t, tc.device, tc.outage) })
		})
	}
}

// catchesUp: within a minute behind the outage, Events are fresh again, and few came twice.
func catchesUp(t *testing.T, device bool, outage func(*world, *watcher)) {
	w := newWorld(t, peertest.Config{})
	w.relay.Narrow(device, narrowRate)
	d := w.boot(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	publishing.Go(func() { w.publishTimes(ctx, d.host) })
	defer func() { cancel(); publishing.Wait() }()
	time.Sleep(time.Second)
	var ages eventAges
	v := w.watch(func(c *ViewConfig) {
		c.NoDirect, c.Events = true, Events{Batch: ages.batch}
	})
	time.Sleep(20 * time.Second)
	outage(w, v)
	time.Sleep(time.Minute)
	ages.told()
	time.Sleep(10 * time.Second)
	came, oldest := ages.told()
	twice := v.conn.Stats().Drops[string(session.Duplicate)]
	t.Logf("%d came, at most %v old, %d of them twice", came, oldest, twice)
	if oldest > 2*time.Second || came < 8*4*60 {
		t.Errorf("a minute behind the outage %d have come, and they are up to %v old", came, oldest)
	}
	if twice > uint64(came)/5 {
		t.Errorf("%d of %d came twice", twice, came)
	}
}
