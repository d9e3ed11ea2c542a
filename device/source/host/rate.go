package host

import (
	"maps"
	"time"
)

// rates turns counters that only grow into changes per second.
type rates map[string]reading

type reading struct {
	at    time.Time
	count float64
}

// forget leaves out what was not counted at a time, since it is gone.
func (r rates) forget(now time.Time) {
	maps.DeleteFunc(r, func(_ string, last reading) bool { return !last.at.Equal(now) })
}

// per returns the change per second since the last call for name. There is
// none at the first call, nor when the counter was reset or no time has passed.
func (r rates) per(name string, now time.Time, count float64) (float64, bool) {
	last, known := r[name]
	r[name] = reading{now, count}
	seconds := now.Sub(last.at).Seconds()
	if !known || count < last.count || seconds <= 0 {
		return 0, false
	}
	return (count - last.count) / seconds, true
}
