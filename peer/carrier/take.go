package carrier

import (
	"cmp"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// eventShare: of a packet that Live would fill alone, one part in this many
// belongs to waiting Events, so that they never starve (invariant I7 is about
// backlogs: a quarter costs a fresh sample at most a third more time).
const eventShare = 4

// Batch is a packet in the making: frames that left a Queue together.
type Batch struct {
	Packet []byte
	Frames []Frame // what is in Packet
	limit  int
	past   int // how many bytes of class History may still be in it

	mark       uint64 // of a Flow, behind the frames in Packet; 0: none
	markLength int    // bytes of it
}

// Take fills b, which it empties first, with the next frames of the given
// lanes, most urgent first, as long as together they have at most limit
// bytes; a first frame that is longer goes alone. It reports whether there
// were any.
//
// Of Live it takes the newest frames that fit, of each stream in turn: behind
// a backlog a fresh sample waits for nothing older. What is past its deadline by
// then is dropped.
func (q *Queue) Take(now time.Time, set Lanes, limit int, b *Batch) bool {
	return q.take(now, set, limit, limit, b)
}

// take is Take with at most past bytes of class History, or a single frame of it where that is not 0.
func (q *Queue) take(now time.Time, set Lanes, limit, past int, b *Batch) bool {
	b.reset(min(limit, wire.MaxPacket))
	b.past = past
	q.takeUrgent(b, set)
	if set.Has(LaneSignal) && q.lanes[LaneSignal].front != nil && !q.holds {
		return true // it waits for a packet of its own, and data must not overtake what may describe their streams
	}
	if q.holds {
		q.takeQuiet(b)
	}
	if set.Has(LaneLive) {
		q.takeEventShare(b, set)
		q.takeLive(b, now)
	}
	q.takeEvents(b, set)
	q.dropVoid(set)
	q.takePast(b, set)
	if q.holds {
		q.takeOldest(b, set, LaneSignal) // what is left of the packet
	}
	return len(b.Frames) > 0
}

// takeUrgent takes what goes before data: signals first, which may describe
// them, then commands. Of signals that are passed on for others there may be more
// than a packet holds, and for as long as those like: then they are first in every
// second packet only, and behind all else in the others. And a Drive does not wait
// behind more control frames than find room.
func (q *Queue) takeUrgent(b *Batch, set Lanes) {
	if q.holds = false; set.Has(LaneSignal) {
		q.behind = !q.behind && q.othersWait(set) && q.flooded(b)
		q.holds = q.behind
	}
	if !q.holds {
		q.takeOldest(b, set, LaneSignal)
	}
	q.takeOldest(b, set, LaneCall)
	if q.lanes[LaneControl].depth.Bytes > b.room() {
		q.takeOldest(b, set, LaneSetpoint)
	}
	q.takeOldest(b, set, LaneControl)
	q.takeOldest(b, set, LaneSetpoint)
	if !q.holds {
		q.takeOldest(b, set, LaneSignal) // shorter ones than the one that did not fit
	}
}

// othersWait reports whether there is what must not wait behind others' signals.
func (q *Queue) othersWait(set Lanes) bool {
	for _, lane := range [...]Lane{LaneCall, LaneSetpoint, LaneLive, LaneEvent, LaneHistory} {
		if set.Has(lane) && q.lanes[lane].front != nil {
			return true
		}
	}
	return false
}

// flooded reports whether more signals wait than b holds, and of others than this end itself.
func (q *Queue) flooded(b *Batch) bool {
	return q.lanes[LaneSignal].depth.Bytes > b.room() && q.shares.passedOn(LaneSignal) > 0
}

func (b *Batch) reset(limit int) {
	clear(b.Frames) // lets go of their bytes
	b.Packet, b.Frames, b.limit = b.Packet[:0], b.Frames[:0], limit
	b.mark, b.markLength = 0, 0
}

func (b *Batch) room() int { return b.limit - len(b.Packet) }

// fits reports whether n may join: if there is room, or as the only one.
func (b *Batch) fits(n *node) bool {
	return n != nil && (len(b.Frames) == 0 || len(n.frame.Bytes) <= b.room())
}

func (q *Queue) move(b *Batch, lane Lane, n *node) {
	b.Packet = append(b.Packet, n.frame.Bytes...)
	b.Frames = append(b.Frames, n.frame)
	q.remove(lane, n)
}

func (q *Queue) takeOldest(b *Batch, set Lanes, lane Lane) {
	if !set.Has(lane) {
		return
	}
	for l := &q.lanes[lane]; b.fits(l.front); {
		q.move(b, lane, l.front)
	}
}

func (q *Queue) takePast(b *Batch, set Lanes) {
	if !set.Has(LaneHistory) {
		return
	}
	for n := q.unheld(q.lanes[LaneHistory].front); b.past > 0 && b.fits(n); {
		size, next := len(n.frame.Bytes), n.next
		if size > b.past && len(b.Frames) > 0 {
			return
		}
		b.past -= size
		q.move(b, LaneHistory, n)
		n = q.unheld(next)
	}
}

// dropVoid drops what its sender wants no more. The lane is one of all Conns.
func (q *Queue) dropVoid(set Lanes) {
	if !set.Has(LaneHistory) {
		return
	}
	for n := q.lanes[LaneHistory].front; n != nil; {
		next := n.next
		if n.frame.void() {
			q.drop(LaneHistory, n, NoPath)
		}
		n = next
	}
}

// takeEventShare sends Events before Live up to their share, which they save
// up from packet to packet until it pays for the one that waits.
func (q *Queue) takeEventShare(b *Batch, set Lanes) {
	events := &q.lanes[LaneEvent]
	if !set.Has(LaneEvent) || events.front == nil {
		q.credit = 0
		return
	}
	q.credit = min(q.credit+b.limit/eventShare, wire.MaxPacket)
	for n := q.unheld(events.front); b.fits(n) && len(n.frame.Bytes) <= q.credit; {
		next := n.next
		q.credit -= len(n.frame.Bytes)
		q.move(b, LaneEvent, n)
		n = q.unheld(next)
	}
}

func (q *Queue) takeEvents(b *Batch, set Lanes) {
	if !set.Has(LaneEvent) {
		return
	}
	for n := q.unheld(q.lanes[LaneEvent].front); b.fits(n); {
		next := n.next
		q.move(b, LaneEvent, n)
		n = q.unheld(next)
	}
}

// takeLive sends what waits, in its order, if there is room for all of it.
// Otherwise the newest frame of each stream goes first, those streams before
// others that had to wait longest: however narrow the path, no stream is left out. What
// room is left then is for the newest of the rest.
func (q *Queue) takeLive(b *Batch, now time.Time) {
	q.expire(now)
	live := &q.lanes[LaneLive]
	all := live.depth.Bytes <= b.room()
	if !all {
		q.chooseLive(b)
	}
	for n := live.front; n != nil; {
		next := n.next
		if n.chosen || all && !q.held(n.frame) {
			q.move(b, LaneLive, n)
		}
		n = next
	}
}

// expire drops what is past its deadline.
func (q *Queue) expire(now time.Time) {
	for n := q.lanes[LaneLive].front; n != nil; {
		next := n.next
		if n.expired(now) {
			q.drop(LaneLive, n, Deadline)
		}
		n = next
	}
}

// chooseLive marks what is to go into b.
func (q *Queue) chooseLive(b *Batch) {
	room, any := b.room(), len(b.Frames) > 0
	choose := func(n *node) bool {
		if n.chosen || any && len(n.frame.Bytes) > room || q.held(n.frame) {
			return false
		}
		n.chosen, any = true, true
		room -= len(n.frame.Bytes)
		return true
	}
	for _, n := range q.longestWaiting() {
		if choose(n) {
			q.turn++
			q.served[n.frame.key(LaneLive)] = q.turn
		}
	}
	for n := q.lanes[LaneLive].back; n != nil && room > 0; n = n.prev {
		choose(n)
	}
}

// maxServed bounds the memory of whose turn it is; beyond it all are equal again.
const maxServed = 4096

// longestWaiting lists the newest frames of the Live streams, that of the
// stream first which was sent longest ago.
func (q *Queue) longestWaiting() []*node {
	q.waiting = q.waiting[:0]
	for n := q.lanes[LaneLive].front; n != nil; n = n.next {
		if !n.superseded {
			q.waiting = append(q.waiting, n)
		}
	}
	if len(q.served) > maxServed {
		clear(q.served)
	}
	slices.SortStableFunc(q.waiting, func(x, y *node) int {
		return cmp.Compare(q.served[x.frame.key(LaneLive)], q.served[y.frame.key(LaneLive)])
	})
	return q.waiting
}

// Lanes is which lanes the batch's frames are of.
func (b *Batch) Lanes() (set Lanes) {
	for i := range b.Frames {
		set |= SetOf(b.Frames[i].Lane())
	}
	return set
}

// Shorten puts the last frames of a batch that is too long for something back where they came from: it has limit bytes at most
// then, or a single frame. What is left of its packet stays where it is in memory.
func (q *Queue) Shorten(b *Batch, limit int) {
	for last := len(b.Frames) - 1; last > 0 && len(b.Packet) > limit; last-- {
		f := b.Frames[last]
		b.Packet, b.Frames = b.Packet[:len(b.Packet)-len(f.Bytes)], b.Frames[:last]
		q.putBack(f)
	}
}

// Return puts the frames of a batch that could not be sent back where they
// came from, so that what is fresher by then goes first. Where the queue has
// filled up meanwhile, what may be lost is.
func (q *Queue) Return(b *Batch) {
	for i := len(b.Frames) - 1; i >= 0; i-- {
		q.putBack(b.Frames[i])
	}
	b.reset(0)
}

func (q *Queue) putBack(f Frame) {
	lane := f.Lane()
	newer := q.newest[f.key(lane)]
	switch {
	case lane == LaneSetpoint && newer != nil:
		q.drops[Replaced]++
	case lane.losesOldest() && !q.hasRoom(lane, len(f.Bytes)):
		q.drops[QueueFull]++
	default:
		n := q.node(f)
		n.superseded = newer != nil
		q.lanes[lane].pushFront(n)
		q.count(lane, f, 1)
		if lane.knowsNewest() && newer == nil {
			q.newest[f.key(lane)] = n
		}
	}
}
