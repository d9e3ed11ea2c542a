package session

import (
	"cmp"
	"slices"
	"testing"
	"time"
)

// bottleneck is a path that carries so much: what comes faster waits there.
type bottleneck struct {
	rtt   time.Duration
	rate  int // bytes a second; 0: more than comes
	queue int // bytes
}

// run sends as fast as a pace allows, until a time, with a probe whenever the one before was answered, and tells each round trip and what went since.
func (b *bottleneck) run(p *Pace, until time.Duration, each func(now, waits time.Duration, went int)) {
	const tick = time.Millisecond
	var answer, rtt time.Duration
	went := 0
	for now := time.Duration(0); now < until; now += tick {
		for p.Ready(now) {
			p.Sent(paceChunk)
			b.queue += paceChunk
			went += paceChunk
		}
		waits := time.Duration(0)
		if b.rate > 0 {
			waits = time.Duration(int64(b.queue) * int64(time.Second) / int64(b.rate))
			b.queue -= min(b.queue, b.rate/int(time.Second/tick))
		}
		each(now, waits, went)
		went = 0
		if now >= answer {
			if rtt > 0 {
				p.Sample(now, rtt)
			}
			rtt = b.rtt + waits
			answer = now + max(rtt, 20*time.Millisecond)
		}
	}
}

// On a narrow path the past takes its share, and nearly always there is no queue: what is live waits for a chunk.
func TestPaceLeavesRoom(t *testing.T) {
	for name, path := range map[string]*bottleneck{
		"2 ms, 2.5 MB/s":  {rtt: 2 * time.Millisecond, rate: 2_500_000},
		"100 ms, 1 MB/s":  {rtt: 100 * time.Millisecond, rate: 1_000_000},
		"50 ms, 200 kB/s": {rtt: 50 * time.Millisecond, rate: 200_000},
		"300 ms, 1 MB/s":  {rtt: 300 * time.Millisecond, rate: 1_000_000},
	} {
		var p Pace
		sum, late, n := 0, 0, 0
		const length, warm = 5 * time.Minute, time.Minute // until then more is tried more often
		path.run(&p, length, func(now, waits time.Duration, went int) {
			if now < warm {
				return
			}
			n++
			sum += went
			if waits > 2*paceTurn+time.Duration(paceChunk*int64(time.Second)/int64(path.rate)) {
				late++
			}
		})
		share := float64(sum) / (length - warm).Seconds() / float64(path.rate)
		t.Logf("%s: %.2f of the path, a queue in %.1f %% of the time", name, share, 100*float64(late)/float64(n))
		if share < 0.35 || share > 0.75 {
			t.Errorf("%s: %.2f of the path, want about a half", name, share)
		}
		if most := c(path.rtt); float64(late) > most*float64(n) {
			t.Errorf("%s: a queue in %.1f %% of the time, want %.1f %%", name, 100*float64(late)/float64(n), 100*most)
		}
	}
}

// Another share is what was asked for: of what the path carries, and found no less gently.
func TestPaceTakesItsShare(t *testing.T) {
	const rate = 1_000_000
	taken := map[int]float64{}
	for _, percent := range []int{0, 10, 50, 90} {
		p, path, sum := NewPace(percent), &bottleneck{rtt: 20 * time.Millisecond, rate: rate}, 0
		const length, warm = 3 * time.Minute, time.Minute
		path.run(&p, length, func(now, _ time.Duration, went int) {
			if now >= warm {
				sum += went
			}
		})
		taken[percent] = 100 * float64(sum) / (length - warm).Seconds() / rate
	}
	t.Log(taken)
	for percent, got := range taken {
		if want := float64(cmp.Or(percent, DefaultPaceShare)); got < want-15 || got > want+15 {
			t.Errorf("%.0f %% of the path, want %.0f", got, want)
		}
	}
}

// What a path carries is found out at the price of a queue, which is short.
func TestPaceFindsOutGently(t *testing.T) {
	for name, c := range map[string]struct {
		path *bottleneck
		most time.Duration // that 99 of 100 live samples wait for in the first seconds
	}{
		"2 ms, 2.5 MB/s":  {&bottleneck{rtt: 2 * time.Millisecond, rate: 2_500_000}, 20 * time.Millisecond},
		"50 ms, 200 kB/s": {&bottleneck{rtt: 50 * time.Millisecond, rate: 200_000}, 90 * time.Millisecond},
		"100 ms, 1 MB/s":  {&bottleneck{rtt: 100 * time.Millisecond, rate: 1_000_000}, 200 * time.Millisecond},
	} {
		var p Pace
		var all []time.Duration
		c.path.run(&p, 16*time.Second, func(_, waits time.Duration, _ int) { all = append(all, waits) })
		slices.Sort(all)
		if got := all[len(all)*99/100]; got > c.most {
			t.Errorf("%s: %v, want at most %v", name, got, c.most)
		}
	}
}

