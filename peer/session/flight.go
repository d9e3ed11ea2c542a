package session

import "time"

// maxFlight is what a Conn may have under way, in bytes (section 5.1):
// 2.5 MB/s at 100 ms round trip, and little enough to repeat on another path.
const maxFlight = 256 << 10

// maxUnacked is how many batches of one stream may be unacknowledged: as many
// as a receiver holds when the first of them is missing.
const maxUnacked = 1024

// maxTentative is how much a Conn may have under way, in bytes, of streams whose
// receiver has taken nothing yet: 2 s of a link of 64 kbit/s, again and again.
const maxTentative = 16 << 10

// Flight is the budget for what one Conn has sent and the receiver does not
// have yet, as far as it has said; the Conn's Outboxes share it. When one gives
// room back, call Next of all of them.
type Flight struct {
	limit int
	used  int
	held  int // by the receiver, beyond the positions of its streams

	tentative int // of used: of Outboxes that are tentative

	heard    time.Duration // when an acknowledgement came last of what was sent
	arrivals int           // batches that were sent and acknowledged
	arrived  time.Duration // when the last of these was, or another path came into use
	reached  time.Duration // when the newest of these was sent first

	elsewhere bool // what a receiver has may come from elsewhere as well
}

// NewFlight returns a Flight of limit bytes; 0 stands for 256 KiB.
func NewFlight(limit int) *Flight {
	if limit == 0 {
		limit = maxFlight
	}
	return &Flight{limit: limit}
}

// SetLimit changes the limit. What is in flight beyond it stays so.
func (f *Flight) SetLimit(limit int) { f.limit = limit }

// Elsewhere says whether the receiver may be brought what was sent in another way, too.
func (f *Flight) Elsewhere(is bool) { f.elsewhere = is }

// heardOf takes what an acknowledgement says of what was sent: that some of it has arrived; or, where it moves nothing, that something
// has come again. That is a copy, and what is missing may be behind it. Or it came from elsewhere, where there is that: it says nothing
// then, as an acknowledgement does that was moved by such, and counts for a while only.
func (f *Flight) heardOf(now time.Duration, arrived, moves bool) {
	switch {
	case arrived:
		f.heard, f.arrived = now, now
	case !moves && (!f.elsewhere || now < f.arrived+resendMax):
		f.heard = now
	}
}

// Used is the number of bytes in flight, with 64 for each batch's own cost.
func (f *Flight) Used() int { return f.used }

// Unacknowledged is Used with what the receiver holds and has not delivered.
func (f *Flight) Unacknowledged() int { return f.used + f.held }

// fits reports whether size more bytes may fly, and be held when they have
// come. A batch larger than the whole budget flies alone.
func (f *Flight) fits(size int) bool {
	return (f.used == 0 || f.used+size <= f.limit) && f.used+f.held+size <= maxEarly
}
