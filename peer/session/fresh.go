package session

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// fresh is the Inbox of class Live: at most once, on arrival, until the
// deadline, from which the newest sample is exempt (section 5.2).
type fresh struct {
	seen   window
	oldest uint64 // first sample accounted for; 0: none yet
	known  uint64 // samples that came, whatever became of them
	stats  Stats
}

func (f *fresh) receive(h wire.Header, payload []byte, age time.Duration, out []Delivery) ([]Delivery, DropReason) {
	expired := h.Deadline > 0 && age >= 0 && age > deadline(h)
	before, had := f.seen.newest, len(out)
	f.seen.advance(h.Last())
	reason := Duplicate
	for i := range h.Count {
		seq := h.Seq + uint64(i)
		exempt := seq == h.Last() && seq > before
		switch f.judge(seq, expired && !exempt) {
		case Deadline:
			reason = Deadline
		case "":
			out = f.deliver(out, had, h, payload, i, before)
		}
	}
	if len(out) > had {
		reason = ""
	}
	return out, reason
}

// judge accounts for a sample and says why it is not delivered, if it is not.
func (f *fresh) judge(seq uint64, expired bool) DropReason {
	if f.seen.tooOld(seq) {
		f.stats.Expired++
		return Deadline
	}
	if !f.seen.add(seq) {
		f.stats.Duplicates++
		return Duplicate
	}
	f.known++
	if f.oldest == 0 || seq < f.oldest {
		f.oldest = seq
	}
	if expired {
		f.stats.Expired++
		return Deadline
	}
	return ""
}

// deadline as a duration, without overflow.
func deadline(h wire.Header) time.Duration {
	const most = uint64(time.Hour * 24 * 365 / time.Millisecond)
	return time.Duration(min(h.Deadline, most)) * time.Millisecond
}

// deliver appends sample i of the batch, to the last of the batch's own
// deliveries if it continues that one.
func (f *fresh) deliver(out []Delivery, had int, h wire.Header, payload []byte, i int, before uint64) []Delivery {
	seq := h.Seq + uint64(i)
	late := seq <= before
	f.stats.Delivered++
	if late {
		f.stats.Late++
	}
	n := len(out) - 1
	if n < had || out[n].Skip+out[n].Take != i || out[n].Late != late {
		out = append(out, Delivery{Header: h, Payload: payload, Skip: i, Late: late})
		n++
	}
	out[n].Take++
	out[n].Newest = !late && seq == h.Last()
	return out
}

// counts returns the stats with what is missing now.
func (f *fresh) counts() Stats {
	s := f.stats
	if f.oldest != 0 {
		s.Lost = f.seen.newest - f.oldest + 1 - f.known
	}
	return s
}
