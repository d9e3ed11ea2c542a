package live

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// receiptSpacing is the least time between two receipts: a packet may show many
// holes, and so may the next.
const receiptSpacing = 5 * time.Millisecond

// In is the receiving end of one path's Live channel (section 7.5). It
// tells the sender what came, when the sender wants to know, and makes what did
// not come out of parities. Whether a sample was delivered before, Inbox knows.
type In struct {
	seen   numbers
	first  uint64        // the lowest number that came; 0: none
	cameAt time.Duration // when the newest came
	mender mender

	parities []wire.Parity // memory of Receive

	due    bool // a receipt was asked for, or there is a hole to tell of
	again  bool // a hole was told of once: what told of it may be lost
	quick  bool // the newest wants holes to be told of
	rhythm rhythm
	sentAt time.Duration // the last receipt
}

// NewIn returns the receiving end of a new path.
func NewIn() *In { return &In{sentAt: -time.Hour} }

// Receive takes a packet and appends to out what is to be read: its content, and
// those of others that could be made with it. These are valid until the next
// call. A packet without number is passed on as it is; one that came before, not at all.
func (l *In) Receive(now time.Duration, packet []byte, out [][]byte) [][]byte {
	s, content, numbered := serialOf(packet)
	if !numbered {
		return append(out, packet)
	}
	if !l.note(now, s) {
		return out
	}
	if !s.Kept {
		return append(out, content)
	}
	content, l.parities = splitParities(content, l.parities[:0])
	return l.mender.take(s.Number, content, l.parities, append(out, content))
}

// note accounts for a number; false: it came before.
func (l *In) note(now time.Duration, s wire.Serial) bool {
	before := l.seen.newest
	fresh := l.seen.add(s.Number)
	if l.first == 0 {
		l.first = s.Number
	}
	if s.Number > before {
		hole := before != 0 && s.Number > before+1 && s.Quick
		l.due = l.due || hole || l.again
		l.again = hole && !(l.rhythm.told && s.Number == before+2)
		l.rhythm.came(s.Number, before, now-l.cameAt)
		l.cameAt, l.quick = now, s.Quick
	}
	l.due = l.due || s.Ask
	return fresh
}

// Receipt returns the receipt that is due, which counts as sent; false: none is.
// It is to be asked after each Receive, and at Wake.
func (l *In) Receipt(now time.Duration) (r wire.Receipt, due bool) {
	overdue := now >= l.Wake()
	if !l.due && !overdue || now < l.sentAt+receiptSpacing {
		return r, false
	}
	l.due, l.sentAt, l.rhythm.told = false, now, l.rhythm.told || overdue
	return wire.Receipt{
		Newest: l.seen.newest, Held: uint64(max(0, now-l.cameAt) / time.Microsecond),
		Runs: l.seen.runs(l.first),
	}, true
}

// Wake is when a packet is overdue that has not come by then.
func (l *In) Wake() time.Duration {
	after := l.rhythm.overdue(l.seen.newest)
	if !l.quick || after == Never {
		return Never
	}
	return max(l.cameAt+after, l.sentAt+receiptSpacing)
}

// serialOf opens a numbered packet.
func serialOf(packet []byte) (s wire.Serial, content []byte, ok bool) {
	f, rest, err := wire.NextFrame(packet)
	if err != nil || f.Type != wire.TypeSerial {
		return s, nil, false
	}
	s, err = wire.ParseSerial(f.Body)
	return s, rest, err == nil
}

// splitParities takes the content of a packet from the Parity frames behind it, and appends these to parities. One that makes no sense is left out.
func splitParities(content []byte, parities []wire.Parity) ([]byte, []wire.Parity) {
	before := content
	for rest := content; len(rest) > 0 && len(parities) < wire.MaxParities; {
		f, next, err := wire.NextFrame(rest)
		if err == nil && f.Type == wire.TypeParity {
			if len(before) == len(content) {
				before = content[:len(content)-len(rest)]
			}
			if p, err := wire.ParseParity(f.Body); err == nil {
				parities = append(parities, p)
			}
		}
		rest = next
	}
	return before, parities
}
