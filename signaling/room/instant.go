package room

import (
	"math"
	"sync/atomic"
	"time"
)

// Instant is a time that goroutines set and read without a lock. It keeps what the monotonic clock showed: a clock that somebody
// sets forward by an hour must not make an hour's silence of it.
type Instant struct {
	base  time.Time
	after atomic.Int64 // ns behind base
}

// Begin is the first Set; it comes before all else.
func (i *Instant) Begin(now time.Time) { i.base = now }

// Set takes a later time.
func (i *Instant) Set(now time.Time) { i.after.Store(int64(now.Sub(i.base))) }

// Get is the one that was set last.
func (i *Instant) Get() time.Time { return i.base.Add(time.Duration(i.after.Load())) }

// unixMilli is t by the clock as it is set now.
func unixMilli(t, now time.Time) int64 {
	d := t.Sub(now)
	if d == math.MinInt64 || d == math.MaxInt64 { // more than it holds
		return t.UnixMilli()
	}
	return now.Add(d).UnixMilli()
}
