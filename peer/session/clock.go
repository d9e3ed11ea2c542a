package session

import (
	"slices"
	"time"
)

const (
	// clockWindow is how long a sample counts.
	clockWindow = 60 * time.Second
	// clockDrift is by how much a sample's error grows in a second, in µs:
	// what two cheap quartzes run apart.
	clockDrift = 50
	// maxClockSamples bounds the samples kept. Only those are kept that may
	// become the best, which are few unless every round trip is longer than the
	// one before.
	maxClockSamples = 64
	// doubtEvery is how often doubt is news: each time it costs a probe.
	doubtEvery = time.Second
)

// Clock estimates by how much the other end's clock is ahead of ours, from the
// times in probes and echoes (section 3.5). Of the last minute's samples the
// one with the shortest round trip counts. When the clocks disagree with it by
// more than errors explain, one of them was set, and the past is forgotten.
type Clock struct {
	samples   []clockSample // in order of time; each has a longer round trip than the one before
	sent      time.Duration // when the newest probe went of those whose echoes came
	doubtedAt time.Duration
	doubted   bool
	doubtful  bool
}

type clockSample struct {
	at     time.Duration
	rtt    int64 // µs
	offset int64 // µs
}

// err is the bound of the sample's error, in µs.
func (s clockSample) err(now time.Duration) int64 {
	return (s.rtt+1)/2 + int64((now-s.at)*clockDrift/time.Second)
}

// Sample takes the times of a probe, in µs since the Unix epoch: sent (t1, our
// clock), received and answered (t2, t3, the other's), and its echo's arrival
// (t4, ours). now is the same moment as t4. Times that cannot be are ignored.
func (c *Clock) Sample(now time.Duration, t1, t2, t3, t4 uint64) {
	rtt := int64(t4-t1) - int64(t3-t2)
	if t4 < t1 || t3 < t2 || rtt < 0 {
		return
	}
	s := clockSample{at: now, rtt: rtt, offset: (int64(t2-t1) + int64(t3-t4)) / 2}
	sent := now - time.Duration(t4-t1)*time.Microsecond
	c.expire(now)
	if c.contradicts(s) {
		if sent < c.sent {
			return // it came by a longer way, and tells how it was
		}
		c.samples = c.samples[:0]
	}
	c.sent = max(c.sent, sent)
	c.doubtful = c.doubtful && sent < c.doubtedAt
	for n := len(c.samples); n > 0 && c.samples[n-1].rtt >= rtt; n-- {
		c.samples = c.samples[:n-1]
	}
	if len(c.samples) < maxClockSamples {
		c.samples = append(c.samples, s)
	}
}

// Offset returns the other clock minus ours, and the bound of its error, both
// in µs; ok is false if nothing is known.
func (c *Clock) Offset(now time.Duration) (offset, err int64, ok bool) {
	c.expire(now)
	if len(c.samples) == 0 {
		return 0, 0, false
	}
	best := c.samples[0]
	return best.offset, best.err(now), true
}

// Doubt notes that the other clock seems to have been set since it was measured
// last. It reports whether it is to be measured at once.
func (c *Clock) Doubt(now time.Duration) bool {
	if c.doubted && now < c.doubtedAt+doubtEvery {
		return false
	}
	c.doubted, c.doubtful, c.doubtedAt = true, true, now
	return true
}

// Doubtful reports whether no probe that went since the last doubt has been answered.
func (c *Clock) Doubtful() bool { return c.doubtful }

func (c *Clock) contradicts(s clockSample) bool {
	if len(c.samples) == 0 {
		return false
	}
	best := c.samples[0]
	apart := best.offset - s.offset
	return max(apart, -apart) > best.err(s.at)+s.err(s.at)
}

func (c *Clock) expire(now time.Duration) {
	c.samples = slices.DeleteFunc(c.samples, func(s clockSample) bool { return now-s.at > clockWindow })
}
