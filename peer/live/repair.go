package live

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is what a Out learns from receipts, and sends again.

const (
	// askEvery is the time between questions: below the 300 ms of silence after
	// which a probe would ask the same. askFirst holds until the first answer came,
	// askNarrow while the path's rate is being followed.
	askEvery  = 250 * time.Millisecond
	askFirst  = 100 * time.Millisecond
	askNarrow = 60 * time.Millisecond
	askAgain  = 40 * time.Millisecond // where an answer is overdue by as much

	// doubtAfter is how long answers may be overdue while packets are sent as ever: some are just lost.
	doubtAfter = 200 * time.Millisecond

	// darkAfter is how long a receipt may be overdue, beside a round trip, before the path counts as dark; darkAsks is how many
	// answers are overdue then. Who sends seldom asks seldom, and one or two are just lost.
	darkAfter = 400 * time.Millisecond
	darkAsks  = 3
)

func (o *Out) askEvery(now time.Duration) time.Duration {
	switch {
	case !o.answered:
		return askFirst
	case o.overdue(now) >= askAgain:
		return max(askAgain, o.path.rtt/4)
	case o.pace.attentive():
		return askNarrow
	default:
		return askEvery
	}
}

// Dark reports whether receipts are overdue: the path may carry nothing now.
func (o *Out) Dark(now time.Duration) bool {
	return o.asks >= darkAsks && now >= o.darkFrom && o.overdue(now) >= darkAfter
}

// overdue is by how much the oldest answer that is awaited is late.
func (o *Out) overdue(now time.Duration) time.Duration {
	if !o.answered || o.awaited == 0 {
		return 0
	}
	return now - o.awaited - o.path.rtt
}

// Doubtful reports whether several answers are overdue, or nothing is acknowledged: what is sent now may be
// lost for good, and is not worth repeating as it is.
func (o *Out) Doubtful(now time.Duration) bool { return o.overdue(now) >= doubtAfter || o.dusk.on }

// Receipt takes what the other end says has come.
func (o *Out) Receipt(now time.Duration, r wire.Receipt) {
	if r.Newest == 0 || r.Newest > o.number || o.number-r.Newest >= sentPackets {
		return
	}
	newest := o.at(r.Newest)
	if newest.number != r.Newest {
		return
	}
	rtt := now - newest.at - time.Duration(r.Held)*time.Microsecond
	// A receipt that was repeated comes behind later ones, and says nothing of the way.
	measured := rtt > 0 && r.Newest > o.heard
	o.heard = max(o.heard, r.Newest)
	if measured {
		o.path.measured(now, rtt)
	}
	if o.answered = true; measured {
		o.askedAt = max(o.askedAt, newest.at) // nobody needs to be asked for what he says by himself
	}
	if newest.at >= o.awaited {
		o.awaited, o.asks = 0, 0
	}
	came := o.hear(now, r)
	o.repairOverdue(now, newest, time.Duration(r.Held)*time.Microsecond)
	if o.pace.arrive(now, came); measured {
		if o.pace.queued(now, newest.at, o.path.queue()) {
			o.path.lengthened(now)
		}
	}
}

// hear goes through the packets of a receipt, and returns the bytes of those
// that are news to have come.
func (o *Out) hear(now time.Duration, r wire.Receipt) (bytes int) {
	n := r.Newest
	for _, run := range r.Runs {
		for range run.Came {
			bytes += o.came(n)
			n--
		}
		o.path.missed(o.unheard(n, run.Missed))
		for range run.Missed {
			o.missed(now, n)
			n--
		}
	}
	return bytes
}

// unheard is how many of count packets from n down no receipt has spoken of.
func (o *Out) unheard(n, count uint64) (fresh int) {
	for i := range count {
		if p := o.at(n - i); p.number == n-i && !p.told {
			fresh++
		}
	}
	return fresh
}

func (o *Out) came(n uint64) (bytes int) {
	p := o.at(n)
	if p.number != n {
		return 0
	}
	for _, f := range p.pieces {
		f.came = true
	}
	if p.told {
		return 0
	}
	p.told = true
	o.path.arrived()
	return p.size
}

