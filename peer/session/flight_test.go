package session

import (
	"slices"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// sharers are outboxes of several streams that share one flight.
type sharers struct {
	t      *testing.T
	flight *Flight
	boxes  []*Outbox
	rings  []*Ring
	now    time.Duration
}

func newSharers(t *testing.T, n, limit int) *sharers {
	s := &sharers{t: t, flight: NewFlight(limit)}
	for range n {
		r := NewRing(scenarioEpoch, NewBudget(64<<20))
		s.rings = append(s.rings, r)
		s.boxes = append(s.boxes, NewOutbox(r, 1, s.flight, 0))
	}
	return s
}

// publish makes a batch of 2,000 bytes, overhead and all, and reports whether it was sent.
func (s *sharers) publish(i int) bool {
	r := s.rings[i]
	b := Batch{Seq: r.Head() + 1, Count: 1, Body: make([]byte, 2000-batchOverhead)}
	r.Push(s.now, b)
	return s.boxes[i].Follows(s.now, b)
}

// fill publishes until nothing more is sent.
func (s *sharers) fill(i int) {
	for s.publish(i) {
	}
}

// held is the receiver's word that it has nothing of a stream in order, and holds this.
func (s *sharers) held(i int, ranges ...wire.Range) {
	s.boxes[i].Ack(0, wire.Position{Stream: 1, Epoch: scenarioEpoch, Received: ranges})
	for _, ok := s.boxes[i].Next(0, 0); ok; _, ok = s.boxes[i].Next(0, 0) {
	}
}

func (s *sharers) expect(when string, used, unacknowledged int) {
	s.t.Helper()
	if s.flight.Used() != used || s.flight.Unacknowledged() != unacknowledged {
		s.t.Errorf("%s: %d bytes under way, %d unacknowledged; want %d, %d", when, s.flight.Used(), s.flight.Unacknowledged(), used, unacknowledged)
	}
}

// TestWhatIsHeldKeepsNobodyWaiting: the receiver holds all that came of one stream, for something older that comes
// from elsewhere. The other stream goes on meanwhile.
func TestWhatIsHeldKeepsNobodyWaiting(t *testing.T) {
	s := newSharers(t, 2, 10_000)
	s.fill(0)
	s.expect("all is under way", 10_000, 10_000)
	s.boxes[0].Ack(0, wire.Position{Stream: 1, Epoch: scenarioEpoch, Received: []wire.Range{{From: 2, To: 5}}})
	s.expect("all but the first is held", 2_000, 10_000)
	for i := range 4 {
		if !s.publish(1) {
			t.Fatalf("of the other stream %d were sent", i)
		}
	}
	s.boxes[0].Ack(0, wire.Position{Stream: 1, Epoch: scenarioEpoch, Received: []wire.Range{{From: 2, To: 3}}})
	s.expect("the receiver had to let go of half", 14_000, 18_000)
	s.boxes[0].Close()
	s.expect("the stream is not wanted any more", 8_000, 8_000)
}

// TestWhoComesBackHasWhatItHeld: a receiver that opens anew, on another link, gets again what it has not said that it has.
func TestWhoComesBackHasWhatItHeld(t *testing.T) {
	s := newSharers(t, 1, 10_000)
	s.fill(0)
	s.boxes[0].Ack(0, wire.Position{Stream: 1, Epoch: scenarioEpoch, Received: []wire.Range{{From: 2, To: 4}}})
	s.boxes[0].Resume(0, 0)
	s.expect("it is back", 4_000, 10_000)
	var again []uint64
	for item, ok := s.boxes[0].Next(0, 0); ok && item.Batch.Seq <= 5; item, ok = s.boxes[0].Next(0, 0) {
		again = append(again, item.Batch.Seq)
	}
	if !slices.Equal(again, []uint64{1, 5}) {
		t.Errorf("%v were sent again, want 1 and 5", again)
	}
	s.boxes[0].Resume(0, 5)
	if s.boxes[0].acked != 5 {
		t.Errorf("it is at %d", s.boxes[0].acked)
	}
}

// TestWhatWouldNotBeHeldIsNotSent: a receiver holds 1,024 batches or 1 MiB of a stream, and 8 MiB of all. It would drop what
// is beyond that, and the device would send it again and again.
func TestWhatWouldNotBeHeldIsNotSent(t *testing.T) {
	const streams = 12
	s := newSharers(t, streams, 0)
	for i := range streams {
		for range 600 {
			s.publish(i)
			s.held(i, wire.Range{From: 2, To: s.boxes[i].next - 1})
		}
		if b := s.boxes[i]; b.bytes > maxHeldBytes || len(b.sent) > maxUnacked || i == 0 && b.bytes < maxHeldBytes-2_000 {
			t.Errorf("of stream %d, %d batches with %d bytes are unacknowledged", i, len(b.sent), b.bytes)
		}
	}
	if n := s.flight.Unacknowledged(); n < maxEarly-2_000 || n > maxEarly+streams*2_000 {
		t.Errorf("%d bytes are unacknowledged, want %d", n, maxEarly)
	}
}

// TestTheNextIsSentAtOnce: what a receiver waits for it need not hold. It waits for no room in the flight.
func TestTheNextIsSentAtOnce(t *testing.T) {
	s := newSharers(t, 2, 10_000)
	s.fill(0)
	if !s.publish(1) {
		t.Error("the only batch of a stream waits for those of another")
	}
	if s.publish(1) {
		t.Error("a second one does not")
	}
}

// TestWhatMayNotBeTakenIsLittle: until their receiver has taken something, two streams together have 16 KiB under way, and each
// its next batch. That is all that comes again.
func TestWhatMayNotBeTakenIsLittle(t *testing.T) {
	const most = maxTentative / 2_000
	s := newSharers(t, 2, 0)
	for _, o := range s.boxes {
		o.Tentative()
	}
	for range 50 {
		s.publish(0)
		s.publish(1)
	}
	sent := func(i int, now time.Duration) (n int) {
		for _, ok := s.boxes[i].Next(now, 0); ok; _, ok = s.boxes[i].Next(now, 0) {
			n++
		}
		return n
	}
	s.expect("nothing was taken", most*2_000, most*2_000)
	s.boxes[0].Ack(0, wire.Position{Stream: 1, Epoch: scenarioEpoch})
	if n := sent(0, time.Minute) + sent(1, time.Minute); n != most {
		t.Errorf("%d come again, want %d", n, most)
	}
	s.boxes[0].Ack(time.Minute, wire.Position{Stream: 1, Epoch: scenarioEpoch, Seq: 1})
	if n := sent(0, time.Minute); n != 50-most/2 {
		t.Errorf("%d more are sent of the stream that is taken, want all %d", n, 50-most/2)
	}
	if n := sent(1, time.Minute); n != most/2 {
		t.Errorf("%d more are sent of the other, want %d", n, most/2)
	}
	s.boxes[1].Close()
	if s.flight.tentative != 0 {
		t.Errorf("%d bytes count as tentative at the end", s.flight.tentative)
	}
}

// TestWhatWaitsBehindOthersIsNotLost: it may wait somewhere on the way, behind what was sent before it of another stream. When
// something came that was sent later, it is lost.
func TestWhatWaitsBehindOthersIsNotLost(t *testing.T) {
	const ms = time.Millisecond
	s := newSharers(t, 2, 0)
	acked := func(i int, at time.Duration, seq uint64) {
		s.boxes[i].Ack(at, wire.Position{Stream: 1, Epoch: scenarioEpoch, Seq: seq})
	}
	expect := func(at time.Duration, want bool) {
		t.Helper()
		if got := s.boxes[1].Overdue(at, 0); got != want {
			t.Errorf("at %v: overdue %v", at, got)
		}
	}
	s.publish(0)
	s.publish(0)
	s.now = 10 * ms
	s.publish(1)
	acked(0, 400*ms, 1)
	expect(899*ms, false)
	acked(0, 800*ms, 1) // a copy of it came, perhaps
	expect(1299*ms, false)
	expect(1300*ms, true) // nothing came any more
	acked(0, 1300*ms, 2)
	expect(1799*ms, false)
	s.now = 1800 * ms
	s.publish(0)
	acked(0, 1850*ms, 3) // it was sent behind what is missing
	expect(1850*ms, true)
}

// TestWhatComesFromElsewhereSaysNothing: another stream is brought by the spool, and its position moves all the time. What was lost
// is sent again as soon as without it.
func TestWhatComesFromElsewhereSaysNothing(t *testing.T) {
	const apart = 80 * time.Millisecond
	s := newSharers(t, 2, 10_000)
	s.publish(0)
	for range 20 { // which are not sent
		s.rings[1].Push(0, Batch{Seq: s.rings[1].Head() + 1, Count: 1, Body: make([]byte, 100)})
	}
	for i := range uint64(20) {
		now := time.Duration(i+1) * apart
		s.boxes[1].Ack(now, wire.Position{Stream: 1, Epoch: scenarioEpoch, Seq: i + 1})
		if want := now >= resendFloor; s.boxes[0].Overdue(now, 0) != want {
			t.Fatalf("after %v: overdue %v", now, !want)
		}
	}
}

// TestWhatComesAgainForLongSaysNothing: what arrives again and again, and moves nothing, are copies for a while. Then it comes from
// elsewhere, as the spool brings what was delivered, and what was lost is sent again.
func TestWhatComesAgainForLongSaysNothing(t *testing.T) {
	s := newSharers(t, 1, 0)
	s.publish(0)
	s.publish(0)
	ack := func(at time.Duration) {
		s.boxes[0].Ack(at, wire.Position{Stream: 1, Epoch: scenarioEpoch, Seq: 1})
	}
	ack(time.Second)
	s.flight.Elsewhere(true)
	again := Never
	for at := time.Second; at < time.Minute && again == Never; at += 100 * time.Millisecond {
		ack(at)
		if s.boxes[0].Overdue(at, 0) {
			again = at
		}
	}
	if again < 5*time.Second || again > 10*time.Second {
		t.Errorf("sent again after %v", again)
	}
	s.flight.Elsewhere(false) // then they are copies
	for at := time.Minute; at < 2*time.Minute; at += 100 * time.Millisecond {
		if ack(at); s.boxes[0].Overdue(at, 0) {
			t.Fatalf("sent again after %v", at)
		}
	}
}
