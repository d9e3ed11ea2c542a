package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how a viewer knows how old things are, whoever's clock is set.

// followFrom is by how much the machine's clock is off when it was set; by less it is steered.
const followFrom = 250 * time.Millisecond

// ownClock is the clock of a viewer. It runs with the machine's monotonic one,
// and follows the other only between two measurements of the device's.
type ownClock struct {
	born    time.Time
	ahead   time.Duration    // of the monotonic clock, as it was at born
	machine func() time.Time // the clock that may be set
}

func newOwnClock() ownClock { return ownClock{born: time.Now(), machine: time.Now} }

func (o *ownClock) now() time.Time { return o.born.Add(time.Since(o.born) + o.ahead) }

// follow reports whether the machine's clock was set.
func (o *ownClock) follow() bool {
	off := o.machine().Round(0).Sub(o.now().Round(0))
	if off.Abs() <= followFrom {
		return false
	}
	o.ahead += off
	return true
}

// keepTime sees to it that a clock of ours that was set makes nothing older: what was measured by it is void.
func (c *Conn) keepTime(now time.Duration) {
	if c.own.follow() {
		c.paths.clock = session.Clock{}
		c.paths.measure(now)
	}
}

// age is at least how old a batch's last sample is; negative: unknown, or of no
// consequence. It is unknown from the moment on at which the device's clock
// seems to have been set, until it is measured again. Payloads are opaque to
// this package: its user can read them.
func (c *Conn) age(now time.Duration, s *subscription, h wire.Header, payload []byte) time.Duration {
	if h.Deadline == 0 || h.Key != 0 || c.cfg.NewestTime == nil {
		return -1
	}
	offset, bound, known := c.Clock()
	if !known {
		return -1
	}
	t, ok := c.cfg.NewestTime(payload, int(h.Count))
	if !ok {
		return -1
	}
	age := c.own.now().Sub(time.UnixMicro(t)) + offset
	if s.stamps.Turned(h, t, (-age-bound).Microseconds()) && c.paths.clock.Doubt(now) {
		c.paths.measure(now)
	}
	if c.paths.clock.Doubtful() {
		return -1
	}
	return max(age-bound, 0)
}
