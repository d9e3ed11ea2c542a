package stdin

import (
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// refusalBurst is how many refusals are told one by one before it is one a
// second: enough to see what is wrong, too few to drown in.
const refusalBurst = 10

// refusals tells the user what was refused, and counts what it leaves out.
type refusals struct {
	log     *slog.Logger
	limit   *rate.Limiter
	count   int // in all
	untold  int
	lastErr string
}

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, limit: rate.NewLimiter(rate.Every(time.Second), refusalBurst)}
}

func (r *refusals) add(line int, err error) {
	r.count++
	if !r.limit.Allow() {
		r.untold++
		r.lastErr = fmt.Sprintf("line %d: %v", line, err)
		return
	}
	r.flush()
	r.log.Warn(fmt.Sprintf("stdin refused: line %d: %v", line, err))
}

// flush tells about the ones that were left out.
func (r *refusals) flush() {
	if r.untold > 0 {
		r.log.Warn(fmt.Sprintf("stdin refused %d more, the last one: %s", r.untold, r.lastErr))
		r.untold = 0
	}
}
