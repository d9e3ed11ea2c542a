package carrier

import "time"

// This file is what a Flow makes of the marks that come back: what the bare link takes, whether a queue stands before it, and how much it delivers.

// lateMark is one that came late.
type lateMark struct {
	mark
	rtt time.Duration
}

// learnRate keeps the highest rate of the last one to two seconds.
func (f *Flow) learnRate(now time.Time, delivered float64) {
	if now.Sub(f.rateAt) > rateLife {
		f.rates, f.rateAt = [2]float64{0, f.rates[0]}, now
	}
	f.rates[0] = max(f.rates[0], delivered)
}

// follow sets the window of a narrow link. A link that got faster returns
// marks sooner, which raises the rate, and so the window.
func (f *Flow) follow() {
	rate := max(f.rates[0], f.rates[1])
	f.window = min(max(leastWindow, int(rate*(f.base+slack).Seconds())), maxWindow)
}

// learnBase: any shorter round trip is nearer to that of the bare link; on a
// link that was idle, and after a while, a longer one is, too. If it is much
// longer the link is another one than before.
func (f *Flow) learnBase(now time.Time, rtt time.Duration, idle bool) {
	if f.base == 0 || rtt <= f.base || idle && now.Sub(f.baseAt) > baseLife {
		f.narrow = f.narrow && rtt <= f.base+slack
		f.base, f.baseAt = rtt, now
	}
}

// widen ends that a link counts as narrow, if between two marks it delivered much faster than that: not only their answers came at once.
func (f *Flow) widen(one, next mark) {
	const faster = 4
	if !f.narrow || one.there == 0 || next.there < one.there {
		return
	}
	took := time.Duration(next.there-one.there) * time.Microsecond
	if float64(next.sent.all-one.sent.all) > faster*max(f.rates[0], f.rates[1])*max(took, time.Millisecond).Seconds() {
		f.narrow, f.window = false, f.window*3/2
	}
}

type verdict int

const (
	inTime    verdict = iota
	unsure            // late, but perhaps only once
	congested         // a queue stands before the other end
)

func (f *Flow) judge(now time.Time, m mark, rtt time.Duration) verdict {
	if rtt <= f.base+slack {
		f.late, f.lastLate, f.veryLate = 0, lateMark{}, false
		return inTime
	}
	before := f.lastLate
	f.lastLate = lateMark{m, rtt}
	if before.rtt > 0 && rtt < before.rtt-m.at.Sub(before.at)/2 {
		f.veryLate = false
		f.widen(before.mark, m)
		return unsure
	}
	if now.Sub(f.lateAt) >= slack { // what a stall held up comes all at once and counts once
		f.late++
		f.lateAt = now
	}
	isVery, most := rtt > f.base+stall, lateMarks
	if f.requests.now > 1 {
		most = lateRequests
	}
	if f.late >= most || isVery && f.veryLate {
		return congested
	}
	f.veryLate = isVery
	return unsure
}
