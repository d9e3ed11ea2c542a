package carrier

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// requester has requests under way, of one frame each.
type requester struct {
	buffer *Buffer
	flow   *Flow
	under  []*Batch
}

func newRequester(most int) *requester {
	return &requester{buffer: NewBuffer(Limits{}, AllLanes), flow: NewRequestFlow(most)}
}

// send reports whether one more may be under way.
func (r *requester) send(size int) bool {
	r.buffer.Push(fresh(wire.Live, 1, size))
	b := new(Batch)
	if !r.flow.Take(r.buffer.Tap(0), size, b) || b.onlyControl() {
		return false
	}
	r.under = append(r.under, b)
	return true
}

// fill has as many under way as may be, and returns how many those are.
func (r *requester) fill(size int) int {
	for r.send(size) {
	}
	return len(r.under)
}

// comes has one come back.
func (r *requester) comes(i int) {
	r.flow.Acknowledge(r.under[i])
	r.under = append(r.under[:i], r.under[i+1:]...)
}

// TestRequestsAtATime: so many are under way, whichever of them come back, and control frames need no room.
func TestRequestsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequester(4)
		for _, i := range []int{0, 3, 1, 2, 3, 0} {
			if n := r.fill(100); n != 4 || !r.flow.Full() {
				t.Fatalf("%d are under way", n)
			}
			if n := r.flow.UnderWay(); n != 4*len(r.under[0].Packet) {
				t.Fatalf("%d bytes are under way", n)
			}
			time.Sleep(time.Millisecond)
			r.comes(i)
		}
		r.fill(100)
		r.buffer.Push(Frame{Bytes: wire.AppendProbe(nil, wire.Hop{}, wire.Probe{ID: 1}), Control: true})
		var b Batch
		if !r.flow.Take(r.buffer.Tap(0), 1000, &b) || !b.onlyControl() {
			t.Error("a control frame waits for a request")
		}
		r.flow.Acknowledge(&b)
		if n := len(r.flow.marks); n != 4 {
			t.Errorf("then %d are under way", n)
		}
	})
}

// TestOverdueRequests: what waits for a loss to be repaired is in nobody's way.
func TestOverdueRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequester(4)
		if _, known := r.flow.Overdue(); known {
			t.Error("it is known before anything came back")
		}
		r.send(100)
		time.Sleep(100 * time.Millisecond)
		r.comes(0)
		if after, known := r.flow.Overdue(); !known || after != 125*time.Millisecond {
			t.Errorf("after 100 ms it is %v, %t", after, known)
		}
		r.fill(100)
		time.Sleep(126 * time.Millisecond)
		if n := r.fill(100); n != 8 {
			t.Errorf("%d are under way", n)
		}
	})
}

// TestRequestsBeforeANarrowHop: where all of them come late there is one at a time, and more are tried when they come in time,
// less often where it was in vain.
func TestRequestsBeforeANarrowHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequester(4)
		r.send(100)
		time.Sleep(50 * time.Millisecond)
		r.comes(0)
		late := func() {
			for n := 0; r.flow.requests.now > 1; n++ {
				if n == lateRequests {
					t.Fatalf("after %d that came late there may be %d", n, r.flow.requests.now)
				}
				r.fill(100)
				time.Sleep(160 * time.Millisecond)
				r.comes(0)
			}
		}
		late()
		if _, known := r.flow.Overdue(); known {
			t.Error("what is late is said to be lost")
		}
		for len(r.under) > 0 {
			r.comes(0)
		}
		for _, needs := range []int{2 * calmRequests, 4 * calmRequests} {
			for n := 0; r.flow.requests.now == 1; n++ {
				if r.fill(100); len(r.under) != 1 || n > needs {
					t.Fatalf("%d are under way, after %d that came in time", len(r.under), n)
				}
				time.Sleep(50 * time.Millisecond)
				r.comes(0)
				if n+1 < needs && r.flow.requests.now > 1 {
					t.Fatalf("one more is tried after %d, want %d", n+1, needs)
				}
			}
			late()
			for len(r.under) > 0 {
				r.comes(0)
			}
		}
	})
}

// TestNarrowNoMore: a link that counts as narrow does not when as many as may be come back in time.
func TestNarrowNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequester(4)
		r.flow.narrow = true
		r.flow.requests.now = 1
		for n := 0; r.flow.narrow; n++ {
			if n > 40*calmRequests {
				t.Fatalf("it is narrow still, with %d at a time", r.flow.requests.now)
			}
			r.fill(100)
			time.Sleep(50 * time.Millisecond)
			for len(r.under) > 0 {
				r.comes(0)
			}
		}
		if r.flow.requests.now != 4 {
			t.Errorf("%d at a time", r.flow.requests.now)
		}
	})
}
