package carrier

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Flow bounds what one end of a link has under way: sent, and not yet known
// to have come (protocol section 6.9). Where a reverse proxy takes everything
// at full speed and delivers it slowly, the kernel knows of no queue; Flow
// sees it, because it has the other end acknowledge.
//
// Now and then a packet ends with a mark, a Probe whose Echo says that all
// before it has come. The window grows while marks come back as fast as on
// the idle link, and falls to what was delivered in that time + slack when they
// do not. What does not fit waits in the carrier's own queue, where a fresh
// sample overtakes and a stale one is dropped.
//
// A stall of TCP that repairs a loss looks like a queue for a moment; so one
// late mark changes nothing. What a stall held up comes all at once, so that each
// later mark is less late than the one before; before a queue none is.
type Flow struct {
	channels bool // set once: of data channels, see NewChannelFlow

	mu       sync.Mutex
	requests requests // zero: marks acknowledge
	window   int      // bytes that may be under way
	sent     amount
	acked    amount // of sent: known to have come
	ackedAt  time.Time

	marks    []mark // under way, oldest first
	lastID   uint64
	markedAt time.Time // last mark
	marked   uint64    // sent, at the last mark

	base     time.Duration // round trip of a mark without a queue before it; 0: not known
	baseAt   time.Time
	late     int        // marks in a row that came late, as seen at different times
	lateAt   time.Time  // when the last of them was counted
	lastLate lateMark   // zero: the last one was in time
	veryLate bool       // lastLate was, and no later one says that a stall has let go
	narrow   bool       // the window was full once, and marks late: it follows the rate from then on
	rates    [2]float64 // of a narrow link, bytes a second: the highest of this rateLife and of the one before
	rateAt   time.Time
	drains   bool // nothing goes until nothing is under way
	limited  bool // something has waited for the window since the last mark
	crowded  bool // something has waited for a request to come back since one did
}

// amount counts bytes, control frames aside.
type amount struct {
	all  uint64
	past uint64 // of all: those of class History
}

// mark is an acknowledgement asked for.
type mark struct {
	id     uint64
	at     time.Time
	sent   amount    // Flow.sent, with the mark's own packet
	own    amount    // of a request: what it brings
	acked  uint64    // Flow.acked.all when it left
	since  time.Time // when that was acknowledged, or when it left, if nothing else was under way
	idle   bool      // nothing else was under way
	filled bool      // something waited for the window
	there  uint64    // once it is answered: when it was there, on the other end's clock, in µs
}

// FirstMark is the lowest id of a mark. Other probes of links count from 1.
const FirstMark = 1 << 28

const (
	// firstWindow is what may be under way before anything is known, in
	// bytes: half a second of a 64 kbit/s link. It doubles with each round trip.
	firstWindow = 4 << 10

	// leastWindow lets one full Live frame go, however slow the link.
	leastWindow = 1200

	maxWindow = 64 << 20

	// slack is how long what is under way may take beside the bare round trip.
	slack = 50 * time.Millisecond

	// stall is how late a mark may be before nothing more is sent: longer than
	// TCP needs to repair a loss on most links.
	stall = 250 * time.Millisecond

	// quietMarks is the time between marks while they come back in time. When
	// one is late they follow one another by slack.
	quietMarks = 200 * time.Millisecond

	// markWorth is how many bytes are worth a mark, while they come back in time: a mark has an answer, a packet of its own.
	markWorth = 512

	// lateMarks in a row mean a queue.
	lateMarks = 3

	// baseLife is how long a round trip counts as that of the bare link.
	baseLife = 10 * time.Second

	// rateLife is how long a rate of delivery is believed, once or twice.
	rateLife = time.Second

	// patience is how long a mark may be missing before another is sent: the
	// other end's queues may have dropped its Echo.
	patience = time.Second

	// pastShare is which part of the window what a device has kept may have: it
	// comes as fast as it may, and would have all of it.
	pastShare = 2

	maxMarks = 64
	markRoom = 16 // bytes of a mark's frame, at most
)

// NewFlow makes a Flow for one direction of one link.
func NewFlow() *Flow { return &Flow{window: firstWindow} }

// NewChannelFlow makes one for data channels, which differ in two ways. They begin
// beside a link that fills the same hop: so they begin with one packet, and where the
// way is narrow they let it run dry, when that is found and every baseLife, to
// see the bare round trip. And their packets cost some 130 bytes beside the frames,
// their acknowledgements as much: so on a narrow way a packet is half a window long.
func NewChannelFlow() *Flow { return &Flow{window: leastWindow, channels: true} }

