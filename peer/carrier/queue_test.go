package carrier

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

var start = time.Unix(1_800_000_000, 0)

// frame makes a frame of ten bytes or more whose text the tables read.
func frame(class wire.Class, text string, stream uint32, ttl time.Duration) Frame {
	f := Frame{Bytes: []byte(text), Class: class, Stream: stream}
	if ttl != 0 {
		f.Deadline = start.Add(ttl)
	}
	return f
}

func live(text string, stream uint32) Frame { return frame(wire.Live, text, stream, 0) }

func small(bytes, frames int) (l Limits) {
	for i := range l {
		l[i] = Depth{Bytes: bytes, Frames: frames}
	}
	return l
}

func TestWhatYieldsFillsHalf(t *testing.T) {
	q := NewQueue(small(100, 4))
	passed := frame(wire.Signal, "passed on ", 0, 0)
	passed.Yields = true
	for i, want := range []bool{true, true, false} {
		if q.Push(passed) != want {
			t.Errorf("frame %d that yields: %v", i+1, !want)
		}
	}
	for range 2 {
		if !q.Push(frame(wire.Signal, "our own", 0, 0)) {
			t.Error("no room for our own")
		}
	}
	if q.Push(frame(wire.Signal, "too many", 0, 0)) || q.Drops()[QueueFull] != 2 {
		t.Errorf("dropped %v", q.Drops())
	}
}

