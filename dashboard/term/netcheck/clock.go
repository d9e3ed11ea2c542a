package netcheck

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/telepath-iot/telepath/dashboard/term/view"
)

// Offset is how far the server's clock is ahead of this machine's.
type Offset struct {
	Ahead, Err time.Duration
}

// dateUnit is the resolution of the header Date.
const dateUnit = time.Second

// timeFromDate takes the server's time from an answer. It was written at some
// time between sent and heard, and cut to the second.
func (s *survey) timeFromDate(date string, sent, heard time.Time) {
	cut, err := http.ParseTime(date)
	if err != nil {
		return
	}
	way := heard.Sub(sent) / 2
	s.addTime(Offset{Ahead: cut.Add(dateUnit / 2).Sub(sent.Add(way)), Err: dateUnit/2 + way})
}

func (s *survey) addTime(o Offset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, o)
}

// checkClock takes the best of all measurements.
func (s *survey) checkClock(context.Context) Check {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.times) == 0 {
		return unknown("the server did not say its time", "")
	}
	best := s.times[0]
	for _, o := range s.times {
		if o.Err < best.Err {
			best = o
		}
	}
	where := "ahead"
	if best.Ahead < 0 {
		where = "behind"
	}
	c := ok(0, fmt.Sprintf("the server's clock is %s %s, ± %s", view.Short(best.Ahead.Abs()), where, view.Short(best.Err)))
	c.Clock = &best
	return c
}