// Take is Tap.Take for as much as may be under way, limit bytes at most, with
// a mark behind it if one is due. Control frames need no window.
func (f *Flow) Take(t *Tap, limit int, b *Batch) (more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	room, past := min(f.room(now), limit), min(f.pastRoom(), limit)
	if room > 0 {
		more = t.take(room, past, b)
	} else {
		more = t.TakeControl(limit, b)
	}
	switch {
	case f.full(now):
		f.crowded = f.crowded || t.Waits()
	default:
		f.limited = f.limited || min(room, past) < limit && t.Waits()
	}
	if more {
		f.leaves(now, b)
	}
	return more
}

// Return is Tap.Return for a batch that was not sent after all.
func (f *Flow) Return(t *Tap, b *Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !b.onlyControl() {
		f.sent.all = max(f.sent.all-uint64(len(b.Packet)-b.markLength), f.acked.all)
		f.sent.past = max(f.sent.past-b.pastBytes(), f.acked.past)
		f.marked = min(f.marked, f.sent.all)
		f.marks = slices.DeleteFunc(f.marks, func(m mark) bool { return m.id == b.mark })
	}
	t.Return(b)
}

// room is how many bytes may be sent now.
func (f *Flow) room(now time.Time) int {
	if f.full(now) {
		return 0
	}
	if f.underWay() == 0 {
		f.drains = false
		if f.channels && f.narrow {
			return leastWindow // a short one measures the way, not itself
		}
		return f.window
	}
	room := max(f.window-f.inTheWay(), 0)
	if f.requests.most == 0 && f.stalled(now) || f.drains || f.channels && f.narrow && room < f.window/2 {
		return 0
	}
	return room
}

// pastRoom is how many bytes of class History may be sent now. What is live
// finds room beside it at once, also in a window that has to grow first.
func (f *Flow) pastRoom() int { return f.window/pastShare - f.pastUnderWay() }

func (f *Flow) pastUnderWay() int { return int(f.sent.past - f.acked.past) }

// inTheWay is how much of the window is taken from everything but History. As long as no queue was seen, History is
// beside the window: one that has just begun holds a description of streams and little else.
func (f *Flow) inTheWay() int {
	past := f.pastUnderWay()
	others := f.underWay() - past
	if !f.narrow {
		return others
	}
	return others + min(past, f.window/pastShare)
}

// UnderWay is how much is sent and not acknowledged, in bytes.
func (f *Flow) UnderWay() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.underWay()
}

func (f *Flow) underWay() int { return int(f.sent.all - f.acked.all) }

func (f *Flow) stalled(now time.Time) bool { return f.missing(now) > stall }

// overdue: a mark is late, or lost, where those can be.
func (f *Flow) overdue(now time.Time) bool { return f.missing(now) > slack }

// missing is how much longer than on the bare link the oldest mark is under way.
func (f *Flow) missing(now time.Time) time.Duration {
	if len(f.marks) == 0 || f.base == 0 {
		return 0
	}
	return now.Sub(f.marks[0].at) - f.base
}

// leaves counts a batch that is about to be written, and ends its packet with
// a mark if one is due. Packets of nothing but control frames have none, or
// the two ends would answer one another for ever.
func (f *Flow) leaves(now time.Time, b *Batch) {
	if b.onlyControl() {
		return
	}
	idle := f.sent == f.acked
	f.sent.all += uint64(len(b.Packet))
	f.sent.past += b.pastBytes()
	switch {
	case f.requests.most > 0:
		b.mark = f.note(now, idle)
		f.marks[len(f.marks)-1].own = amount{uint64(len(b.Packet)), b.pastBytes()}
	case f.due(now) && len(b.Packet)+markRoom <= wire.MaxPacket:
		unmarked := len(b.Packet)
		b.Packet = f.mark(b.Packet, now, idle)
		b.mark, b.markLength = FirstMark+f.lastID, len(b.Packet)-unmarked
	}
}

func (b *Batch) pastBytes() (n uint64) {
	for i := range b.Frames {
		if b.Frames[i].Lane() == LaneHistory {
			n += uint64(len(b.Frames[i].Bytes))
		}
	}
	return n
}

func (b *Batch) onlyControl() bool {
	for i := range b.Frames {
		if !b.Frames[i].Control {
			return false
		}
	}
	return true
}

func (f *Flow) due(now time.Time) bool {
	if len(f.marks) == maxMarks {
		return false
	}
	every, worth := quietMarks, markWorth
	if f.late > 0 || f.narrow || f.limited || f.overdue(now) {
		every, worth = slack, 0
	}
	unmarked := int(f.sent.all - f.marked)
	return now.Sub(f.markedAt) >= every && unmarked >= worth || unmarked >= f.window/4
}

