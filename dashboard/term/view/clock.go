package view

import (
	"time"

	"github.com/telepath-iot/telepath/peer"
)

// wrongFrom is from where on a difference of clocks is worth a word: people set
// them by hand to a few seconds.
const wrongFrom = 5 * time.Second

// clock is the device's clock minus ours, ± err.
type clock struct {
	offset, err time.Duration
	known       bool
}

// age of the sample of time t (µs) in what came. A last will has no time of
// its own: it is from when the server published it, on our clock.
func (c clock) age(r *peer.Received, t int64) Age {
	switch {
	case r.Header.Will:
		return Age{Value: r.Held, Known: true}
	case !c.known:
		return Age{}
	}
	return Age{Value: r.At.Add(c.offset).Sub(time.UnixMicro(t)), Err: c.err, Known: true, ErrKnown: true}
}

// isWrong reports whether the two clocks are apart for certain.
func (c clock) isWrong() bool { return c.known && c.offset.Abs()-c.err >= wrongFrom }

// clockNews is what was told of a device's clock: how far ahead it is; 0: nothing, or that it is right.
type clockNews struct{ told time.Duration }

// look reports whether there is something to tell.
func (n *clockNews) look(c clock) bool {
	switch {
	case !c.known:
		return false
	case c.isWrong():
		if n.told != 0 && (c.offset-n.told).Abs() < wrongFrom {
			return false
		}
		n.told = c.offset
		return true
	default:
		wasWrong := n.told != 0
		n.told = 0
		return wasWrong
	}
}
