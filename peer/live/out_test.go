package live

import (
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Each seed is a minute of a link; what is asked for holds for all of them together.
const seeds = 10

func TestNothingIsAddedOnACleanPath(t *testing.T) {
	w := newWorld(t, 1, link{delay: 25 * time.Millisecond})
	w.run(time.Minute, 200)
	s := w.out.Stats()
	if s.Repairs+s.Parities+s.Lost != 0 || s.Packets != w.next || w.within(0, 59*time.Second) < 1 {
		t.Errorf("%d frames: %v", w.next, w)
	}
	if w.receipts > 4*60+5 {
		t.Errorf("%d receipts in a minute", w.receipts)
	}
}

func TestLossIsRepairedOrCovered(t *testing.T) {
	for _, c := range []struct {
		name  string
		link  link
		least float64 // share within the deadline
		most  float64 // bytes, × those of the frames
	}{
		{"repair in time", link{delay: 50 * time.Millisecond, loss: 0.05}, 0.994, 1.2},
		{"repair in time, reordered and doubled", link{delay: 50 * time.Millisecond, jitter: 8 * time.Millisecond, loss: 0.05, double: 0.02}, 0.994, 1.3},
		{"repair too late", link{delay: 150 * time.Millisecond, loss: 0.1}, 0.995, 2.3},
		{"repair too late, little loss", link{delay: 150 * time.Millisecond, loss: 0.02}, 0.997, 2.3},
		{"one in five lost", link{delay: 150 * time.Millisecond, loss: 0.2}, 0.97, 2.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			within, bytes := 0.0, 0.0
			for seed := range uint64(seeds) {
				w := newWorld(t, seed, c.link)
				w.run(time.Minute, 200)
				within += w.within(5*time.Second, 59*time.Second) / seeds
				bytes += float64(w.bytes) / float64(w.next*204) / seeds
			}
			t.Logf("%.4f in time with %.2f × the bytes", within, bytes)
			if within < c.least || bytes > c.most {
				t.Errorf("want at least %.4f with at most %.2f", c.least, c.most)
			}
		})
	}
}

// TestWhatIsLostDoesNotWaitForTheNextPacket: one packet in twenty is lost, and three trips and the time until it is overdue
// are all that it costs. Where packets come when they like, few are sent again for nothing.
func TestWhatIsLostDoesNotWaitForTheNextPacket(t *testing.T) {
	for _, c := range []struct {
		name   string
		jitter time.Duration
		age    time.Duration // of 98 in 100 at most
		most   float64       // frames sent again, × those lost
	}{
		{"regular", 0, 160 * time.Millisecond, 2.1},
		{"jitter", 20 * time.Millisecond, 208 * time.Millisecond, 2.6},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, link{delay: 50 * time.Millisecond, loss: 0.05, jitter: c.jitter})
			w.period = 30 * time.Millisecond
			w.run(10*time.Minute, 300)
			age, again := w.age(0.98, 5*time.Second, 599*time.Second), float64(w.out.Stats().Repairs)/float64(w.next)/0.05
			t.Logf("98 in 100 after %v; %.2f sent again for each that was lost", age, again)
			if age > c.age || again > c.most {
				t.Errorf("want %v and %.2f at most", c.age, c.most)
			}
		})
	}
}

// TestWhatIsOverdueIsSentAgainOnce: a receipt that has been held names no packet that left too late to be there, and the
// one that shows the hole afterwards has nothing sent a third time.
func TestWhatIsOverdueIsSentAgainOnce(t *testing.T) {
	const ms = time.Millisecond
	o := NewOut()
	pack := func(now time.Duration) { o.Pack(now, []Frame{{Bytes: make([]byte, 100), Key: 1, Until: now + 250*ms}}) }
	receipt := func(now time.Duration, newest uint64, held time.Duration, runs ...wire.Run) {
		o.Receipt(now, wire.Receipt{Newest: newest, Held: uint64(held / time.Microsecond), Runs: runs})
	}
	repairs := func(now time.Duration) uint64 {
		for _, due := o.Next(now); due; _, due = o.Next(now) {
		}
		return o.Stats().Repairs
	}
	pack(0)
	receipt(100*ms, 1, 0, wire.Run{Came: 1})
	pack(200 * ms) // 2
	pack(230 * ms) // 3
	pack(260 * ms) // 4
	receipt(338*ms, 2, 33*ms, wire.Run{Came: 2})
	if n := repairs(338 * ms); n != 0 {
		t.Fatalf("%d sent again when the next one might have been 3 ms late", n)
	}
	receipt(339*ms, 2, 34*ms, wire.Run{Came: 2})
	receipt(340*ms, 2, 35*ms, wire.Run{Came: 2})
	if n := repairs(340 * ms); n != 1 {
		t.Fatalf("%d sent again, want the third alone, once", n)
	}
	if o.Stats().Lost != 0 {
		t.Error("what is overdue counts as lost before that is known")
	}
	receipt(365*ms, 4, 0, wire.Run{Came: 1, Missed: 1}, wire.Run{Came: 2})
	if n := repairs(365 * ms); n != 1 || o.Stats().Lost != 1 {
		t.Errorf("%d sent again, %d lost, when the hole shows; want one of each", n, o.Stats().Lost)
	}
}