func TestTakeOrder(t *testing.T) {
	const ms = time.Millisecond
	control := Frame{Bytes: []byte("ack "), Control: true}
	cases := []struct {
		name   string
		limits Limits
		push   []Frame
		after  time.Duration
		limit  int
		want   []string // packet by packet, each frame ends with a space
		drops  Drops
	}{
		{
			name: "by urgency, and an event within its share",
			push: []Frame{
				frame(wire.History, "history ", 1, 0), frame(wire.Event, "event ", 1, 0), live("live ", 1), frame(wire.Event, strings.Repeat("e", 19)+" ", 1, 0),
				frame(wire.Setpoint, "set ", 1, 0), control, frame(wire.Call, "call ", 1, 0), frame(wire.Signal, "signal ", 0, 0),
			},
			limit: 100,
			want:  []string{"signal call ack set event live " + strings.Repeat("e", 19) + " history "},
		},
		{
			name:  "data do not overtake a signal that does not fit: it may describe them",
			push:  []Frame{frame(wire.Signal, "opened ", 0, 0), frame(wire.Signal, "described ", 0, 0), live("live ", 1), frame(wire.Call, "stop ", 1, 0)},
			limit: 12,
			want:  []string{"opened stop ", "described ", "live "},
		},
		{
			name:  "a packet holds what fits",
			push:  []Frame{frame(wire.Event, "aaaa ", 1, 0), frame(wire.Event, "bbbb ", 1, 0), frame(wire.Event, "cccc ", 1, 0)},
			limit: 10,
			want:  []string{"aaaa bbbb ", "cccc "},
		},
		{
			name:  "a longer frame goes alone",
			push:  []Frame{frame(wire.Event, "a ", 1, 0), frame(wire.Event, strings.Repeat("b", 19)+" ", 1, 0), frame(wire.Event, "c ", 1, 0)},
			limit: 10,
			want:  []string{"a ", strings.Repeat("b", 19) + " ", "c "},
		},
		{
			name:  "the newest live packet first, in order within",
			push:  []Frame{live("a1 ", 1), live("b1 ", 2), live("a2 ", 1), live("b2 ", 2), live("a3 ", 1)},
			limit: 6,
			want:  []string{"b2 a3 ", "b1 a2 ", "a1 "},
		},
		{
			name: "past its deadline, unless the newest of its stream",
			push: []Frame{
				frame(wire.Live, "a1 ", 1, 10*ms), frame(wire.Live, "a2 ", 1, 20*ms), frame(wire.Live, "b1 ", 2, 10*ms),
				frame(wire.Live, "c1 ", 3, 0), frame(wire.Live, "c2 ", 3, 100*ms),
			},
			after: 50 * ms,
			limit: 100,
			want:  []string{"a2 b1 c1 c2 "},
			drops: Drops{Deadline: 1},
		},
		{
			name:  "at its deadline it is still good",
			push:  []Frame{frame(wire.Live, "a1 ", 1, 50*ms), frame(wire.Live, "a2 ", 1, 50*ms)},
			after: 50 * ms,
			limit: 100,
			want:  []string{"a1 a2 "},
		},
		{
			name: "the newest of a stream on another Conn is another one",
			push: []Frame{
				{Bytes: []byte("x "), Class: wire.Live, Conn: 1, Stream: 1, Deadline: start},
				{Bytes: []byte("y "), Class: wire.Live, Conn: 2, Stream: 1, Deadline: start},
			},
			after: 50 * ms,
			limit: 100,
			want:  []string{"x y "},
		},
		{
			name:   "a full live lane keeps every stream's newest",
			limits: small(1000, 3),
			push:   []Frame{live("slow ", 1), live("b1 ", 2), live("b2 ", 2), live("b3 ", 2), live("b4 ", 2)},
			limit:  100,
			want:   []string{"slow b3 b4 "},
			drops:  Drops{QueueFull: 2},
		},
		{
			name:   "a full live lane of newest ones loses its oldest",
			limits: small(1000, 2),
			push:   []Frame{live("a ", 1), live("b ", 2), live("c ", 3)},
			limit:  100,
			want:   []string{"b c "},
			drops:  Drops{QueueFull: 1},
		},
		{
			name:   "bytes bound it too",
			limits: small(10, 100),
			push:   []Frame{live("aaaa ", 1), live("bbbb ", 1), live("cccc ", 1)},
			limit:  100,
			want:   []string{"bbbb cccc "},
			drops:  Drops{QueueFull: 1},
		},
		{
			name:  "a setpoint takes the place of the older one",
			push:  []Frame{frame(wire.Setpoint, "a1 ", 1, 0), frame(wire.Setpoint, "b1 ", 2, 0), frame(wire.Setpoint, "a2 ", 1, 0)},
			limit: 100,
			want:  []string{"a2 b1 "},
			drops: Drops{Replaced: 1},
		},
		{
			name:  "control frames never replace one another",
			push:  []Frame{control, control, control},
			limit: 100,
			want:  []string{"ack ack ack "},
		},
		{
			name:   "events, calls, signals and history are refused",
			limits: small(1000, 1),
			push: []Frame{
				frame(wire.Event, "e1 ", 1, 0), frame(wire.Event, "e2 ", 1, 0), frame(wire.Call, "c1 ", 1, 0), frame(wire.Call, "c2 ", 1, 0),
				frame(wire.Signal, "s1 ", 1, 0), frame(wire.Signal, "s2 ", 1, 0), frame(wire.History, "h1 ", 1, 0), frame(wire.History, "h2 ", 1, 0),
			},
			limit: 100,
			want:  []string{"s1 c1 e1 h1 "},
			drops: Drops{QueueFull: 4},
		},
		{
			name:  "empty and huge frames are refused",
			push:  []Frame{live("", 1), live(strings.Repeat("x", wire.MaxPacket+1), 1)},
			limit: 100,
			drops: Drops{Limit: 2},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q := NewQueue(c.limits)
			for _, f := range c.push {
				q.Push(f)
			}
			var got []string
			var b Batch
			for {
				if !q.Take(start.Add(c.after), AllLanes, c.limit, &b) {
					break
				}
				got = append(got, string(b.Packet))
				if n := len(b.Frames); n != strings.Count(string(b.Packet), " ") {
					t.Errorf("%q is told to be %d frames", b.Packet, n)
				}
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if q.Drops() != c.drops {
				t.Errorf("drops %v, want %v", q.Drops(), c.drops)
			}
			if d := q.Depth(AllLanes); d != (Depth{}) || len(q.newest) != 0 {
				t.Errorf("empty, it has %+v and remembers %d streams", d, len(q.newest))
			}
		})
	}
}

// TestWhatItsSenderWantsNoMoreIsDropped: of two who send History, one has left this path.
func TestWhatItsSenderWantsNoMoreIsDropped(t *testing.T) {
	q := NewQueue(Limits{})
	var left, stays atomic.Bool
	for i, void := range []*atomic.Bool{&left, &stays, &left, nil} {
		f := frame(wire.History, fmt.Sprintf("h%d ", i), 1, 0)
		f.Void = void
		q.Push(f)
	}
	left.Store(true)
	var b Batch
	if !q.Take(start, AllLanes, 100, &b) || string(b.Packet) != "h1 h3 " {
		t.Errorf("took %q", b.Packet)
	}
	if q.Depth(AllLanes) != (Depth{}) || q.Drops() != (Drops{NoPath: 2}) {
		t.Errorf("%+v are left, drops %v", q.Depth(AllLanes), q.Drops())
	}
}

