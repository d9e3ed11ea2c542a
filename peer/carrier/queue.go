package carrier

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Queue holds the frames that wait for a path, one bounded lane per class.
//
// It has no clock and no lock: Buffer adds both. In steady state neither Push
// nor Take allocates; the memory of a full queue is kept for the next one.
type Queue struct {
	limits  Limits
	lanes   [lanes]list
	newest  map[streamKey]*node  // of Live and Setpoint; holds queued frames only, so bounded as they are
	free    *node                // unused nodes, linked by next
	shares  shares               // of the lanes that are shared
	credit  int                  // bytes that Event may send before Live, see takeEventShare
	told    map[uint64]int       // how many signals wait, by Conn; see held
	behind  bool                 // signals were behind all else in the last packet that may have some, see takeUrgent
	holds   bool                 // and are in the one that is being made
	turn    uint64               // counts newest Live frames that were chosen before others
	served  map[streamKey]uint64 // the turn at which a stream was; kept while others wait, at most maxServed
	waiting []*node              // of longestWaiting, for its memory
	drops   Drops
}

// streamKey names a stream within a lane of one path.
type streamKey struct {
	lane   Lane
	stream uint32
	conn   uint64
}

// NewQueue makes an empty queue.
func NewQueue(limits Limits) *Queue {
	return &Queue{limits: limits.orDefault(), newest: make(map[streamKey]*node), served: make(map[streamKey]uint64), shares: make(shares), told: make(map[uint64]int)}
}

// Push queues f. What happens when its lane is full is the class's choice
// (protocol section 5): Live and control lose their oldest, a Setpoint is
// replaced in place, all others are refused.
func (q *Queue) Push(f Frame) bool {
	if len(f.Bytes) == 0 || len(f.Bytes) > wire.MaxPacket {
		q.drops[Limit]++
		return false
	}
	lane := f.Lane()
	if lane == LaneSetpoint && q.replace(f) {
		return true
	}
	if !q.makeRoom(lane, f) {
		q.drops[QueueFull]++
		return false
	}
	q.add(lane, f)
	return true
}

// replace puts f in the place of its stream's queued Setpoint, if there is
// one: the newer value goes out when the older one would have.
func (q *Queue) replace(f Frame) bool {
	n := q.newest[f.key(LaneSetpoint)]
	if n == nil {
		return false
	}
	q.lanes[LaneSetpoint].depth.Bytes += len(f.Bytes) - len(n.frame.Bytes)
	q.count(LaneSetpoint, n.frame, -1)
	q.count(LaneSetpoint, f, 1)
	n.frame = f
	q.drops[Replaced]++
	return true
}

// makeRoom reports whether a frame fits into a lane, after dropping others where the class allows it.
func (q *Queue) makeRoom(lane Lane, f Frame) bool {
	bound := q.limits[lane]
	if f.Yields {
		bound = Depth{Frames: bound.Frames / 2, Bytes: bound.Bytes / 2}
	}
	for !bound.holds(q.lanes[lane].depth, len(f.Bytes)) {
		victim := q.victim(lane, f)
		if victim == nil {
			return false
		}
		q.drop(lane, victim, QueueFull)
	}
	return true
}

// victim is what a full lane loses for f; nil: f itself.
func (q *Queue) victim(lane Lane, f Frame) *node {
	l := &q.lanes[lane]
	switch {
	case lane == LaneControl:
		return q.shares.oldest(lane, l)
	case lane == LaneCall, lane == LaneSignal:
		return q.shares.newest(lane, l, f)
	case lane.losesOldest():
		return l.victim()
	}
	return nil
}

func (q *Queue) hasRoom(lane Lane, size int) bool {
	return q.limits[lane].holds(q.lanes[lane].depth, size)
}

// holds reports whether a frame of size bytes more stays within the bound d.
func (d Depth) holds(now Depth, size int) bool {
	return now.Frames < d.Frames && now.Bytes+size <= d.Bytes
}

func (q *Queue) add(lane Lane, f Frame) {
	n := q.node(f)
	q.lanes[lane].pushBack(n)
	q.count(lane, f, 1)
	if !lane.knowsNewest() {
		return
	}
	if older := q.newest[f.key(lane)]; older != nil {
		older.superseded = true
	}
	q.newest[f.key(lane)] = n
}

// node makes a node, of the memory of an earlier one where possible.
func (q *Queue) node(f Frame) *node {
	n := q.free
	if n != nil {
		q.free = n.next
	} else {
		n = new(node)
	}
	*n = node{frame: f}
	return n
}

// remove takes n out and keeps its memory for the next frame.
func (q *Queue) remove(lane Lane, n *node) {
	q.lanes[lane].remove(n)
	q.count(lane, n.frame, -1)
	if key := n.frame.key(lane); q.newest[key] == n {
		delete(q.newest, key)
	}
	*n = node{next: q.free}
	q.free = n
}

func (q *Queue) drop(lane Lane, n *node, reason DropReason) {
	q.drops[reason]++
	q.remove(lane, n)
}

// Clear drops everything, because the path is gone.
func (q *Queue) Clear() {
	for lane := range lanes {
		for q.lanes[lane].front != nil {
			q.drop(lane, q.lanes[lane].front, NoPath)
		}
	}
}

// Depth is how much waits in the given lanes.
func (q *Queue) Depth(set Lanes) (d Depth) {
	for lane := range lanes {
		if set.Has(lane) {
			d.Frames += q.lanes[lane].depth.Frames
			d.Bytes += q.lanes[lane].depth.Bytes
		}
	}
	return d
}

// Drops counts what was not sent.
func (q *Queue) Drops() Drops { return q.drops }

func (f Frame) key(lane Lane) streamKey {
	return streamKey{lane: lane, stream: f.Stream, conn: f.Conn}
}

// expired reports whether n is worth nothing any more. The newest frame of a
// stream always is worth something: an old value, shown as old (section 5.2).
func (n *node) expired(now time.Time) bool {
	return n.superseded && !n.frame.Deadline.IsZero() && now.After(n.frame.Deadline)
}
