package carrier

import "time"

// requests is how many requests may be under way at a time, each of which brings a packet. Several at once spare a packet the
// wait for the answer to the one before; before a narrow hop they would only wait for one another.
type requests struct {
	most  int // set once; 0: the packets are not those of requests
	now   int
	calm  int // came in time since now has changed
	needs int // that many have to before there is one more
}

const (
	calmRequests     = 8
	calmRequestsMost = 256
	// lateRequests in a row mean a queue: on connections of their own, losses hold up one and not the others.
	lateRequests = 6
)

// NewRequestFlow makes a Flow that sends no marks, for links whose requests and answers acknowledge one another: Acknowledge is
// called for each. At most so many are under way at a time, beside those of nothing but control frames.
func NewRequestFlow(most int) *Flow {
	return &Flow{window: firstWindow, requests: requests{most: most, now: most, needs: calmRequests}}
}

// calm takes note of a request that came back in time. What did for long, however many there were, comes from no narrow link.
func (f *Flow) calm() {
	r := &f.requests
	r.calm++
	switch {
	case r.most <= 1 || r.calm < r.needs:
		return
	case r.now < r.most && f.crowded:
		r.now, r.calm = r.now+1, 0
	case r.now == r.most && f.narrow:
		f.narrow, r.calm = false, 0
	}
	f.crowded = false
}

// acknowledges counts what a mark says has come, and returns how much of it was not known to have. Requests come back in any order,
// and each speaks for itself.
func (f *Flow) acknowledges(m mark) (fresh int) {
	before := f.acked.all
	if f.requests.most > 0 {
		f.acked = amount{f.acked.all + m.own.all, f.acked.past + m.own.past}
	} else {
		f.acked = amount{max(f.acked.all, m.sent.all), max(f.acked.past, m.sent.past)}
	}
	return int(f.acked.all - before)
}

// olderLeft is how many of the i marks older than one are still under way when that has come.
func (f *Flow) olderLeft(i int) int {
	if f.requests.most > 0 {
		return i
	}
	return 0
}

// congested reports whether there were several, and is the end of that. What was tried in vain is tried less often.
func (r *requests) congested() bool {
	if r.now <= 1 {
		return false
	}
	if r.calm < r.needs {
		r.needs = min(2*r.needs, calmRequestsMost)
	} else {
		r.needs = calmRequests
	}
	r.now, r.calm = 1, 0
	return true
}

// Full reports whether no more requests may be under way but those of nothing but control frames.
func (f *Flow) Full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.full(time.Now())
}

// full reports whether no more requests may be under way. Where several may be, one that is overdue waits for what was lost, in
// nobody's way.
func (f *Flow) full(now time.Time) bool {
	if f.requests.most == 0 || len(f.marks) < f.requests.now {
		return false
	}
	after, known := f.overdueAfter()
	count := 0
	for _, m := range f.marks {
		if !known || now.Sub(m.at) <= after {
			count++
		}
	}
	return count >= f.requests.now
}

// Acknowledge says that what was taken into b has come.
func (f *Flow) Acknowledge(b *Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acknowledge(b.mark, time.Now(), 0)
}

// Overdue is how long an answer may take before it is likely that something was lost; false: it is not known, or what is late waits for its turn before a narrow hop.
func (f *Flow) Overdue() (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.overdueAfter()
}

func (f *Flow) overdueAfter() (time.Duration, bool) {
	return f.base + max(slack/2, f.base/4), f.base > 0 && f.requests.now > 1 && !f.narrow && f.late < lateMarks
}