// c is in which part of the time there may be a queue: more is tried every ten seconds, and a queue found a round trip later.
func c(rtt time.Duration) float64 { return 0.01 + 10*rtt.Seconds()/paceCalm.Seconds() }

// A path without a bottleneck gets all, within seconds.
func TestPaceGrows(t *testing.T) {
	for rtt, within := range map[time.Duration]time.Duration{time.Millisecond: time.Second, 100 * time.Millisecond: 3 * time.Second} {
		var p Pace
		(&bottleneck{rtt: rtt}).run(&p, within, func(time.Duration, time.Duration, int) {})
		if most := 2 * maxFlight * int(time.Second/max(rtt, 20*time.Millisecond)); p.Rate() < most/4 {
			t.Errorf("%v: %d bytes a second after %v", rtt, p.Rate(), within)
		}
	}
}

// What is not used up says nothing of the path.
func TestPaceGrowsWithUseOnly(t *testing.T) {
	var p Pace
	for i := range 100 {
		now := time.Duration(i) * 200 * time.Millisecond
		if p.Ready(now) {
			p.Sent(1000)
		}
		p.Sample(now, time.Millisecond)
	}
	if p.Rate() != paceFirst {
		t.Errorf("%d bytes a second, want %d", p.Rate(), paceFirst)
	}
}

// Who asks again when Wake says is not asked for patience once more.
func TestPaceWakes(t *testing.T) {
	var p Pace
	for now, n := time.Duration(0), 0; n < 1000; n++ {
		if !p.Ready(now) {
			if now = p.Wake(); !p.Ready(now) {
				t.Fatalf("not ready at %v, which Wake named", now)
			}
		}
		p.Sent(1 + n*37%9000)
	}
}

// A queue holds what nobody has acknowledged, however old and large.
func TestQueueKeepsUntilReleased(t *testing.T) {
	q := NewQueue(7)
	for seq := uint64(1); seq <= 100; seq++ {
		q.Push(time.Duration(seq)*time.Minute, Batch{Seq: seq, Count: 1, Body: make([]byte, 64<<10)})
	}
	if q.Oldest() != 1 || q.Bytes() < 100*64<<10 {
		t.Errorf("the oldest of %d bytes is %d", q.Bytes(), q.Oldest())
	}
	q.Release(60)
	if q.Oldest() != 61 {
		t.Errorf("the oldest is %d after 60 were released", q.Oldest())
	}
	q.Release(100)
	if q.Bytes() != 0 || q.Head() != 100 {
		t.Errorf("%d bytes, head %d, after all were released", q.Bytes(), q.Head())
	}
}

// A single round trip that took long was somebody's turn; two in a row, or one that took very long, are a queue.
func TestPaceWaitsForTheSecond(t *testing.T) {
	const usual, late = time.Millisecond, 60 * time.Millisecond
	for name, c := range map[string]struct {
		samples []time.Duration
		falls   bool
	}{
		"one":       {[]time.Duration{late, usual, late, usual}, false},
		"two":       {[]time.Duration{late, late}, true},
		"very late": {[]time.Duration{time.Second}, true},
	} {
		var p Pace
		now := time.Duration(0)
		sample := func(rtt time.Duration) {
			now += 20 * time.Millisecond
			for p.Ready(now) {
				p.Sent(1000)
			}
			p.Sample(now, rtt)
		}
		for range 40 {
			sample(usual)
		}
		before := p.Rate()
		for _, rtt := range c.samples {
			sample(rtt)
		}
		if falls := p.Rate() < before; falls != c.falls {
			t.Errorf("%s: %d bytes a second, before %d", name, p.Rate(), before)
		}
	}
}

// A machine that is slow to answer for a moment, again and again, is not taken for a path that carries less each time.
func TestPaceIsNotTalkedDown(t *testing.T) {
	var p Pace
	least := 0
	for i := range 6000 { // two minutes
		now := time.Duration(i) * 20 * time.Millisecond
		for p.Ready(now) {
			p.Sent(1 << 20)
		}
		rtt := time.Millisecond
		if i%150 > 147 {
			rtt = 15 * time.Millisecond
		}
		p.Sample(now, rtt)
		if i == 400 || i > 400 && p.Rate() < least {
			least = p.Rate()
		}
	}
	if least < paceFast {
		t.Errorf("it fell to %d bytes a second", least)
	}
}

// A path that carries a tenth of what it did is not overrun for longer than a second.
func TestPaceFollowsAPathThatShrinks(t *testing.T) {
	const shrinks, found = 6 * time.Second, 3 * time.Second
	var p Pace
	path := &bottleneck{rtt: 5 * time.Millisecond, rate: 4_000_000}
	late := 0
	path.run(&p, 12*time.Second, func(now, waits time.Duration, _ int) {
		if now == shrinks {
			path.rate /= 10
		}
		if now > shrinks+found && waits > 50*time.Millisecond {
			late++
		}
	})
	if late > 0 {
		t.Errorf("a queue for %d ms, more than %v after the path shrank", late, found)
	}
}

