package live

import "time"

// pacer keeps a Out within what its path bears. SCTP's own window has a
// floor, below which it holds nothing up; so whoever sends into it watches the
// queue before the narrowest hop. While receipts come back as fast as on the idle
// path there is no limit. When they are late, sending falls below the rate at
// which packets arrive, until the queue is gone, and then grows slowly.
type pacer struct {
	limit  float64 // bytes a second; 0: none
	credit float64 // bytes that may be sent now
	at     time.Duration

	arrived   int // bytes since rateAt
	rateAt    time.Duration
	rate      float64 // at which they arrive, bytes a second, the higher one of the last two times
	before    float64 // rate as measured the last time
	offered   int     // bytes sent since rateAt
	wanted    float64 // the rate at which they were sent
	late      int     // receipts in a row that told of a queue
	cutAt     time.Duration
	doubt     doubt         // whether it is one
	untilNext time.Duration // when there is credit again; Never: nothing waits for it
}

const (
	// lateQueue is how long a queue may be before it counts: more than a
	// radio's own jitter.
	lateQueue = 60 * time.Millisecond
	// lateMost is how many receipts in a row have to tell of a queue: one or two
	// may have been held up themselves.
	lateMost = 3
	// emptyQueue is when it counts as gone.
	emptyQueue = 25 * time.Millisecond
	// leastRate lets a packet go every 100 ms, in bytes a second.
	leastRate = 4000
	// rateWindow is the time over which the arriving rate is measured.
	rateWindow = 100 * time.Millisecond
	// maxCredit is one packet, in bytes: what waits shall be the newest.
	maxCredit = 1200
)

// narrow reports whether there is a limit.
func (p *pacer) narrow() bool { return p.limit > 0 }

// attentive reports whether receipts are worth asking for more often.
func (p *pacer) attentive() bool { return p.limit > 0 || p.late > 0 }

// sent counts bytes that leave.
func (p *pacer) sent(now time.Duration, bytes int) {
	p.refill(now)
	p.credit -= float64(bytes)
	p.offered += bytes
	p.doubt.out += bytes
}

// arrive takes how many bytes arrived since the last time.
func (p *pacer) arrive(now time.Duration, bytes int) {
	p.arrived += bytes
	p.doubt.came += bytes
	if elapsed := now - p.rateAt; elapsed >= rateWindow {
		rate := float64(p.arrived) / elapsed.Seconds()
		p.rate, p.before = max(rate, p.before), rate
		p.wanted = float64(p.offered) / elapsed.Seconds()
		p.arrived, p.offered, p.rateAt = 0, 0, now
	}
}

// queued takes how long the queue was when a packet came that was sent at a time. It
// reports whether it is none: sending less did not shorten it, though what was sent has come.
func (p *pacer) queued(now, sentAt, queue time.Duration) (longer bool) {
	switch {
	case p.limit == 0:
	case p.doubt.tooShort(sentAt, queue):
		p.limit, p.doubt = 0, doubt{} // somebody had no time for us
	case queue <= emptyQueue:
		p.grow()
	}
	if queue <= lateQueue {
		p.late = 0
	} else if p.late++; p.late >= lateMost && now >= p.cutAt {
		p.cut(now, sentAt, queue)
	}
	if longer = p.doubt.inVain(sentAt, queue); longer {
		p.limit, p.late, p.doubt = 0, 0, doubt{}
	}
	return longer
}

// cut bounds the sending below the rate at which packets arrive.
func (p *pacer) cut(now, sentAt, queue time.Duration) {
	p.refill(now)
	if !p.doubt.looked() {
		shrinks := sentAt
		if p.limit == 0 {
			shrinks = now
		}
		p.doubt.look(queue, shrinks, now)
	}
	p.limit = max(leastRate, p.rate*0.8)
	p.late, p.cutAt = 0, now+2*queue
}

// grow lifts the limit while the queue is empty, and ends it when it is no limit any more.
func (p *pacer) grow() {
	if p.limit *= 1.03; p.limit > 3*p.wanted && p.limit > 4*leastRate {
		p.limit = 0
	}
}

func (p *pacer) refill(now time.Duration) {
	if p.limit > 0 {
		p.credit = min(p.credit+p.limit*(now-p.at).Seconds(), maxCredit)
	} else {
		p.credit = maxCredit
	}
	p.at = now
}

// ready reports whether a packet may leave now.
func (p *pacer) ready(now time.Duration) bool {
	p.untilNext = Never
	if p.limit == 0 {
		return true
	}
	p.refill(now)
	if p.credit > 0 {
		return true
	}
	p.untilNext = now + time.Duration(-p.credit/p.limit*float64(time.Second)) + time.Millisecond
	return false
}

// wake is when ready will say yes, if it said no.
func (p *pacer) wake() time.Duration { return p.untilNext }
