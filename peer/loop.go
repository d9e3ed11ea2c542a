package peer

import (
	"context"
	"sync"
	"time"
)

// maxEvents is how many events may wait for the loop. A carrier that delivers
// faster than the loop works waits, which is the back-pressure of its path.
const maxEvents = 256

// minSleep bounds how often timers can wake the loop: a step that is never
// content must not eat a small board's only core.
const minSleep = 200 * time.Microsecond

// firstBuffer is what a packet's buffer begins with, in bytes; it grows with
// the packets that come and is used again.
const firstBuffer = 2 << 10

// event is a packet that came, or something to do in the loop.
type event struct {
	from *leg // of packet
	data *[]byte
	do   func()
}

// loop is the one goroutine that owns a Host's or Conn's state.
type loop struct {
	events  chan event
	kicked  chan struct{} // somebody wants step to be called
	stopped chan struct{} // closed when run has returned
	born    time.Time
	buffers sync.Pool // of *[]byte
}

func newLoop() *loop {
	return &loop{
		events:  make(chan event, maxEvents),
		kicked:  make(chan struct{}, 1),
		stopped: make(chan struct{}),
		born:    time.Now(),
		buffers: sync.Pool{New: func() any { b := make([]byte, 0, firstBuffer); return &b }},
	}
}

// now is the time since the loop was made, on the monotonic clock.
func (l *loop) now() time.Duration { return time.Since(l.born) }

// post has do called in the loop. It waits while the loop is behind and gives
// up when it has ended. The loop itself must not call it.
func (l *loop) post(do func()) {
	select {
	case l.events <- event{do: do}:
	case <-l.stopped:
	}
}

// ask has do called in the loop and waits until it was. False: the loop or
// ctx has ended before, and do may be under way.
func (l *loop) ask(ctx context.Context, do func()) bool {
	done := make(chan struct{})
	select {
	case l.events <- event{do: func() { do(); close(done) }}:
	case <-l.stopped:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-done:
		return true
	case <-l.stopped:
		return false
	case <-ctx.Done():
		return false
	}
}

// kick has step called soon. It never waits.
func (l *loop) kick() {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

// receiver returns what a carrier calls with each packet of that leg.
func (l *loop) receiver(from *leg) func(packet []byte) {
	return func(packet []byte) {
		data := l.buffers.Get().(*[]byte)
		*data = append((*data)[:0], packet...)
		select {
		case l.events <- event{from: from, data: data}:
		case <-l.stopped:
		}
	}
}

// run calls handle for each packet, does what was posted, and calls step
// after each burst of events, after a kick, and when the time it returned has
// come.
func (l *loop) run(ctx context.Context, handle func(from *leg, packet []byte), step func(now time.Duration) (wake time.Duration)) {
	defer close(l.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-l.kicked:
		case e := <-l.events:
			l.take(e, handle)
			for range len(l.events) {
				l.take(<-l.events, handle)
			}
		}
		now := l.now()
		timer.Reset(max(step(now)-now, minSleep))
	}
}

func (l *loop) take(e event, handle func(from *leg, packet []byte)) {
	if e.do != nil {
		e.do()
		return
	}
	handle(e.from, *e.data)
	l.buffers.Put(e.data)
}

// micros is a wall clock reading as it stands on the wire.
func micros(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }
