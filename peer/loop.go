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

// loop does a Host's or Conn's work, one thing at a time: packets, timers and
// what is posted. Run's goroutine does it, or, while that rests, whoever brings
// the next thing: a fresh sample is spared the wake-up of a goroutine.
type loop struct {
	events  chan event    // taken only while working is held, so that they keep their order
	kicked  chan struct{} // there are events, or somebody wants step to be called
	stopped chan struct{} // closed when run has returned
	born    time.Time
	buffers sync.Pool // of *[]byte

	working sync.Mutex // held by whoever works on the owner's state
	running bool       // guarded by working, as all below
	handle  func(from *leg, packet []byte)
	step    func(now time.Duration) (wake time.Duration)
	timer   *time.Timer   // run's
	wake    time.Duration // when it ends
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
		l.kick()
	case <-l.stopped:
	}
}

// ask has do called in the loop and waits until it was. False: the loop or
// ctx has ended before, and do may be under way.
func (l *loop) ask(ctx context.Context, do func()) bool {
	done := make(chan struct{})
	select {
	case l.events <- event{do: func() { do(); close(done) }}:
		l.kick()
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

// stepNow calls step in the caller's goroutine if the loop rests, else soon.
func (l *loop) stepNow() {
	if !l.try(l.stepped) {
		l.kick()
	}
}

// receiver returns what a carrier calls with each packet of that leg.
func (l *loop) receiver(from *leg) func(packet []byte) {
	return func(packet []byte) {
		if l.try(func() time.Duration { l.handle(from, packet); return l.stepped() }) {
			return
		}
		data := l.buffers.Get().(*[]byte)
		*data = append((*data)[:0], packet...)
		select {
		case l.events <- event{from: from, data: data}:
			l.kick()
		case <-l.stopped:
		}
	}
}

func (l *loop) stepped() (wake time.Duration) { return l.step(l.now()) }

// try calls do in the caller's goroutine, if the loop runs, rests and has
// nothing waiting that came before. What do returns is when step is to be
// called, at the latest.
func (l *loop) try(do func() (wake time.Duration)) bool {
	if !l.working.TryLock() {
		return false
	}
	defer l.working.Unlock()
	if !l.running || len(l.events) > 0 {
		return false
	}
	switch wake := do(); {
	case wake <= l.now():
		l.kick()
	case wake < l.wake:
		l.sleepUntil(wake)
	}
	return true
}

// run calls handle for each packet, does what was posted, and calls step
// after each burst of events, after a kick, and when the time it returned has
// come.
func (l *loop) run(ctx context.Context, handle func(from *leg, packet []byte), step func(now time.Duration) (wake time.Duration)) {
	defer close(l.stopped)
	l.begin(handle, step)
	defer l.end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.timer.C:
		case <-l.kicked:
		}
		l.work()
	}
}

func (l *loop) begin(handle func(from *leg, packet []byte), step func(now time.Duration) (wake time.Duration)) {
	l.working.Lock()
	defer l.working.Unlock()
	l.handle, l.step, l.running = handle, step, true
	l.timer = time.NewTimer(0)
}

// end: nothing is done any more once it has returned.
func (l *loop) end() {
	l.working.Lock()
	defer l.working.Unlock()
	l.running = false
	l.timer.Stop()
}

// work does what waits, then a step.
func (l *loop) work() {
	l.working.Lock()
	defer l.working.Unlock()
	for range len(l.events) {
		l.take(<-l.events)
	}
	l.sleepUntil(l.stepped())
}

// sleepUntil sets run's timer: that alone wakes nobody.
func (l *loop) sleepUntil(wake time.Duration) {
	now := l.now()
	sleep := max(wake-now, minSleep)
	l.wake = now + sleep
	l.timer.Reset(sleep)
}

func (l *loop) take(e event) {
	if e.do != nil {
		e.do()
		return
	}
	l.handle(e.from, *e.data)
	l.buffers.Put(e.data)
}

// micros is a wall clock reading as it stands on the wire.
func micros(t time.Time) uint64 { return uint64(max(t.UnixMicro(), 0)) }