// TestWhoSentKnowsWhatWaits: whatever becomes of a frame, it waits as long as it is in the queue.
func TestWhoSentKnowsWhatWaits(t *testing.T) {
	limits := small(1000, 3)
	limits[LaneLive].Frames = 1
	q := NewQueue(limits)
	var waiting atomic.Int64
	push := func(class wire.Class) {
		f := frame(class, "1234", 1, 0)
		f.Waiting = &waiting
		q.Push(f)
	}
	expect := func(when string, want int64) {
		t.Helper()
		if got := waiting.Load(); got != want {
			t.Errorf("%s: %d wait, want %d", when, got, want)
		}
	}
	for range 4 {
		push(wire.Event)
	}
	expect("one is refused", 3)
	push(wire.Live)
	push(wire.Live)
	expect("one is dropped for another", 4)
	push(wire.Setpoint)
	push(wire.Setpoint)
	expect("one is replaced", 5)
	var b Batch
	q.Take(start, SetOf(LaneEvent), 8, &b)
	expect("two are taken", 3)
	q.Return(&b)
	expect("they come back", 5)
	q.Clear()
	expect("the path is gone", 0)
}

func TestPushTellsWhetherItAccepted(t *testing.T) {
	q := NewQueue(small(1000, 1))
	for _, class := range []wire.Class{wire.Signal, wire.Call, wire.Event, wire.History} {
		if !q.Push(frame(class, "1 ", 1, 0)) || q.Push(frame(class, "2 ", 1, 0)) {
			t.Errorf("%v: the first is accepted, the second refused", class)
		}
	}
	for _, class := range []wire.Class{wire.Live, wire.Setpoint} {
		if !q.Push(frame(class, "1 ", 1, 0)) || !q.Push(frame(class, "2 ", 2, 0)) {
			t.Errorf("%v: the newer is accepted, the older lost", class)
		}
	}
}

func TestEventsNeverStarve(t *testing.T) {
	q := NewQueue(Limits{})
	event := strings.Repeat("e", 500)
	for range 10 {
		q.Push(frame(wire.Event, event, 1, 0))
	}
	events, bytes := 0, 0
	var b Batch
	for range 100 {
		for range 20 { // twice what a packet takes
			q.Push(live(strings.Repeat("l", 100), 1))
		}
		q.Take(start, AllLanes, 1000, &b)
		events += strings.Count(string(b.Packet), event)
		bytes += strings.Count(string(b.Packet), "l")
	}
	if events != 10 {
		t.Errorf("%d of 10 events left in 100 packets full of live samples", events)
	}
	if bytes < 90_000 {
		t.Errorf("live samples had only %d of 100,000 bytes", bytes)
	}
}

func TestLanesAreTakenApart(t *testing.T) {
	q := NewQueue(Limits{})
	q.Push(frame(wire.Event, "event ", 1, 0))
	q.Push(live("live ", 1))
	b := Batch{Packet: []byte("old")}
	if !q.Take(start, SetOf(LaneLive), 100, &b) || string(b.Packet) != "live " {
		t.Errorf("got %q", b.Packet)
	}
	if d := q.Depth(SetOf(LaneEvent)); d != (Depth{Frames: 1, Bytes: 6}) {
		t.Errorf("event lane: %+v", d)
	}
	q.Clear()
	if got := q.Drops()[NoPath]; got != 1 {
		t.Errorf("%d drops for want of a path", got)
	}
}

