package web

import "math/bits"

// maxAhead is how far ahead of the last packet before which none is missing others may come (protocol section 6.7). A client has
// up to five requests under way; some more come back while one of them is held up.
const maxAhead = 64

// taken is which of a link's packets were: all up to a number, and some beyond.
type taken struct {
	all    uint64
	beyond uint64 // bit i: all + 1 + i was taken; bit 0 never is
}

type upFate int

const (
	upNext     upFate = iota // to be taken
	upEarly                  // one before it is missing
	upRepeated               // it was taken
	upTooFar
)

// fate says what is to be done with a packet.
func (t *taken) fate(u up) upFate {
	switch {
	case u.n <= t.all:
		return upRepeated
	case u.n > t.all+maxAhead:
		return upTooFar
	case t.beyond>>(u.n-t.all-1)&1 != 0:
		return upRepeated
	case u.ahead || u.n == t.all+1:
		return upNext
	}
	return upEarly
}

// add notes that n was taken, and reports whether it is another one now that is missing first.
func (t *taken) add(n uint64) (moved bool) {
	t.beyond |= 1 << (n - t.all - 1)
	row := bits.TrailingZeros64(^t.beyond)
	t.all += uint64(row)
	t.beyond >>= row
	return row > 0
}