// TestWhatThePathDidNotTakeLeavesNoHole: the next packet has the number of the one that was not taken, asks what that asked, and
// carries what was to be sent again with it.
func TestWhatThePathDidNotTakeLeavesNoHole(t *testing.T) {
	const ms = time.Millisecond
	o := NewOut()
	pack := func(now time.Duration) (serial wire.Serial, bytes int) {
		packet := o.Pack(now, []Frame{{Bytes: make([]byte, 100), Key: 1, Until: now + 250*ms}})
		serial, _, _ = serialOf(packet)
		return serial, len(packet)
	}
	pack(1 * ms)
	pack(11 * ms)
	pack(21 * ms)
	o.Receipt(30*ms, wire.Receipt{Newest: 3, Runs: []wire.Run{{Came: 1, Missed: 1}, {Came: 1}}})
	before := o.Stats()
	first, bytes := pack(400 * ms)
	o.Unsent()
	if o.Stats() != before {
		t.Errorf("%+v, and %+v when the packet was taken back", before, o.Stats())
	}
	again, same := pack(401 * ms)
	if first.Number != 4 || !first.Ask || again != first || same != bytes {
		t.Errorf("first %+v, then %+v; %d and %d bytes", first, again, bytes, same)
	}

	// A packet with nothing fresh comes again as well.
	o = NewOut()
	pack(1 * ms)
	pack(11 * ms)
	pack(21 * ms)
	o.Receipt(30*ms, wire.Receipt{Newest: 3, Runs: []wire.Run{{Came: 1, Missed: 1}, {Came: 1}}})
	for _, now := range []time.Duration{31 * ms, 32 * ms} {
		packet, due := o.Next(now)
		if serial, _, _ := serialOf(packet); !due || serial.Number != 4 || o.Stats().Repairs != 1 {
			t.Fatalf("%v, %+v, %+v", due, serial, o.Stats())
		}
		if now == 31*ms {
			o.Unsent()
		}
	}
	if _, bytes := pack(33 * ms); bytes < 200 {
		t.Errorf("%d bytes: the second repair does not ride along", bytes)
	}
}

// TestWhatWaitedIsNotSentAgain: what was to be sent again waits while no packet may leave, and is worth nothing by then.
func TestWhatWaitedIsNotSentAgain(t *testing.T) {
	const ms = time.Millisecond
	o := NewOut()
	pack := func(now time.Duration) (bytes int) {
		return len(o.Pack(now, []Frame{{Bytes: make([]byte, 100), Key: 1, Until: now + 250*ms}}))
	}
	for _, at := range []time.Duration{1 * ms, 11 * ms, 21 * ms} {
		pack(at)
	}
	o.Receipt(30*ms, wire.Receipt{Newest: 3, Runs: []wire.Run{{Came: 1, Missed: 1}, {Came: 1}}})
	if bytes := pack(2000 * ms); bytes >= 200 || o.Stats().Repairs != 0 {
		t.Errorf("%d bytes, %+v: what was sent 2 s ago rides along", bytes, o.Stats())
	}
}

// TestParitiesDoNotLeaveAlone: a connection begins with a packet for each sample. Where batches of two and three alternate later
// on, the next one is not expected as early as these were, and no parity leaves in a packet of its own before it.
func TestParitiesDoNotLeaveAlone(t *testing.T) {
	w := newWorld(t, 1, link{delay: 150 * time.Millisecond, loss: 0.1})
	w.period = time.Hour
	w.run(tick, 300) // makes one at zero
	batches := func(n int, every ...time.Duration) {
		for i := range n {
			w.make(300)
			w.run(every[i%len(every)], 300)
		}
	}
	const ms = time.Millisecond
	batches(100, 10*ms)
	batches(100, 20*ms, 30*ms)
	before, was := w.next, w.out.Stats()
	batches(400, 20*ms, 30*ms)
	s := w.out.Stats()
	if alone := s.Packets - was.Packets - (w.next - before); alone > 4 || s.Parities-was.Parities < 390 {
		t.Errorf("beside 400 batches there were %d packets, and %d had parities", alone, s.Parities-was.Parities)
	}
}