func TestReturn(t *testing.T) {
	const ms = time.Millisecond
	setpoint := func(text string, stream uint32) Frame { return frame(wire.Setpoint, text, stream, 0) }
	q := NewQueue(small(1000, 5))
	for _, f := range []Frame{setpoint("s1 ", 1), setpoint("t1 ", 2), frame(wire.Live, "a1 ", 1, 10*ms), frame(wire.Live, "b1 ", 2, 10*ms)} {
		q.Push(f)
	}
	var b Batch
	q.Take(start, AllLanes, 100, &b)
	for _, f := range []Frame{setpoint("s2 ", 1), live("a2 ", 1), frame(wire.Event, "e ", 1, 0)} {
		q.Push(f)
	}
	q.Return(&b)
	if len(b.Frames) != 0 || len(b.Packet) != 0 {
		t.Errorf("what was returned is still held: %q", b.Packet)
	}
	q.Take(start.Add(20*ms), AllLanes, 100, &b)
	if got := string(b.Packet); got != "t1 s2 e b1 a2 " {
		t.Errorf("got %q: a1 has expired and s1 was replaced meanwhile, b1 and t1 are their streams' newest", got)
	}
	if want := (Drops{Deadline: 1, Replaced: 1}); q.Drops() != want {
		t.Errorf("drops %v", q.Drops())
	}
	q.Take(start, AllLanes, 100, &b)
	for n := range uint32(5) {
		q.Push(live("x ", 10+n))
	}
	b.Frames = append(b.Frames, live("old ", 1))
	q.Return(&b)
	if want := (Drops{Deadline: 1, Replaced: 1, QueueFull: 1}); q.Drops() != want {
		t.Errorf("drops of a full queue %v", q.Drops())
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	q := NewQueue(Limits{})
	sample, setpoint := live("sample", 1), frame(wire.Setpoint, "setpoint", 2, 0)
	var batch Batch
	work := func() {
		for n := range uint32(10) {
			sample.Stream = n
			q.Push(sample)
			q.Push(setpoint)
		}
		q.Take(start, AllLanes, 1000, &batch)
	}
	work()
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations for 20 frames", n)
	}
}

func BenchmarkPushTake(b *testing.B) {
	q := NewQueue(Limits{})
	sample := live(strings.Repeat("s", 100), 1)
	var batch Batch
	b.ReportAllocs()
	for b.Loop() {
		q.Push(sample)
		q.Take(start, AllLanes, 1<<10, &batch)
	}
}

func BenchmarkPushOntoFull(b *testing.B) {
	q := NewQueue(Limits{})
	sample := live(strings.Repeat("s", 100), 1)
	for n := range uint32(256) { // the newest of 256 quiet streams in front
		quiet := sample
		quiet.Stream = 2 + n
		q.Push(quiet)
	}
	b.ReportAllocs()
	for b.Loop() {
		q.Push(sample)
	}
}

// TestNoStreamIsLeftOut: on a path too narrow for all streams each sends its
// newest sample in its turn.
func TestNoStreamIsLeftOut(t *testing.T) {
	const streams, size = 10, 100
	q := NewQueue(Limits{})
	now := time.Unix(1, 0)
	var b Batch
	sent := map[uint32]int{}
	for tick := range 300 {
		for s := range uint32(streams) {
			f := Frame{Bytes: make([]byte, size), Class: wire.Live, Stream: s + 1, Deadline: now.Add(250 * time.Millisecond)}
			q.Push(f)
		}
		if q.Take(now, AllLanes, 3*size, &b) {
			for _, f := range b.Frames {
				sent[f.Stream]++
			}
		}
		now = now.Add(10 * time.Millisecond)
		if tick == 100 && len(sent) != streams {
			t.Errorf("%d of %d streams were sent", len(sent), streams)
		}
	}
	for s, n := range sent {
		if n < 300*3/streams-5 || n > 300*3/streams+5 {
			t.Errorf("stream %d was sent %d times", s, n)
		}
	}
}

// TestShorten: what does not fit waits again, where it was.
func TestShorten(t *testing.T) {
	q := NewQueue(Limits{})
	for n := range 5 {
		f := fresh(wire.Event, 1, 100)
		f.Bytes[99] = byte(n)
		q.Push(f)
	}
	var b, rest Batch
	q.Take(time.Now(), AllLanes, 1000, &b)
	q.Push(fresh(wire.Live, 2, 100))
	q.Shorten(&b, 250)
	if len(b.Packet) > 250 || len(b.Frames) != 2 || b.Lanes() != SetOf(LaneEvent) {
		t.Fatalf("it has %d bytes, %d frames", len(b.Packet), len(b.Frames))
	}
	q.Take(time.Now(), SetOf(LaneEvent), 1000, &rest)
	if len(rest.Frames) != 3 || rest.Frames[0].Bytes[99] != 2 || rest.Frames[2].Bytes[99] != 4 {
		t.Errorf("%d frames wait again", len(rest.Frames))
	}
	if q.Shorten(&rest, 10); len(rest.Frames) != 1 {
		t.Errorf("%d frames are left where one does not fit", len(rest.Frames))
	}
}
