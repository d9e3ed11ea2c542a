package carrier

import (
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
}

// Take fills b, which it empties first, with the next frames of the given
// lanes, most urgent first, as long as together they have at most limit
// bytes; a first frame that is longer goes alone. It reports whether there
// were any.
//
// Of Live it takes the newest frames that fit, in their order: behind a
// backlog a fresh sample waits for nothing older. What is past its deadline
// by then is dropped.
func (q *Queue) Take(now time.Time, set Lanes, limit int, b *Batch) bool {
	b.reset(min(limit, wire.MaxPacket))
	for _, lane := range [...]Lane{LaneSignal, LaneCall, LaneControl, LaneSetpoint} {
		q.takeOldest(b, set, lane)
	}
	if set.Has(LaneLive) {
		q.takeEventShare(b, set)
		q.takeLive(b, now)
	}
	q.takeOldest(b, set, LaneEvent)
	q.takeOldest(b, set, LaneHistory)
	return len(b.Frames) > 0
}

func (b *Batch) reset(limit int) {
	clear(b.Frames) // lets go of their bytes
	b.Packet, b.Frames, b.limit = b.Packet[:0], b.Frames[:0], limit
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

// takeEventShare sends Events before Live up to their share, which they save
// up from packet to packet until it pays for the one that waits.
func (q *Queue) takeEventShare(b *Batch, set Lanes) {
	events := &q.lanes[LaneEvent]
	if !set.Has(LaneEvent) || events.front == nil {
		q.credit = 0
		return
	}
	q.credit = min(q.credit+b.limit/eventShare, wire.MaxPacket)
	for b.fits(events.front) && len(events.front.frame.Bytes) <= q.credit {
		q.credit -= len(events.front.frame.Bytes)
		q.move(b, LaneEvent, events.front)
	}
}

// takeLive sends the newest frames that fit, oldest of them first.
func (q *Queue) takeLive(b *Batch, now time.Time) {
	for n := q.oldestThatFits(b, now); n != nil; {
		next := n.next
		q.move(b, LaneLive, n)
		n = next
	}
}

// oldestThatFits walks from the newest Live frame back until the packet is
// full, dropping what has expired on the way.
func (q *Queue) oldestThatFits(b *Batch, now time.Time) (first *node) {
	room := b.room()
	for n := q.lanes[LaneLive].back; n != nil; {
		older := n.prev
		if n.expired(now) {
			q.drop(LaneLive, n, Deadline)
			n = older
			continue
		}
		alone := first == nil && len(b.Frames) == 0
		if len(n.frame.Bytes) > room && !alone {
			break
		}
		room -= len(n.frame.Bytes)
		first, n = n, older
	}
	return first
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
		q.shares.add(lane, f)
		if lane.knowsNewest() && newer == nil {
			q.newest[f.key(lane)] = n
		}
	}
}