// TestFadesCostOnlyWhatNobodyCouldSave compares with what would be lost without mending.
func TestFadesCostOnlyWhatNobodyCouldSave(t *testing.T) {
	l := link{delay: 50 * time.Millisecond, fade: 200 * time.Millisecond, fadeGap: 4 * time.Second}
	lost, faded := 0.0, 0.0
	for seed := range uint64(seeds) {
		w := newWorld(t, seed, l)
		w.run(time.Minute, 200)
		lost += 1 - w.within(5*time.Second, 59*time.Second)
		bare := newWorld(t, seed, l)
		for bare.now = 0; bare.now < time.Minute; bare.now += bare.period {
			if bare.isDark() {
				faded += 1.0 / 3000
			}
		}
	}
	t.Logf("lost %.3f, faded %.3f", lost/seeds, faded/seeds)
	if lost > 0.5*faded {
		t.Errorf("%.1f %% of what fades lost is mended", 100*(1-lost/faded))
	}
}

// TestTheFirstFadeIsNoLossThatCouldBeSaved: nothing was lost before, so that no packet carries a parity, and what is told when
// the light is back comes too late for most.
func TestTheFirstFadeIsNoLossThatCouldBeSaved(t *testing.T) {
	for _, dark := range []time.Duration{150, 250, 300, 390, 450} { // ms
		w := newWorld(t, 1, link{delay: 50 * time.Millisecond})
		begin := 10 * time.Second
		w.link.dark = [2]time.Duration{begin, begin + dark*time.Millisecond}
		w.run(15*time.Second, 200)
		lost, hopeless := 0, 0
		for number, made := range w.made {
			if came, ok := w.came[number]; !ok || came > made+w.deadline {
				lost++
			}
			if made >= begin && made < w.link.dark[1] && w.link.dark[1]+w.link.delay > made+w.deadline {
				hopeless++
			}
		}
		t.Logf("dark for %d ms: %d lost, %d had no chance", dark, lost, hopeless)
		if lost > hopeless+5 {
			t.Errorf("%d that had a chance were lost in %d ms", lost-hopeless, dark)
		}
	}
}

func TestANarrowPathIsNotFilled(t *testing.T) {
	for _, l := range []link{
		{delay: 25 * time.Millisecond, rate: 8000, queue: time.Second},
		{delay: 100 * time.Millisecond, rate: 8000, queue: 2 * time.Second, loss: 0.02},
		{delay: 25 * time.Millisecond, rate: 16000, queue: 500 * time.Millisecond},
	} {
		for seed := range uint64(3) {
			w := newWorld(t, seed, l)
			w.run(30*time.Second, 400) // 20 kB a second, and the packets' own cost
			late, worst := 0, time.Duration(0)
			for number, came := range w.came {
				if made := w.made[number]; made > 10*time.Second {
					worst = max(worst, came-made)
					if came-made > 2*w.deadline {
						late++
					}
				}
			}
			if share := float64(late) / float64(len(w.came)); share > 0.05 {
				t.Errorf("%+v: %.0f %% came after twice the deadline, %v at worst; %v", l, 100*share, worst, w)
			}
			if len(w.came) < int(0.4*l.rate*30/500) {
				t.Errorf("%+v: only %d frames came: %v", l, len(w.came), w)
			}
		}
	}
}

// TestABusyReceiverIsNoQueue: one that has little time for a moment, as a page that begins to draw, answers
// late, and then at once. What it gets afterwards is not bounded.
func TestABusyReceiverIsNoQueue(t *testing.T) {
	const idle, busy = 10 * time.Millisecond, 250 * time.Millisecond
	for seed := range uint64(20) {
		w := newWorld(t, seed, link{delay: idle})
		w.period = 5 * time.Millisecond
		w.run(2*time.Second, 150)
		for ; w.link.delay < busy; w.link.delay += 4 * time.Millisecond { // it reads ever later
			w.run(w.period, 150)
		}
		w.run(500*time.Millisecond, 150)
		for ; w.link.delay > idle; w.link.delay -= w.period { // and then all at once
			w.run(w.period, 150)
		}
		w.link.delay = idle
		since := w.now
		w.run(3*time.Second, 150)
		if in := w.within(since+100*time.Millisecond, w.now-time.Second); in < 1 {
			t.Errorf("seed %d: %.2f %% in time: %v", seed, 100*in, w)
		}
	}
}

