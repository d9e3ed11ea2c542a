package session

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Outbox is one Conn's sending side of one Event stream (section 5.1).
//
//	      acked      sent, unacknowledged      next              head
//	────────┤├──────────────────────────────────┤├────────────────┤
//	delivered         batches and gaps             to be sent
//
// It follows while next is beyond the head: new batches are its as they are
// made. Otherwise it catches up: Next yields batch after batch, paced by
// acknowledgements.
type Outbox struct {
	// Set once.
	ring   *Ring
	flight *Flight
	stream uint32
	start  uint64

	acked     uint64 // position of the receiver
	next      uint64 // first sample never sent
	following bool
	tentative bool   // the receiver has taken nothing, and perhaps takes nothing yet
	sent      []sent // unacknowledged, in order
	bytes     int    // of sent

	flagged int           // how many of sent are due or in a hole
	rtt     time.Duration // as Next was told last
	timer   time.Duration // from when the wait for progress counts
	waits   int           // how often it was in vain since
	queued  bool          // it did not count from timer, but from when what was sent has left this end
}

// sent is a batch, or a gap in the place of batches, that was sent.
type sent struct {
	seq, last uint64
	size      int           // in bytes, with batchOverhead; 0 for a gap
	first, at time.Duration // when it was sent first, and last
	gap       bool
	received  bool // the receiver holds it, beyond its position
	due       bool // to be sent again now
	hole      bool // the receiver has later ones: to be sent again when a round trip has passed
}

// NewOutbox returns the Outbox of a stream whose delivery starts behind
// after, or at the head if after is beyond it.
func NewOutbox(r *Ring, stream uint32, f *Flight, after uint64) *Outbox {
	after = min(after, r.Head())
	return &Outbox{
		ring: r, flight: f, stream: stream,
		start: after, acked: after, next: after + 1, following: after == r.Head(),
	}
}

// Tentative says that the receiver may wait for something older and take
// nothing of this stream before. Until it has taken something, little is sent:
// it comes again and again, and what the receiver waits for goes behind it.
func (o *Outbox) Tentative() { o.tentative = true }

// Start is the position after which delivery began, as describe tells it.
func (o *Outbox) Start() uint64 { return o.start }

// Following reports whether new batches go to this Conn as they are made. It
// turns false when Follows finds no room, and true again when Next has caught
// up with the head.
func (o *Outbox) Following() bool { return o.following }

// Behind reports whether there is something that was never sent.
func (o *Outbox) Behind() bool { return o.next <= o.ring.head }

// Follows is to be called for each batch just pushed to the ring. True: send
// it now, it counts as sent. False: it will come through Next.
func (o *Outbox) Follows(now time.Duration, b Batch) bool {
	o.following = o.following && b.Seq == o.next && o.fits(b)
	if o.following {
		o.fly(now, b)
	}
	return o.following
}

// fits reports whether a batch may be sent: what the receiver waits for next always, anything else if there is room for it at
// the receiver and under way.
func (o *Outbox) fits(b Batch) bool {
	switch {
	case len(o.sent) == 0:
		return true
	case o.tentative && o.flight.tentative+b.size() > maxTentative:
		return false
	}
	return len(o.sent) < maxUnacked && o.bytes+b.size() <= maxHeldBytes && o.flight.fits(b.size())
}

// fly counts a batch as sent for the first time.
func (o *Outbox) fly(now time.Duration, b Batch) {
	o.flight.used += b.size()
	o.count(b.size())
	o.push(now, sent{seq: o.next, last: b.Last(), size: b.size(), first: now, at: now})
}

func (o *Outbox) push(now time.Duration, s sent) {
	if len(o.sent) == 0 {
		o.progress(now)
	}
	o.sent = append(o.sent, s)
	o.next = s.last + 1
}

func (o *Outbox) progress(now time.Duration) { o.timer, o.waits, o.queued = now, 0, false }

// Ack takes the receiver's position. One that is older than another, of
// another epoch or beyond the head says nothing.
func (o *Outbox) Ack(now time.Duration, p wire.Position) {
	if p.Stream != o.stream || p.Epoch != o.ring.epoch || p.Seq < o.acked || p.Seq > o.ring.head {
		return
	}
	moves, before := p.Seq > o.acked, o.flight.arrivals
	if len(p.Received) > 0 {
		o.taken()
	}
	o.reach(now, p.Seq)
	o.mark(now, p.Received)
	o.flight.heardOf(now, o.flight.arrivals > before, moves)
}

