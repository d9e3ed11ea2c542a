package carrier

import (
	"sync"
	"sync/atomic"
	"time"
)

// Buffer is a Queue that any goroutine may fill, with one writer for each of
// a path's channels, woken when there is something for it.
type Buffer struct {
	taps []*Tap // set once, before the first Send

	mu     sync.Mutex
	queue  *Queue // guarded by mu
	sealed bool   // guarded by mu
}

// Tap is a writer's side of a Buffer.
type Tap struct {
	buffer *Buffer
	lanes  Lanes
	wake   chan struct{} // 1: a wake-up that nobody waits for yet is not lost
}

// NewBuffer makes a buffer with one tap for each set of lanes.
func NewBuffer(limits Limits, sets ...Lanes) *Buffer {
	b := &Buffer{queue: NewQueue(limits)}
	for _, set := range sets {
		b.taps = append(b.taps, &Tap{buffer: b, lanes: set, wake: make(chan struct{}, 1)})
	}
	return b
}

// Bound sets the bounds of the queue, before the first Send.
func (b *Buffer) Bound(limits Limits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue.limits = limits.orDefault()
}

// Tap returns the tap for the i-th set.
func (b *Buffer) Tap(i int) *Tap { return b.taps[i] }

// Send queues f and wakes its writer.
func (b *Buffer) Send(f Frame) bool {
	if !b.Push(f) {
		return false
	}
	for _, t := range b.taps {
		if t.lanes.Has(f.Lane()) {
			t.Wake()
		}
	}
	return true
}

// Push queues f and wakes nobody.
func (b *Buffer) Push(f Frame) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed {
		b.queue.drops[NoPath]++
		return false
	}
	return b.queue.Push(f)
}

// Seal refuses everything from now on. What waits may still be taken.
func (b *Buffer) Seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
}

// Close seals, and drops what waits.
func (b *Buffer) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	b.queue.Clear()
}

// Snapshot is the queue's part of Stats.
func (b *Buffer) Snapshot() (Depth, Drops) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.Depth(AllLanes), b.queue.Drops()
}

// Ready yields when there may be something to take. A writer takes until
// nothing comes, then waits for Ready again.
func (t *Tap) Ready() <-chan struct{} { return t.wake }

// Take is Queue.Take for this writer's lanes, at the present time.
func (t *Tap) Take(limit int, b *Batch) bool { return t.take(limit, limit, b) }

// take is Queue.take.
func (t *Tap) take(limit, past int, b *Batch) bool {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	return t.buffer.queue.take(time.Now(), t.lanes, limit, past, b)
}

// TakeControl is Take for control frames alone.
func (t *Tap) TakeControl(limit int, b *Batch) bool {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	return t.buffer.queue.Take(time.Now(), t.lanes&SetOf(LaneControl), limit, b)
}

// Waits reports whether anything but control frames waits for this writer.
func (t *Tap) Waits() bool {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	return t.buffer.queue.Depth(t.lanes&^SetOf(LaneControl)).Frames > 0
}

// Return is Queue.Return.
func (t *Tap) Return(b *Batch) {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	t.buffer.queue.Return(b)
}

// Shorten is Queue.Shorten.
func (t *Tap) Shorten(b *Batch, limit int) {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	t.buffer.queue.Shorten(b, limit)
}

// Pending is how much waits for this writer.
func (t *Tap) Pending() Depth {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	return t.buffer.queue.Depth(t.lanes)
}

// Lost counts a batch that was taken and can never be sent.
func (t *Tap) Lost(b *Batch) {
	t.buffer.mu.Lock()
	defer t.buffer.mu.Unlock()
	t.buffer.queue.drops[NoPath] += uint64(len(b.Frames))
}

// Wake makes Ready yield.
func (t *Tap) Wake() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Counter counts Traffic, from any goroutine.
type Counter struct{ packets, bytes atomic.Uint64 }

// Add counts one packet.
func (c *Counter) Add(bytes int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(bytes))
}

// Traffic is what was counted so far.
func (c *Counter) Traffic() Traffic {
	return Traffic{Packets: c.packets.Load(), Bytes: c.bytes.Load()}
}
