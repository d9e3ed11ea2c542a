package live

import (
	"slices"
	"time"
)

// undo is what was before the packet that was made last, and what it was made of.
type undo struct {
	lastAt, freshAt, askedAt time.Duration
	asked, awaited           bool // it asks, and nothing that asked before it is unanswered
	asks                     int
	loaded                   uint64
	owed                     bool
	members                  []*sentPacket // of its parities
	stats                    Stats

	fresh   int // so many of its pieces are
	repairs int // where those begin that are sent again; before them lie seconds
	seconds int // how many waited then
}

// Unsent takes back the packet that was made last: the path did not take it. Its
// fresh frames will come again; what rode along waits for the next packet. That has its
// number, too: to the other end one that is left out is a loss, of which it tells twice.
func (o *Out) Unsent() {
	p, was := o.at(o.number), o.undo
	if was.asked && o.askedAt == p.at {
		o.askedAt = was.askedAt
		o.asks = min(o.asks, was.asks) // an answer may have come meanwhile
	}
	if was.awaited && o.awaited == p.at {
		o.awaited = 0
	}
	for _, f := range p.pieces[was.repairs:] {
		o.unrepair(f, o.seconds[was.seconds:])
	}
	o.seconds = append(o.seconds[:was.seconds], p.pieces[was.fresh:was.repairs]...)
	o.lastAt, o.freshAt, o.loaded, o.owed = was.lastAt, was.freshAt, was.loaded, was.owed
	for _, m := range was.members {
		m.covered--
	}
	o.stats.Packets, o.stats.Repairs, o.stats.Parities, o.stats.Late = was.stats.Packets, was.stats.Repairs, was.stats.Parities, was.stats.Late
	o.dusk.made -= uint64(p.size)
	*p = sentPacket{pieces: p.pieces[:0]}
	o.number--
}

// unrepair puts a frame back among those that are to be sent again; seconds are those that were to ride along afterwards.
func (o *Out) unrepair(f *piece, seconds []*piece) {
	if slices.Contains(seconds, f) {
		f.twice = false
	}
	if len(o.repairs) < maxRepairs && !slices.Contains(o.repairs, f) {
		o.repairs = append(o.repairs, f)
	}
}
