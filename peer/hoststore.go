package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how the server comes to know the newest values that nobody there asked for, of which it tells who joins.

const (
	// storeEvery is how often it is sent them.
	storeEvery = time.Second
	// storeNarrow is how often where the device's own hop is narrow: what goes to the server is missing to those who watch.
	storeNarrow = 5 * time.Second
)

func (h *Host) store(now time.Duration) {
	h.storeAt, h.unstored = now+storeEvery, false
	if h.narrow() {
		h.storeAt = now + storeNarrow
	}
	for _, s := range h.known {
		if s.unstored && s.newest.Count > 0 {
			s.unstored = !h.link.send(s.keptFrame(wire.Hop{Store: true, Priority: wire.Low}))
			h.unstored = h.unstored || s.unstored
		}
	}
}

// narrow reports whether all viewers with a direct path missed Live samples since it was asked last, for want of room: if some do
// not, it is the hop of the others.
func (h *Host) narrow() bool {
	direct, missing := 0, 0
	for _, c := range h.conns {
		isDirect, misses := c.missing()
		if isDirect {
			direct++
		}
		if misses {
			missing++
		}
	}
	return direct > 0 && missing == direct
}

// missing reports whether there is a direct path, and whether samples were dropped before it since it was asked last.
func (c *hostConn) missing() (direct, misses bool) {
	dropped := uint64(0)
	for _, g := range c.paths.legs {
		if g.direct() {
			direct = true
			dropped += g.carrier.Stats().Drops[carrier.Deadline]
		}
	}
	misses, c.dropped = dropped > c.dropped, dropped
	return direct, direct && misses
}
