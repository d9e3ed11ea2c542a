package carrier

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// eventShare: of a packet that Live would fill alone, one part in this many
// belongs to waiting Events, so that they never starve (invariant I7 is about
// backlogs: a quarter costs a fresh sample at most a third more time).
const eventShare = 4

// Take appends to packet the next frames of the given lanes, most urgent
// first, as long as together they have at most limit bytes; a first frame
// that is longer goes alone. It returns packet and how many frames it added.
//
// Of Live it takes the newest frames that fit, in their order: behind a
// backlog a fresh sample waits for nothing older. What is past its deadline
// by then is dropped.
func (q *Queue) Take(now time.Time, set Lanes, limit int, packet []byte) ([]byte, int) {
	b := batch{packet: packet, start: len(packet), limit: min(limit, wire.MaxPacket)}
	for _, lane := range [...]Lane{LaneSignal, LaneCall, LaneControl, LaneSetpoint} {
		q.takeOldest(&b, set, lane)
	}
	if set.Has(LaneLive) {
		q.takeEventShare(&b, set)
		q.takeLive(&b, now)
	}
	q.takeOldest(&b, set, LaneEvent)
	q.takeOldest(&b, set, LaneHistory)
	return b.packet, b.frames
}

// batch is a packet in the making.
type batch struct {
	packet       []byte
	start, limit int
	frames       int
}

func (b *batch) room() int { return b.limit - (len(b.packet) - b.start) }

// fits reports whether n may join: if there is room, or as the only one.
func (b *batch) fits(n *node) bool {
	return n != nil && (b.frames == 0 || len(n.frame.Bytes) <= b.room())
}

func (q *Queue) move(b *batch, lane Lane, n *node) {
	b.packet = append(b.packet, n.frame.Bytes...)
	b.frames++
	q.remove(lane, n)
}

func (q *Queue) takeOldest(b *batch, set Lanes, lane Lane) {
	if !set.Has(lane) {
		return
	}
	for l := &q.lanes[lane]; b.fits(l.front); {
		q.move(b, lane, l.front)
	}
}

// takeEventShare sends Events before Live up to their share, which they save
// up from packet to packet until it pays for the one that waits.
func (q *Queue) takeEventShare(b *batch, set Lanes) {
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
func (q *Queue) takeLive(b *batch, now time.Time) {
	for n := q.oldestThatFits(b, now); n != nil; {
		next := n.next
		q.move(b, LaneLive, n)
		n = next
	}
}

// oldestThatFits walks from the newest Live frame back until the packet is
// full, dropping what has expired on the way.
func (q *Queue) oldestThatFits(b *batch, now time.Time) (first *node) {
	room := b.room()
	for n := q.lanes[LaneLive].back; n != nil; {
		older := n.prev
		if n.expired(now) {
			q.drop(LaneLive, n, Deadline)
			n = older
			continue
		}
		alone := first == nil && b.frames == 0
		if len(n.frame.Bytes) > room && !alone {
			break
		}
		room -= len(n.frame.Bytes)
		first, n = n, older
	}
	return first
}
