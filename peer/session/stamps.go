package session

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// clockSet is by how much a sample's time is off when the clock was set that it was taken from, in µs:
// below it, the next measurement is soon enough.
const clockSet = int64(100 * time.Millisecond / time.Microsecond)

// Stamps watches the times of a Live stream's samples for a sign that the
// device's clock was set: they go back, or run ahead of what it can show.
// A measurement sees that as well, but later (section 5.2).
type Stamps struct {
	epoch uint32
	seq   uint64
	t     int64
	ahead bool
}

// Turned takes the time t of a batch's last sample, µs, and by how much it is
// ahead of the device's clock as it was measured, the error taken off.
func (s *Stamps) Turned(h wire.Header, t, ahead int64) bool {
	if h.Epoch == s.epoch && h.Last() <= s.seq {
		return false // it comes late, and tells how it was
	}
	before := *s
	*s = Stamps{h.Epoch, h.Last(), t, ahead > clockSet}
	if h.Epoch != before.epoch {
		return s.ahead
	}
	return t < before.t-clockSet || s.ahead && !before.ahead
}
