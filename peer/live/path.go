package live

import "time"

// state is what a Out knows of its path: loss, round trip, the time its
// packets leave between them, and what its samples' deadlines allow.
type state struct {
	rtt      time.Duration    // smoothed; 0: not measured
	least    [2]time.Duration // the smallest of this leastLife and of the one before
	leastAt  time.Duration
	latest   time.Duration // round trip, as measured last
	spacing  time.Duration // between packets with fresh frames, smoothed
	deadline time.Duration // that fresh frames have left, of late; 0: none has one

	packets int     // that receipts have spoken of, up to lossMemory
	loss    float64 // share of packets lost, of the last lossMemory or so
	runs    float64 // share lost in runs of runLength or more
	coding  bool    // losses are worth redundancy
}

const (
	leastLife  = 10 * time.Second
	lossMemory = 128
	runLength  = 4 // packets

	// Redundancy begins and ends at these shares of loss.
	lossBegin = 0.01
	lossEnd   = 0.003
)

// measured takes a round trip.
func (p *state) measured(now, rtt time.Duration) {
	p.latest = rtt
	if p.rtt == 0 {
		p.rtt, p.least, p.leastAt = rtt, [2]time.Duration{rtt, rtt}, now
		return
	}
	p.rtt += (rtt - p.rtt) / 8
	if now-p.leastAt > leastLife {
		p.least, p.leastAt = [2]time.Duration{rtt, p.least[0]}, now
	}
	p.least[0] = min(p.least[0], rtt)
}

// lengthened: the last round trip is as short as they are now.
func (p *state) lengthened(now time.Duration) {
	p.least, p.leastAt = [2]time.Duration{p.latest, p.latest}, now
}

func (p *state) leastRTT() time.Duration { return min(p.least[0], p.least[1]) }

// oneWay is half of the least round trip.
func (p *state) oneWay() time.Duration { return p.leastRTT() / 2 }

// lateness is by how much packets come later than the path is long, as a rule and the last time: a page that does something else has its
// receiver wait.
func (p *state) lateness() time.Duration { return max(0, min(p.rtt, p.latest)-p.leastRTT()) }

// queue is how much longer than the least the last round trip was.
func (p *state) queue() time.Duration { return p.latest - p.leastRTT() }

// spaced notes that a packet with fresh frames follows the one before that had such. One with a parity alone does not count: it
// would make the time between packets look shorter than it is, and the next one would be expected too early, and get such a parity again.
func (p *state) spaced(now, before time.Duration, fresh []Frame) {
	const most = time.Second // beyond it nothing can be mended by what follows
	if gap := min(now-before, most); gap > 0 {
		p.spacing += (gap - p.spacing) / 8
	}
	for _, f := range fresh {
		if f.Until > now {
			p.deadline += (f.Until - now - p.deadline) / 4
		}
	}
}

// repairable reports whether what is lost can be sent again in time: seen with
// the next packet, told, and sent.
func (p *state) repairable() bool {
	return p.rtt > 0 && p.rtt+p.oneWay()+p.spacing+paritySlack <= p.deadline
}

// redundant reports whether packets shall carry parities: losses are there,
// and repair comes too late or leaves out most of a long run.
func (p *state) redundant() bool {
	inRuns := p.runs > p.loss/2
	return p.coding && (!p.repairable() || inRuns)
}

// wanted is how many parities each packet shall be in: with one of few losses, and with two of one packet in ten, about one in a
// thousand is lost with all that could mend it.
func (p *state) wanted() int {
	const few = 0.03
	if p.loss < few {
		return 1
	}
	return 2
}

// arrived counts a packet that came.
func (p *state) arrived() { p.count(0, 0) }

// missed counts packets lost in a row.
func (p *state) missed(n int) {
	inRun := 0.0
	if n >= runLength {
		inRun = 1
	}
	for range n {
		p.count(1, inRun)
	}
}

func (p *state) count(lost, inRun float64) {
	const first = 16 // as if so many had come before
	p.packets = min(p.packets+1, lossMemory)
	weight := 1 / float64(min(p.packets+first, lossMemory))
	p.loss += (lost - p.loss) * weight
	p.runs += (inRun - p.runs) * weight
	if p.loss >= lossBegin {
		p.coding = true
	} else if p.loss < lossEnd {
		p.coding = false
	}
}
