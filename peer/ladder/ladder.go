package ladder

import (
	"math"
	"slices"
	"time"
)

// Never is a Wake that does not come: nothing will change without an event.
const Never time.Duration = math.MaxInt64

// Ladder chooses among the carriers of one Conn, for what this end sends.
type Ladder struct {
	cfg       Config
	carriers  []*carrier // in order of birth
	chosen    *carrier   // nil: no path
	holds     [rungs]holdDown
	unwatched bool
	resting   bool
	births    int
	using     []int // the last Decision's Use, handed out again while it is the same
	paired    []int // the last Pair that was no Use, likewise
}

// New returns a Ladder without carriers, watched.
func New(cfg Config) *Ladder {
	return &Ladder{cfg: cfg.withDefaults()}
}

// Up adds a carrier that opened. It is not used before its first Proved. An
// id that is up already is left as it is.
func (l *Ladder) Up(now time.Duration, id int, rung Rung) {
	if l.find(id) != nil || rung >= rungs {
		return
	}
	l.births++
	l.carriers = append(l.carriers, &carrier{
		id: id, born: l.births, rung: rung, lastHeard: now, trouble: now, expectFrom: now,
	})
}

// Rerung notes that a carrier is on another rung than it was: it has found
// another way to the same end. What is known of it stays.
func (l *Ladder) Rerung(id int, rung Rung) {
	if c := l.find(id); c != nil && rung < rungs {
		c.rung = rung
	}
}

// Down removes a carrier that is closed.
func (l *Ladder) Down(now time.Duration, id int) {
	c := l.find(id)
	if c == nil {
		return
	}
	l.carriers = slices.DeleteFunc(l.carriers, func(other *carrier) bool { return other == c })
	l.lose(now, c)
}

// Heard notes that a frame from the other end came on a carrier.
func (l *Ladder) Heard(now time.Duration, id int) {
	if c := l.find(id); c != nil {
		c.heard(now)
	}
}

// Proved notes that an Echo came: the carrier works both ways. rtt ≤ 0: the
// proof is of another kind, nothing was measured.
func (l *Ladder) Proved(now time.Duration, id int, rtt time.Duration) {
	if c := l.find(id); c != nil {
		c.proved(now, rtt)
	}
}

// Doubt notes that the other end's probe said heard = 0. Call Heard, too, and
// before it: the probe itself came through.
func (l *Ladder) Doubt(now time.Duration, id int) {
	if c := l.find(id); c != nil && !l.unwatched {
		c.doubted(now)
	}
}

// Watch says whether anybody watches. While nobody does there are no probes,
// hence no doubt: what is in use stays so.
func (l *Ladder) Watch(now time.Duration, on bool) {
	if l.unwatched == !on {
		return
	}
	l.unwatched = !on
	for _, c := range l.carriers {
		c.change(now, func() { c.silent, c.unheard = false, false })
		c.watched(now)
	}
}

// Rest says whether nobody waits for what is sent here. Then what is in use is
// probed at a spare's pace, and doubted as late.
func (l *Ladder) Rest(on bool) { l.resting = on }

// Probed notes that a probe was just sent on a carrier.
func (l *Ladder) Probed(now time.Duration, id int) {
	if c := l.find(id); c != nil {
		c.probed(now)
	}
}

// HeardRecently is the `heard` flag of a probe sent on the carrier now:
// whether something came from the other end within our doubt time.
func (l *Ladder) HeardRecently(now time.Duration, id int) bool {
	c := l.find(id)
	return c != nil && c.everHeard && (l.unwatched || now < c.doubtAt(l.cfg))
}

// State is what is known of one carrier, to be shown.
type State struct {
	Rung      Rung
	RTT       time.Duration // smoothed; 0: not measured yet
	Least     time.Duration // the smallest of the latest round trips; 0: not measured yet
	Var       time.Duration // mean deviation of RTT
	LastHeard time.Duration // when something came last; when it opened, if nothing did
	Late      bool          // in use, and half of the wait for an answer is over: doubt may follow
	InDoubt   bool          // was proved, and is not answering now
	Usable    bool          // proved both ways, and not dead since
	InUse     bool          // by the last Step
}

// State returns a carrier's state; the zero State if it is not up.
func (l *Ladder) State(id int) State {
	c := l.find(id)
	if c == nil {
		return State{}
	}
	return State{
		Rung: c.rung, RTT: c.rtt.rtt, Least: c.rtt.low, Var: c.rtt.variation, LastHeard: c.lastHeard,
		Late: c.late, InDoubt: c.silent || c.unheard, Usable: c.usable, InUse: c.inUse,
	}
}

func (l *Ladder) find(id int) *carrier {
	for _, c := range l.carriers {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (l *Ladder) rank(c *carrier) rank {
	return rank{sound: c.isSound(), rung: c.rung, used: c.inUse, born: c.born}
}

// lose gives up a carrier that died or closed. If it was the chosen one, its
// rung may have to stay longer next time.
func (l *Ladder) lose(now time.Duration, c *carrier) {
	if l.chosen != c {
		return
	}
	trouble := now
	if !c.isSound() {
		trouble = c.trouble
	}
	l.holds[c.rung].death(now, c.taken, trouble, l.cfg)
	l.chosen = nil
}
