package session

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/telepath-iot/telepath/peer/wire"
)

// conditions are what a simulated path does to frames, in both directions.
type conditions struct {
	loss, double float64       // shares of the frames
	delay        time.Duration // least time on the way
	jitter       time.Duration // at most this much more: reorders
}

// delivery of a frame in simulated time.
type arrival struct {
	at time.Duration
	do func()
}

type arrivals []arrival

func (a arrivals) Len() int           { return len(a) }
func (a arrivals) Less(i, j int) bool { return a[i].at < a[j].at }
func (a arrivals) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)        { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any          { x := (*a)[len(*a)-1]; *a = (*a)[:len(*a)-1]; return x }

// simulation joins a Ring and an Outbox to an Inbox by such a path.
type simulation struct {
	t      *rapid.T
	rand   *rand.Rand
	now    time.Duration
	path   conditions
	flying arrivals

	ring   *Ring
	flight *Flight
	out    *Outbox
	early  *Early
	in     *Inbox

	expected uint64          // what the application has to get next
	overrun  map[uint64]bool // samples that the ring has overwritten
	gapped   int
}

const tick = 5 * time.Millisecond

func newSimulation(t *rapid.T) *simulation {
	s := &simulation{
		t: t, rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), overrun: map[uint64]bool{},
	}
	s.ring = NewRing(scenarioEpoch, NewBudget(rapid.IntRange(2000, 100000).Draw(t, "budget")))
	s.flight = NewFlight(rapid.IntRange(300, 20000).Draw(t, "flight"))
	for range rapid.IntRange(0, 30).Draw(t, "before") {
		s.produce(false)
	}
	after := uint64(rapid.IntRange(0, int(s.ring.Head())).Draw(t, "after"))
	s.out = NewOutbox(s.ring, 1, s.flight, after)
	if rapid.Bool().Draw(t, "tentative") {
		s.out.Tentative()
	}
	s.early = NewEarly(rapid.SampledFrom([]int{0, 0, 1000}).Draw(t, "early"))
	s.in = NewInbox(1, wire.Event, scenarioEpoch, s.out.Start(), s.early)
	s.expected = s.out.Start() + 1
	return s
}

func drawConditions(t *rapid.T) conditions {
	return conditions{
		loss:   float64(rapid.SampledFrom([]int{0, 0, 2, 10, 40, 100}).Draw(t, "loss %")) / 100,
		double: float64(rapid.SampledFrom([]int{0, 10, 50}).Draw(t, "double %")) / 100,
		delay:  time.Duration(rapid.IntRange(0, 100).Draw(t, "delay ms")) * time.Millisecond,
		jitter: time.Duration(rapid.SampledFrom([]int{0, 5, 100}).Draw(t, "jitter ms")) * time.Millisecond,
	}
}

// produce pushes a batch; follow: the Outbox is there already.
func (s *simulation) produce(follow bool) {
	oldest := s.ring.Oldest()
	b := Batch{Seq: s.ring.Head() + 1, Count: 1 + s.rand.IntN(4), Body: make([]byte, 20+s.rand.IntN(300))}
	s.ring.Push(s.now, b)
	for seq := oldest; seq < s.ring.Oldest(); seq++ {
		s.overrun[seq] = true
	}
	if !follow {
		return
	}
	used := s.flight.Used()
	if s.out.Follows(s.now, b) {
		s.sendBatch(b)
	}
	s.checkFlight(used)
}

// send puts a frame on the path.
func (s *simulation) send(do func()) {
	copies := 1
	if s.rand.Float64() < s.path.double {
		copies = 2
	}
	for range copies {
		if s.rand.Float64() < s.path.loss {
			continue
		}
		at := s.now + s.path.delay + time.Duration(s.rand.Int64N(int64(s.path.jitter)+1))
		heap.Push(&s.flying, arrival{at, do})
	}
}

