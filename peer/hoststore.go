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
	// storeResting is how much of them goes in a second of rest, in bytes: 58 kB an hour, which leaves the words of the
	// link and all headers 42 of 100 kB.
	storeResting = 16
)

// stepStore sends them when it is time.
func (h *Host) stepStore(now time.Duration) (wake time.Duration) {
	if !h.welcomed || !h.unstored {
		return now + time.Hour
	}
	if now >= h.storeAt {
		h.store(now)
		if h.resting() {
			h.link.probe() // who speaks now need not speak again soon
		}
	}
	return h.storeAt
}

func (h *Host) store(now time.Duration) {
	h.unstored = false
	bytes := 0
	for _, s := range h.known {
		if s.unstored && s.newest.Count > 0 {
			f := s.keptFrame(wire.Hop{Store: true, Priority: wire.Low})
			bytes += len(f.Bytes)
			s.unstored = !h.link.send(f)
			h.unstored = h.unstored || s.unstored
		}
	}
	h.storeAt = now + h.pause(bytes)
}

// pause is how long nothing is stored after so many bytes.
func (h *Host) pause(bytes int) time.Duration {
	switch {
	case h.resting():
		return max(h.link.every(), time.Duration(bytes)*time.Second/storeResting)
	case h.narrow():
		return storeNarrow
	}
	return storeEvery
}

// resting reports whether this is a device of low power that nobody watches.
func (h *Host) resting() bool { return h.cfg.LowPower && len(h.conns) == 0 }

// keepAlive is what the link goes by. While somebody watches it is that of all devices, which the server is not
// told: it hears more often than it must.
func (h *Host) keepAlive() time.Duration {
	if h.cfg.LowPower && !h.resting() {
		return min(h.cfg.KeepAlive, DefaultKeepAlive)
	}
	return h.cfg.KeepAlive
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