func (f *Flow) mark(packet []byte, now time.Time, idle bool) []byte {
	return wire.AppendProbe(packet, wire.Hop{}, wire.Probe{ID: f.note(now, idle), Heard: true})
}

// note remembers what is under way as of now, under an id.
func (f *Flow) note(now time.Time, idle bool) (id uint64) {
	f.lastID++
	since := f.ackedAt
	if idle {
		since = now
	}
	f.marks = append(f.marks, mark{id: FirstMark + f.lastID, at: now, sent: f.sent, acked: f.acked.all, since: since, idle: idle, filled: f.limited})
	f.markedAt, f.marked, f.limited = now, f.sent.all, false
	return FirstMark + f.lastID
}

// remind returns a mark to send if what is under way would not be acknowledged
// otherwise, nil if it is not time yet, and when to ask again.
func (f *Flow) remind(now time.Time) (frame []byte, again time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait := patience
	if f.marked < f.sent.all {
		wait = slack
	}
	if wait -= now.Sub(f.markedAt); wait > 0 && len(f.marks) > 0 {
		return nil, wait
	}
	if len(f.marks) == maxMarks {
		f.marks = f.marks[1:]
	}
	return f.mark(nil, now, false), patience
}

// unanswered is how long nothing was acknowledged though it was asked for.
func (f *Flow) unanswered(now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.marks) == 0 {
		return 0
	}
	return now.Sub(f.marks[0].at)
}

// ErrNoAnswer says that the other end acknowledges nothing.
var ErrNoAnswer = errors.New("the other end acknowledges nothing")

// Await returns when there may be something to take, or over is closed. Where
// frames wait for the window it sees to it that what is under way is
// acknowledged: ErrNoAnswer if nothing was for as long as patience.
func (f *Flow) Await(t *Tap, over <-chan struct{}, patience time.Duration) error {
	var again <-chan time.Time
	if now := time.Now(); t.Waits() {
		if f.unanswered(now) > patience {
			return ErrNoAnswer
		}
		mark, wait := f.remind(now)
		if mark != nil {
			t.buffer.Send(Frame{Bytes: mark, Control: true})
			return nil
		}
		again = time.After(wait)
	}
	select {
	case <-t.Ready():
	case <-again:
	case <-over:
	}
	return nil
}

// Heard looks for answers to marks in a packet that came, and reports whether
// there was one: then there may be room again.
func (f *Flow) Heard(now time.Time, packet []byte) (found bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for frame, err := range wire.Frames(packet) {
		if len(f.marks) == 0 {
			break
		}
		if err != nil || frame.Type != wire.TypeEcho || frame.Hop.Conn != 0 { // whoever reads the packet says what is broken
			continue
		}
		if echo, err := wire.ParseEcho(frame.Body); err == nil && echo.ID >= FirstMark {
			found = f.acknowledge(echo.ID, now, echo.T2) || found
		}
	}
	return found
}

// acknowledge takes the answer to a mark that was there at a time in µs on the other end's clock.
func (f *Flow) acknowledge(id uint64, now time.Time, there uint64) bool {
	for i, m := range f.marks {
		if m.id == id {
			f.marks = append(f.marks[:f.olderLeft(i)], f.marks[i+1:]...)
			m.there = there
			f.came(now, m)
			return true
		}
	}
	return false
}

// came takes the answer to a mark into account.
func (f *Flow) came(now time.Time, m mark) {
	fresh := f.acknowledges(m)
	f.ackedAt = now
	rtt := max(now.Sub(m.at), time.Microsecond)
	f.learnBase(now, rtt, m.idle)
	delivered := float64(f.acked.all-m.acked) / max(now.Sub(m.since), rtt).Seconds()
	limited := m.filled || f.limited
	verdict := f.judge(now, m, rtt)
	switch verdict {
	case congested:
		if f.requests.congested() {
			f.late = 0
			return
		}
		f.drains = f.drains || f.channels && !f.narrow
		f.narrow, f.rates = true, [2]float64{delivered}
		f.follow()
	case inTime, unsure:
		if f.narrow && limited {
			f.drains = f.drains || f.channels && now.Sub(f.baseAt) > baseLife
			f.learnRate(now, delivered)
			f.follow()
		} else if limited && f.late == 0 {
			f.window = min(f.window+fresh, maxWindow) // doubles in a round trip, as in TCP's slow start (RFC 5681, section 3.1)
		}
		if verdict == inTime {
			f.calm()
		}
	}
}
