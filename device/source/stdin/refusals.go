package stdin

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// refusalBurst is how many refusals are told one by one before it is one a
// second: enough to see what is wrong, too few to drown in.
const refusalBurst = 10

// tellAfter is how long refusals may wait to be told with those behind them.
const tellAfter = time.Second

// refusals tells the user what was refused, and counts what it leaves out.
type refusals struct {
	log   *slog.Logger
	limit *rate.Limiter

	mu      sync.Mutex
	count   int // in all
	untold  int
	lastErr string
	timer   *time.Timer // tells the untold; nil: there are none
}

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, limit: rate.NewLimiter(rate.Every(time.Second), refusalBurst)}
}

func (r *refusals) add(line int, err error) {
	allowed := r.limit.Allow()
	if allowed {
		r.flush()
		r.log.Warn(fmt.Sprintf("stdin refused: line %d: %v", line, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	if allowed {
		return
	}
	r.untold++
	r.lastErr = fmt.Sprintf("line %d: %v", line, err)
	if r.timer == nil {
		r.timer = time.AfterFunc(tellAfter, r.flush)
	}
}

// flush tells about the ones that were left out.
func (r *refusals) flush() {
	r.mu.Lock()
	n, last := r.untold, r.lastErr
	r.untold = 0
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	r.mu.Unlock()
	if n > 0 {
		r.log.Warn(fmt.Sprintf("stdin refused %d more, the last one: %s", n, last))
	}
}

// total is how many there were.
func (r *refusals) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}
