package session

import (
	"cmp"
	"time"
)

// How fast the past may go, in bytes a second (section 5.4). What may be
// unacknowledged bounds it long before paceMost, which keeps products small.
const (
	paceFirst = 64 << 10
	paceLeast = 8 << 10
	paceMost  = 1 << 30
)

// DefaultPaceShare is how much of what the path carries the past may take, in %,
// once that is known.
const DefaultPaceShare = 50

const (
	// paceBurst is what may go at once to begin with, in bytes: little enough for
	// the first window of a link, out of which the rest would come in bursts.
	paceBurst = 4 << 10
	// paceTurn is what may go at once later, in time at the rate: what is live waits
	// for it on a path that is just as fast.
	paceTurn = 5 * time.Millisecond
	// paceChunk is what may go at once at least, in bytes: a chunk of the past.
	paceChunk = 3 << 10
	// paceQueue is by how much the round trip may grow before it counts as a
	// queue of our own making, in which live samples wait; and so may it by a
	// part in paceShakes of itself, which longer paths do by themselves.
	paceQueue  = 10 * time.Millisecond
	paceShakes = 4
	// paceStall is by how much it has grown where one round trip says enough.
	// Less may be a program that had to wait for its turn: a queue of our own
	// making is there at the next probe, too.
	paceStall = 200 * time.Millisecond
	// How long that part stays the bound before more is tried: not for long at
	// first, since a page that has just been loaded is slow to answer, too; four
	// times as long each time that more was tried in vain.
	paceCalmFirst = 2 * time.Second
	paceCalms     = 4
	paceCalm      = 32 * time.Second
	// paceLife is how long a round trip counts as the least there is, once or twice: a way may become longer by itself. A queue of
	// our own making is gone before that, since the rate falls.
	paceLife = 10 * time.Second
	// paceLasts is how long what was found counts for a transfer that begins: a viewer asks again soon where more is missing.
	paceLasts = 10 * time.Second
	// By which part of itself the rate grows with each round trip: up to paceFast,
	// in bytes a second, so that little is there soon; above, where what one step
	// is too much fills a queue before two round trips have shown it; and above a bound that was found.
	paceStarts = 4
	paceFast   = 256 << 10
	paceGrows  = 8
	paceTries  = 16
	// paceDriven is the most while somebody drives, in bytes a second: what of the
	// past comes faster takes processors, on both ends, that a hand's way needs.
	paceDriven = paceFast
	// paceWrong is how much of what a path was found to carry has to be passed, in
	// %, for that to have been wrong.
	paceWrong = 200
)

// Pace decides how fast the past may go on a path, from the round trips of
// probes: faster as long as they stay short, and at a share of what the path
// carries when they grow. So live samples find the path free (invariant I7).
//
// It is a rate, and no bound of what is under way: half of what fills a short
// path and its queue fills it still.
type Pace struct {
	share   int              // of what the path carries, in %; 0: DefaultPaceShare
	rate    int              // 0: paceFirst, nothing has gone
	ceiling int              // what it was bounded to last; 0: it was not yet
	calmed  time.Duration    // when it was met last
	calm    time.Duration    // for how long it stays the bound; 0: none was met
	least   [2]time.Duration // the smallest round trip of this paceLife and of the one before; 0: none yet
	leastAt time.Duration
	sample  time.Duration // the last one
	sent    time.Duration // when its probe was
	late    bool          // it came late
	short   bool          // something had to wait for the rate since the last sample,
	held    bool          // and something for what is unacknowledged

	credit int           // bytes that may go
	at     time.Duration // as of then
}

// NewPace returns a Pace that takes share % of what a path carries; 0 stands
// for DefaultPaceShare.
func NewPace(share int) Pace { return Pace{share: share} }

// Rate is how fast the past may go now, in bytes a second.
func (p *Pace) Rate() int {
	if p.rate == 0 {
		return paceFirst
	}
	return p.rate
}

// Ready reports whether some of the past that waits may go now. The caller says
// with Sent how much went.
func (p *Pace) Ready(now time.Duration) bool {
	if p.rate == 0 {
		p.rate, p.credit, p.at = paceFirst, paceBurst, now
	}
	// Of a short time little comes, and none is lost by counting.
	if more := int(int64(p.rate) * int64(min(now-p.at, time.Second)) / int64(time.Second)); more > 0 {
		most := max(p.credit, paceChunk, int(int64(p.rate)*int64(paceTurn)/int64(time.Second)))
		p.credit, p.at = min(p.credit+more, most), now
	}
	if p.credit <= 0 {
		p.short = true
		return false
	}
	return true
}

