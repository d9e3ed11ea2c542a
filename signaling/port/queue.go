package port

import "sync"

// datagram is one that waits.
type datagram struct {
	from  *sender
	bytes []byte // of the slot, which keeps its room for the next
}

// queue holds datagrams of one side, the oldest first, in slots that are used
// again: after each was full once, nothing is allocated.
type queue struct {
	filled chan struct{} // has room for one: something waits

	mu    sync.Mutex
	slots []datagram
	first int
	n     int
}

func newQueue(room int) queue {
	return queue{filled: make(chan struct{}, 1), slots: make([]datagram, room)}
}

// push keeps a copy of b, if there is room.
func (q *queue) push(b []byte, from *sender) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == len(q.slots) {
		return false
	}
	slot := &q.slots[(q.first+q.n)%len(q.slots)]
	slot.from, slot.bytes = from, append(slot.bytes[:0], b...)
	q.n++
	q.signal()
	return true
}

// pop copies the oldest to p. No sender: nothing waits.
func (q *queue) pop(p []byte) (n int, from *sender) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return 0, nil
	}
	slot := &q.slots[q.first]
	n, from = copy(p, slot.bytes), slot.from
	q.first = (q.first + 1) % len(q.slots)
	if q.n--; q.n > 0 {
		q.signal() // for another reader
	}
	return n, from
}

func (q *queue) signal() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}