// Resume says that the receiver, which has come back, got so far. What it holds beyond that it has still, or says so soon;
// all else is due again, now.
func (o *Outbox) Resume(now time.Duration, seq uint64) {
	o.reach(now, min(seq, o.ring.head))
	o.Switched(now)
}

// reach takes a position of the receiver.
func (o *Outbox) reach(now time.Duration, seq uint64) {
	if seq <= o.acked {
		return
	}
	o.taken()
	o.acked = seq
	o.next = max(o.next, seq+1)
	o.progress(now)
	o.land()
}

// land forgets what the position has passed.
func (o *Outbox) land() {
	n := 0
	for n < len(o.sent) && o.sent[n].last <= o.acked {
		if s := o.sent[n]; !s.received {
			o.arrived(s)
		}
		o.release(o.sent[n])
		n++
	}
	o.sent = slices.Delete(o.sent, 0, n)
}

// arrived notes how far the receiver got in what the Conn has sent. If it was sent again, the first copy may be what came. A gap
// says nothing: it goes ahead of what waits in a queue.
func (o *Outbox) arrived(s sent) {
	if !s.gap {
		o.flight.arrivals++
		o.flight.reached = max(o.flight.reached, s.first)
	}
}

// release gives back what a batch takes.
func (o *Outbox) release(s sent) {
	*o.place(s.received) -= s.size
	o.count(-s.size)
}

// count notes that so much more is unacknowledged.
func (o *Outbox) count(bytes int) {
	o.bytes += bytes
	if o.tentative {
		o.flight.tentative += bytes
	}
}

// taken: the receiver takes what comes.
func (o *Outbox) taken() {
	if o.tentative {
		o.flight.tentative -= o.bytes
		o.tentative = false
	}
}

// hold notes whether the receiver holds a batch.
func (o *Outbox) hold(s *sent, received bool) {
	*o.place(s.received) -= s.size
	*o.place(received) += s.size
	s.received = received
}

// place is where a batch counts. What the receiver holds is not under way: it may wait there for long, for what comes from the
// spool, and other streams with it. Of a queue it counts still, since that keeps it here as well.
func (o *Outbox) place(received bool) *int {
	if received && !o.ring.patient {
		return &o.flight.held
	}
	return &o.flight.used
}

// mark notes which of the unacknowledged the receiver holds, and which of the
// others lie before a batch that it holds. A gap that it knows shows no hole: it
// has overtaken what is still on its way.
func (o *Outbox) mark(now time.Duration, ranges []wire.Range) {
	shown := 0 // this many lie before the last batch that it holds
	for i := range o.sent {
		s := &o.sent[i]
		for len(ranges) > 0 && ranges[0].To < s.last {
			ranges = ranges[1:]
		}
		held := len(ranges) > 0 && ranges[0].From <= s.seq
		if held && !s.received {
			o.progress(now)
			o.arrived(*s)
		}
		if held && !s.gap {
			shown = i
		}
		o.hold(s, held) // and no more, if the receiver had to let go of it
	}
	o.flagged = 0
	for i := range o.sent {
		s := &o.sent[i]
		s.hole = !s.received && i < shown
		s.due = s.due && !s.received
		if s.due || s.hole {
			o.flagged++
		}
	}
}

// Switched says that the path changed, or is in doubt: all that is
// unacknowledged is due again, now.
func (o *Outbox) Switched(now time.Duration) {
	o.progress(now)
	o.flight.arrived = now
	o.repeatAll()
}

func (o *Outbox) repeatAll() {
	o.flagged = 0
	for i := range o.sent {
		if s := &o.sent[i]; !s.received {
			s.due = true
			o.flagged++
		}
	}
}

// Refused says that no path took what Next or Follows has just counted as sent,
// for want of room: it is due again. The caller waits a moment before Next.
func (o *Outbox) Refused(seq uint64) {
	for i := range o.sent {
		s := &o.sent[i]
		if s.seq > seq || s.last < seq || s.due || s.received {
			continue
		}
		if s.due = true; !s.hole {
			o.flagged++
		}
	}
}

// Close gives back to the flight what is unacknowledged. The Outbox is not to
// be used again.
func (o *Outbox) Close() {
	for _, s := range o.sent {
		o.release(s)
	}
	o.sent, o.flagged = nil, 0
}
