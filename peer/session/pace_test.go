package session

import (
	"testing"
	"time"
)

// bottleneck is a path with a bottleneck: what is under way beyond rate × rtt waits there.
type bottleneck struct {
	rtt  time.Duration
	rate int // bytes a second
}

func (b bottleneck) sample(inFlight int) time.Duration {
	room := int(int64(b.rate) * int64(b.rtt) / int64(time.Second))
	return b.rtt + time.Duration(max(inFlight-room, 0))*time.Second/time.Duration(b.rate)
}

// On a path that carries everything the past gets its bound; on a narrow one
// the queue is short, and most of the time there is none.
func TestPaceLeavesRoom(t *testing.T) {
	for name, c := range map[string]struct {
		path        bottleneck
		least, most float64 // part of the path's rate, on average
	}{
		"100 ms, 1 MB/s":  {bottleneck{100 * time.Millisecond, 1_000_000}, 0.35, 0.9},
		"50 ms, 200 kB/s": {bottleneck{50 * time.Millisecond, 200_000}, 0.35, 1},
		"300 ms, 1 MB/s":  {bottleneck{300 * time.Millisecond, 1_000_000}, 0.35, 0.9},
	} {
		var p Pace
		var sum float64
		late, n := 0, 0
		for now := time.Duration(0); now < 5*time.Minute; now += 200 * time.Millisecond {
			rtt := c.path.sample(p.Limit())
			p.Sample(now, rtt, true)
			if now < 10*time.Second {
				continue
			}
			n++
			sum += min(float64(p.Limit())/rtt.Seconds()/float64(c.path.rate), 1)
			if rtt > c.path.rtt+paceQueue {
				late++
			}
		}
		if share := sum / float64(n); share < c.least || share > c.most {
			t.Errorf("%s: %.2f of the path, want %.2f to %.2f", name, share, c.least, c.most)
		}
		if late*20 > n {
			t.Errorf("%s: a queue of more than %v in %d of %d samples", name, paceQueue, late, n)
		}
	}
	var p Pace
	for now := range 100 {
		p.Sample(time.Duration(now)*200*time.Millisecond, time.Millisecond, true)
	}
	if p.Limit() != paceMost {
		t.Errorf("%d bytes on a path without a bottleneck, want %d", p.Limit(), paceMost)
	}
}

// What is not used up says nothing of the path.
func TestPaceGrowsWithUseOnly(t *testing.T) {
	var p Pace
	for now := range 100 {
		p.Sample(time.Duration(now)*200*time.Millisecond, time.Millisecond, false)
	}
	if p.Limit() != paceFirst {
		t.Errorf("%d bytes, want %d", p.Limit(), paceFirst)
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
		sample := func(rtt time.Duration) { now += 20 * time.Millisecond; p.Sample(now, rtt, true) }
		for range 40 {
			sample(usual)
		}
		for _, rtt := range c.samples {
			sample(rtt)
		}
		if falls := p.Limit() < paceMost; falls != c.falls {
			t.Errorf("%s: %d bytes of %d", name, p.Limit(), paceMost)
		}
	}
}