// TestALongerPathIsNoQueue: where the way becomes longer, as with another cell or network, sending less does not make it
// shorter. Nothing but that is lost of what comes behind the first second.
func TestALongerPathIsNoQueue(t *testing.T) {
	for loss, least := range map[float64]float64{0: 1, 0.05: 0.99} {
		for seed := range uint64(20) {
			w := newWorld(t, seed, link{delay: 10 * time.Millisecond, loss: loss})
			w.run(5*time.Second, 150)
			w.link.delay += 50 * time.Millisecond
			moved := w.now
			w.run(15*time.Second, 150)
			if in := w.within(moved+time.Second, w.now-time.Second); in < least {
				t.Errorf("seed %d, loss %v: %.2f %% in time: %v", seed, loss, 100*in, w)
			}
		}
	}
}

func TestAfterDarknessTheNewestComesAtOnce(t *testing.T) {
	for seed := range uint64(seeds) {
		w := newWorld(t, seed, link{delay: 25 * time.Millisecond, dark: [2]time.Duration{5 * time.Second, 15 * time.Second}})
		w.run(16*time.Second, 300)
		fresh := time.Hour
		for number, came := range w.came {
			if w.made[number] >= 14900*time.Millisecond {
				fresh = min(fresh, came-15*time.Second)
			}
			if made := w.made[number]; came > made+w.deadline {
				t.Errorf("frame %d came %v late", number, came-made-w.deadline)
			}
		}
		if fresh > 200*time.Millisecond {
			t.Errorf("fresh after %v", fresh)
		}
	}
}

// TestTheDarkLeavesRoom: what is sent into the dark stays in SCTP's window, and when that is full nothing fresh leaves after the light for
// up to a second.
func TestTheDarkLeavesRoom(t *testing.T) {
	const window = 48 << 10
	for seed := range uint64(seeds) {
		w := newWorld(t, seed, link{delay: 25 * time.Millisecond, dark: [2]time.Duration{5 * time.Second, 30 * time.Second}})
		w.period = 30 * time.Millisecond
		for _, at := range []time.Duration{15 * time.Second, 30 * time.Second} {
			w.run(at-w.now, 340)
			if under := w.bytes - w.acked; under > window-2048 {
				t.Errorf("after %v in the dark %d bytes are under way", at-5*time.Second, under)
			}
		}
	}
}

// TestWhatWaitedIsInTimeAsAWhole: of a batch that a newer one has overtaken the first sample, too, has to be in time.
func TestWhatWaitedIsInTimeAsAWhole(t *testing.T) {
	for span, late := range map[time.Duration]uint64{5 * time.Millisecond: 0, 20 * time.Millisecond: 1} {
		o := NewOut()
		older := Frame{Bytes: []byte("older"), Key: 1, Until: 10 * time.Millisecond, Span: span}
		o.Pack(0, []Frame{older, {Bytes: []byte("newest"), Key: 1, Until: 12 * time.Millisecond, Span: 20 * time.Millisecond}})
		if s := o.Stats(); s.Late != late {
			t.Errorf("span %v: %d were left out, want %d", span, s.Late, late)
		}
	}
}

func TestTheLastValueOfASilentStreamComes(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed, link{delay: 50 * time.Millisecond, loss: 0.3})
		w.run(3*time.Second, 50)
		w.period = time.Hour
		w.run(10*time.Second, 50)
		if _, came := w.came[w.next]; !came {
			t.Errorf("seed %d: the last of %d frames never came: %v", seed, w.next, w)
		}
	}
}

// TestWhatComesTooLateIsNotSentAgain: the shortest trip takes 20 ms, and most take twice as long. What has less than that left when its
// loss is told would be past its deadline when it comes.
func TestWhatComesTooLateIsNotSentAgain(t *testing.T) {
	const ms = time.Millisecond
	for left, again := range map[time.Duration]uint64{45 * ms: 0, 90 * ms: 1} {
		o, now := NewOut(), time.Duration(0)
		pack := func(until time.Duration) uint64 {
			o.Pack(now, []Frame{{Bytes: make([]byte, 100), Key: 1, Until: until}})
			return o.number
		}
		receipt := func(newest uint64, runs ...wire.Run) { o.Receipt(now, wire.Receipt{Newest: newest, Runs: runs}) }
		for i := range 100 {
			n := pack(now + time.Second)
			now += 80 * ms
			if i == 0 {
				now -= 40 * ms
			}
			receipt(n, wire.Run{Came: 1})
		}
		pack(now + 80*ms + left) // is lost
		n := pack(now + time.Second)
		now += 80 * ms
		receipt(n, wire.Run{Came: 1, Missed: 1})
		for _, due := o.Next(now); due; _, due = o.Next(now) {
		}
		if s := o.Stats(); s.Repairs != again {
			t.Errorf("with %v left %d are sent again, want %d: %+v", left, s.Repairs, again, s)
		}
	}
}