func (s *simulation) sendBatch(b Batch) {
	h := wire.Header{Class: wire.Event, Stream: 1, Epoch: scenarioEpoch, Seq: b.Seq, Count: b.Count}
	s.send(func() {
		out, _ := s.in.Receive(s.now, h, payloadOf(h), -1, nil)
		s.take(out)
	})
}

// step moves time by a tick: frames arrive, both ends do what is due.
func (s *simulation) step() {
	s.now += tick
	for len(s.flying) > 0 && s.flying[0].at <= s.now {
		heap.Pop(&s.flying).(arrival).do()
	}
	if at, due := s.in.AckDue(); due && at <= s.now {
		p := s.in.Position()
		s.in.Acked(s.now)
		s.send(func() { s.out.Ack(s.now, overWire(s.t, p)) })
	}
	used, rtt := s.flight.Used(), 2*s.path.delay+s.path.jitter
	for item, ok := s.out.Next(s.now, rtt); ok; item, ok = s.out.Next(s.now, rtt) {
		if g := item.Gap; g.From != 0 {
			s.send(func() { s.take(s.in.Gap(s.now, g, nil)) })
		} else {
			s.sendBatch(item.Batch)
		}
	}
	s.checkFlight(used)
	if wake := s.out.Wake(); wake <= s.now {
		s.t.Fatalf("at %v wants to be woken at %v", s.now, wake)
	}
}

// checkFlight checks that nothing new was sent for which there was no room. An acknowledgement may take room away: the receiver
// had to let go of something, or an older one came late.
func (s *simulation) checkFlight(before int) {
	if used := s.flight.Used(); used > before && used > s.flight.limit && !s.alone(used) {
		s.t.Fatalf("%d bytes in flight, more than %d", used, s.flight.limit)
	}
	used, held, bytes := 0, 0, 0
	for _, e := range s.out.sent {
		bytes += e.size
		if e.received {
			held += e.size
		} else {
			used += e.size
		}
	}
	tentative := 0
	if s.out.tentative {
		tentative = bytes
	}
	if s.flight.used != used || s.flight.held != held || s.flight.tentative != tentative || s.out.bytes != bytes {
		s.t.Fatalf("%+v, %d bytes of the outbox; it has %d under way and %d held", s.flight, s.out.bytes, used, held)
	}
}

// alone reports whether the flight is one batch that is larger than its bound.
func (s *simulation) alone(used int) bool {
	return slices.ContainsFunc(s.out.sent, func(e sent) bool { return e.size == used })
}

// overWire is what remains of a position on its way: at most 32 ranges.
func overWire(t *rapid.T, p wire.Position) wire.Position {
	_, positions, err := wire.ParseAck(wire.AppendAck(nil, wire.LevelReceived, []wire.Position{p}))
	if err != nil {
		t.Fatalf("position %+v: %v", p, err)
	}
	return positions[0]
}

// take is the application: it checks that everything comes in order and once.
func (s *simulation) take(out []Delivery) {
	for _, d := range out {
		from, to := d.Header.Seq+uint64(d.Skip), d.Header.Seq+uint64(d.Skip+d.Take)-1
		if g := d.Gap; g.From != 0 {
			from, to = g.From, g.To
			s.gapped += int(to - from + 1)
			for seq := from; seq <= to; seq++ {
				if !s.overrun[seq] {
					s.t.Fatalf("declared %d missing, which the ring holds", seq)
				}
			}
		} else if string(d.Payload) != string(payloadOf(d.Header)) || d.Take < 1 || to > d.Header.Last() {
			s.t.Fatalf("delivery %+v with payload %q", d, d.Payload)
		}
		if from != s.expected {
			s.t.Fatalf("got %d to %d, want %d", from, to, s.expected)
		}
		s.expected = to + 1
	}
}