// Where what may be unacknowledged bounds the past, an acknowledgement lets much go: not all of it at once.
// TestPaceOfTheNextTransfer: it goes on where the one before was, unless that is long ago.
func TestPaceOfTheNextTransfer(t *testing.T) {
	const found = 5 * time.Second
	for name, c := range map[string]struct {
		pause time.Duration
		same  bool
	}{
		"at once":     {time.Second, true},
		"long behind": {paceLasts + time.Minute, false},
	} {
		var p Pace
		(&bottleneck{rtt: 20 * time.Millisecond, rate: 4_000_000}).run(&p, found, func(time.Duration, time.Duration, int) {})
		before := p.Rate()
		p.Begin(found + c.pause)
		if same := p.Rate() == before; same != c.same || !same && p.Rate() != paceFirst {
			t.Errorf("%s: %d bytes a second, before %d", name, p.Rate(), before)
		}
	}
}

// TestPaceGetsUsedToALongerWay: no queue stands on it, and the past goes as fast as before.
func TestPaceGetsUsedToALongerWay(t *testing.T) {
	const longer, after = 20 * time.Second, 50 * time.Second
	var p Pace
	path := &bottleneck{rtt: 20 * time.Millisecond}
	before := 0
	path.run(&p, after, func(now, _ time.Duration, _ int) {
		if now == longer {
			before = p.Rate()
			path.rtt = 60 * time.Millisecond
		}
	})
	if p.Rate() < min(before, paceFast) {
		t.Errorf("%d bytes a second %v after the way became longer, %d before", p.Rate(), after-longer, before)
	}
}

func TestPaceIsNoBurst(t *testing.T) {
	const (
		roundTrip    = 100 * time.Millisecond
		mayBeUnacked = 256 << 10
		ackEvery     = 64 << 10
	)
	var p Pace
	var goneAt []time.Duration // of each chunk that is not acknowledged
	most, sum := 0, 0
	for now, probed := time.Duration(0), time.Duration(0); now < 20*time.Second; now += time.Millisecond {
		came := 0
		for came < len(goneAt) && now >= goneAt[came]+roundTrip {
			came++
		}
		if came*paceChunk >= ackEvery {
			goneAt = goneAt[came:]
		}
		went := 0
		for p.Ready(now) {
			if len(goneAt)*paceChunk >= mayBeUnacked {
				p.Held()
				break
			}
			p.Sent(paceChunk)
			goneAt = append(goneAt, now)
			went += paceChunk
		}
		if now > 10*time.Second {
			most, sum = max(most, went), sum+went
		}
		if now >= probed+roundTrip {
			p.Sample(now, roundTrip)
			probed = now
		}
	}
	if rate := sum / 10; most > ackEvery/3 || rate < 7*mayBeUnacked {
		t.Errorf("%d bytes went at once, %d a second, want at most %d and at least %d", most, rate, ackEvery/3, 7*mayBeUnacked)
	}
	t.Logf("%d bytes at once at most, %d a second", most, sum/10)
}

// While somebody drives the past is slow, and as fast as it was soon after that.
func TestPaceYieldsToAHand(t *testing.T) {
	var p Pace
	const begins, ends = 4 * time.Second, 8 * time.Second
	before, driven := 0, 0
	(&bottleneck{rtt: time.Millisecond, rate: 5_000_000}).run(&p, 12*time.Second, func(now, _ time.Duration, went int) {
		switch {
		case now < begins:
			before = p.Rate()
		case now < ends:
			p.Driven()
			driven += went
		}
	})
	if most := paceDriven * int((ends-begins)/time.Second) * 11 / 10; driven > most || driven < most*8/10 {
		t.Errorf("%d bytes went while somebody drove, want up to %d", driven, most)
	}
	if p.Rate() < before*8/10 || before < 8*paceDriven {
		t.Errorf("%d bytes a second before it, and %d after", before, p.Rate())
	}
}

// A page that is loaded is slow to answer for a moment: that bounds the past for some seconds only.
func TestPaceForgetsAMoment(t *testing.T) {
	var p Pace
	now := time.Duration(0)
	run := func(length, rtt time.Duration) {
		for end := now + length; now < end; now += 20 * time.Millisecond {
			for p.Ready(now) {
				p.Sent(paceChunk)
			}
			p.Sample(now, rtt)
		}
	}
	run(200*time.Millisecond, time.Millisecond)
	run(300*time.Millisecond, 60*time.Millisecond)
	run(4*time.Second, time.Millisecond)
	if p.Rate() < 10<<20 {
		t.Errorf("%d bytes a second, four seconds after a slow moment on a path that carries all", p.Rate())
	}
}