// missed sends again what a packet carried, the first time that a receipt lacks it.
func (o *Out) missed(now time.Duration, n uint64) {
	p := o.at(n)
	if p.number != n || p.told {
		return
	}
	p.told = true
	o.stats.Lost++
	if !p.overdue {
		o.repairAll(now, p)
	}
}

func (o *Out) repairAll(now time.Duration, p *sentPacket) {
	for _, f := range p.pieces {
		o.repair(now, f)
	}
}

// repair has a frame sent again, twice.
func (o *Out) repair(now time.Duration, f *piece) {
	switch {
	case f.came || slices.Contains(o.repairs, f):
		return
	case !o.inTime(now, f):
		o.stats.Expired++
		return
	case len(o.repairs) == maxRepairs:
		o.repairs = slices.Delete(o.repairs, 0, 1)
		o.stats.Full++
	}
	o.repairs = append(o.repairs, f)
}

// inTime reports whether a frame that leaves now is worth something when it comes. Of one that is not its stream's newest any more
// all samples are to be in time, the first, too: it has waited, or was lost, as in the dark.
func (o *Out) inTime(now time.Duration, f *piece) bool {
	return f.Until == 0 || now+o.path.oneWay()+o.path.lateness()+f.Span < f.Until || o.newest[f.Key] == f
}

func (o *Out) expireRepairs(now time.Duration) {
	o.repairs = slices.DeleteFunc(o.repairs, func(f *piece) bool {
		return f.came || !o.inTime(now, f)
	})
}

// putRepairs moves repairs into a packet, the newest first: of what is lost
// together, they have the most time left.
func (o *Out) putRepairs(p *sentPacket) {
	o.undo.repairs, o.undo.seconds = len(p.pieces), len(o.seconds)
	for i := len(o.repairs) - 1; i >= 0; i-- {
		f := o.repairs[i]
		if p.length > 0 && len(o.packet)+len(f.Bytes) > maxPacket {
			continue
		}
		o.put(p, f)
		o.stats.Repairs++
		o.repairs = slices.Delete(o.repairs, i, i+1)
		if !f.twice && len(o.seconds) < maxRepairs {
			f.twice, o.seconds = true, append(o.seconds, f)
		}
	}
}

// putSeconds moves what was repaired before into a fresh packet, if that has room: a repair is lost as often as
// anything, and what rides along costs no packet. Where the rate is bounded it would keep out what is fresh.
func (o *Out) putSeconds(now time.Duration, p *sentPacket) {
	for _, f := range o.seconds {
		switch {
		case f.came || !o.inTime(now, f) || o.pace.narrow():
		case len(o.packet)+len(f.Bytes) <= maxPacket:
			o.put(p, f)
			o.stats.Repairs++
		case len(o.repairs) < maxRepairs && !slices.Contains(o.repairs, f):
			o.repairs = append(o.repairs, f) // a packet of its own is next
		}
	}
	o.seconds = o.seconds[:0]
}

const (
	// darkSpacing is the time between packets on a dark path, darkLongSpacing on one that has been dark for darkLong, and
	// darkFullSpacing where darkFull bytes are under way: the next one is under way when the light comes back, and little waits in
	// SCTP until then. When its window is full, at 48 KiB, nothing can leave for up to a second after the light.
	darkSpacing     = 40 * time.Millisecond
	darkLongSpacing = 150 * time.Millisecond
	darkLong        = time.Second
	darkFullSpacing = time.Second
	darkFull        = 40 << 10
	// darkLimit is what such a packet holds, in bytes: the newest frame that fits, or one that does not.
	darkLimit = 400
)

// Limit is how many bytes of fresh frames the next packet may hold; 0: none may leave before Wake.
func (o *Out) Limit(now time.Duration) int {
	switch {
	case !o.pace.ready(now):
		return 0
	case !o.Dark(now):
		return wire.MaxLiveData
	}
	spacing := darkSpacing
	switch {
	case o.dusk.under >= darkFull:
		spacing = darkFullSpacing
	case now > o.awaited+darkLong:
		spacing = darkLongSpacing
	}
	if now < o.lastAt+spacing {
		o.pace.untilNext = o.lastAt + spacing
		return 0
	}
	return darkLimit
}