// TestEventExactlyOnce: whatever the paths do, each sample comes once and in
// order, or is declared missing because the ring had to overwrite it (I1).
func TestEventExactlyOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSimulation(t)
		for range rapid.IntRange(1, 8).Draw(t, "phases") {
			s.path = drawConditions(t)
			if rapid.Bool().Draw(t, "switched") {
				s.out.Switched(s.now)
			}
			rate := rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "rate")
			for range rapid.IntRange(1, 300).Draw(t, "ticks") {
				if s.rand.Float64() < rate {
					s.produce(true)
				}
				s.step()
			}
		}
		s.settle()
	})
}

// settle gives the two ends a good path, and time: for the longest back-off,
// and for what is left to send.
func (s *simulation) settle() {
	s.path = conditions{delay: 10 * time.Millisecond}
	perBatch := ackDelay + 2*s.path.delay + tick // where the flight holds only one
	end := s.now + resendMax + 10*time.Second + time.Duration(s.ring.Head()-s.expected+1)*perBatch
	for s.now < end && (s.expected <= s.ring.Head() || s.flight.Unacknowledged() > 0) {
		s.step()
	}
	if s.expected != s.ring.Head()+1 {
		s.t.Fatalf("got everything up to %d, want %d", s.expected-1, s.ring.Head())
	}
	if s.early.Used() != 0 {
		s.t.Fatalf("%d bytes are held for nothing", s.early.Used())
	}
	if s.flight.Unacknowledged() != 0 || !s.out.Following() {
		s.t.Fatalf("%+v, following %v at the end", s.flight, s.out.Following())
	}
	st := s.in.Stats()
	if total := s.ring.Head() - s.out.Start(); st.Delivered+st.Missing != total || st.Missing != uint64(s.gapped) {
		s.t.Fatalf("%+v of %d samples, %d declared", st, total, s.gapped)
	}
}

// TestLiveAtMostOnce: no sample twice, the newest never goes back, and what
// never came is counted as lost.
func TestLiveAtMostOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := NewInbox(1, wire.Live, scenarioEpoch, 0, nil)
		got, came := map[uint64]bool{}, map[uint64]bool{}
		newest := uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "frames") {
			h := wire.Header{
				Class: wire.Live, Stream: 1, Epoch: scenarioEpoch, Deadline: 100,
				Seq: uint64(rapid.IntRange(1, 200).Draw(t, "seq")), Count: rapid.IntRange(1, 20).Draw(t, "count"),
			}
			age := time.Duration(rapid.SampledFrom([]int{-1, 50, 150}).Draw(t, "age ms")) * time.Millisecond
			out, reason := in.Receive(0, h, nil, age, nil)
			if (len(out) == 0) != (reason != "") {
				t.Fatalf("%d deliveries, dropped for %q", len(out), reason)
			}
			for _, d := range out {
				for seq := h.Seq + uint64(d.Skip); seq < h.Seq+uint64(d.Skip+d.Take); seq++ {
					if got[seq] {
						t.Fatalf("%d came twice", seq)
					}
					if d.Late != (seq <= newest) {
						t.Fatalf("%d late: %v, after %d", seq, d.Late, newest)
					}
					got[seq] = true
				}
				if d.Newest != (h.Last() > newest && d.Skip+d.Take == h.Count) {
					t.Fatalf("newest: %v for %+v after %d", d.Newest, d, newest)
				}
			}
			for seq := h.Seq; seq <= h.Last(); seq++ {
				came[seq] = true
			}
			newest = max(newest, h.Last())
		}
		checkLive(t, in.Stats(), got, came)
	})
}

func checkLive(t *rapid.T, s Stats, got, came map[uint64]bool) {
	first, last := uint64(1<<40), uint64(0)
	for seq := range came {
		first, last = min(first, seq), max(last, seq)
	}
	if lost := last - first + 1 - uint64(len(came)); s.Lost != lost {
		t.Fatalf("lost %d, want %d", s.Lost, lost)
	}
	if s.Delivered != uint64(len(got)) || s.Delivered+s.Expired != uint64(len(came)) {
		t.Fatalf("%+v; %d delivered, %d came", s, len(got), len(came))
	}
}