// Sent counts what went.
func (p *Pace) Sent(bytes int) { p.credit -= bytes }

// Held says that something waits that the rate would let go: it is not what
// bounds the past now, and a greater one would only let more go at once.
func (p *Pace) Held() { p.held = true }

// Wake is when Ready reports true again, if it did not.
func (p *Pace) Wake() time.Duration {
	return p.at + time.Duration(int64(max(1-p.credit, 1))*int64(time.Second)/int64(p.Rate())) + 1
}

// Driven says that somebody drives, now: what is faster than the past may be
// beside that is found out again afterwards.
func (p *Pace) Driven() { p.rate, p.credit = min(p.rate, paceDriven), min(p.credit, paceChunk) }

// Begin says that a transfer begins. What was found some time ago says nothing
// of the path as it is; and one that was found to be slow, which may have been
// its losses, is given another chance.
func (p *Pace) Begin(now time.Duration) {
	if now-p.sent > paceLasts || p.Rate() < paceFirst {
		p.Moved()
	}
}

// Moved says that the path is another one: nothing is known of it.
func (p *Pace) Moved() { *p = NewPace(p.share) }

// Sample takes a round trip of the path.
func (p *Pace) Sample(now, rtt time.Duration) {
	p.learn(now, rtt)
	carries := p.carries(now, rtt)
	rate, short, before, grown := p.Rate(), p.short && !p.held, p.late, rtt-p.leastRTT()
	p.short, p.held, p.late = false, false, grown > paceQueue+p.leastRTT()/paceShakes
	p.sample, p.sent = rtt, now-rtt
	switch {
	case p.late && !before && grown <= paceStall: // perhaps
	case p.late && (p.calmed == 0 || rate < p.ceiling || p.sent >= p.calmed+time.Second): // once for each queue
		p.credit -= int(int64(rate) * int64(min(grown, paceStall)) / int64(time.Second)) // the queue goes first
		p.bound(rate, carries)
		p.calmed, rate = now, p.ceiling
	case p.late:
		rate = min(rate, p.ceiling)
	case now < p.calmed+p.calm:
		rate = min(rate+rate/paceStarts, p.ceiling)
	case short && rate <= p.ceiling*paceWrong/p.percent(): // what was found is likely to be found again
		rate += rate / paceTries
	case short && rate < paceFast:
		rate, p.calm = rate+rate/paceStarts, 0
	case short:
		rate, p.calm = rate+rate/paceGrows, 0
	}
	if p.rate != 0 {
		p.rate = min(max(rate, paceLeast), paceMost)
	}
}

// learn takes a round trip for the least, if it is.
func (p *Pace) learn(now, rtt time.Duration) {
	switch {
	case p.least[0] == 0:
		p.least, p.leastAt = [2]time.Duration{rtt, rtt}, now
	case now-p.leastAt > paceLife:
		p.least, p.leastAt = [2]time.Duration{rtt, p.least[0]}, now
	default:
		p.least[0] = min(p.least[0], rtt)
	}
}

func (p *Pace) leastRTT() time.Duration { return min(p.least[0], p.least[1]) }

// bound takes a queue into account that was found at a rate.
func (p *Pace) bound(rate, carries int) {
	found := max(carries/100*p.percent(), paceLeast)
	if p.ceiling == 0 || rate <= p.ceiling {
		p.ceiling, p.calm = found, paceCalmFirst
		return
	}
	// More was tried. That the path carries less than it did is not believed before it shows at the bound, too.
	p.ceiling, p.calm = max(p.ceiling, found), min(paceCalms*p.calm, paceCalm)
}

func (p *Pace) percent() int { return cmp.Or(p.share, DefaultPaceShare) }

// carries is what the path carried of what went since the last sample, in bytes
// a second: the round trip has grown by what did not pass.
func (p *Pace) carries(now, rtt time.Duration) int {
	since := now - rtt - p.sent
	if since <= 0 {
		return p.Rate()
	}
	grown := max(0, min(rtt-p.sample, since))
	return int(int64(p.Rate()) * int64(since) / int64(since+grown))
}
