package peer

import (
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// rests finds out whether something between cuts links that rest (idle-cut).
// One cut is anybody's; twice after the same time in which nothing moved, on
// links that never outlived so long a rest, is a rule. Pure: it is told what
// happens, and when. Times are the loop's.
type rests struct {
	movedAt  time.Duration // when something was sent or heard last
	resting  time.Duration // the longest rest since something was heard: it may have been too long
	survived time.Duration // the longest rest after which something was heard
	cutAfter time.Duration // the rest that the newest cut ended; 0: it was none
	limit    time.Duration // after which links are cut; 0: not known
}

const (
	// leastRest is what counts as one: busy links are cut as well.
	leastRest = time.Second
	// alikePart of a rest is how far another one may be from it: clocks of
	// boxes tick in seconds.
	alikePart = 10
)

// begin notes a new link. known: an earlier one has shown after which rest they are cut here; 0: none has.
func (r *rests) begin(now, known time.Duration) {
	r.movedAt, r.resting = now, 0
	if r.limit == 0 && known > r.survived {
		r.limit = known
	}
}

// sent notes that something went out on the link.
func (r *rests) sent(now time.Duration) {
	r.resting = max(r.resting, now-r.movedAt)
	r.movedAt = now
}

// heard notes that something came on the link, which has outlived its rests so far.
func (r *rests) heard(now time.Duration) {
	r.survived = max(r.survived, r.resting, now-r.movedAt)
	r.movedAt, r.resting = now, 0
	if r.limit > 0 && r.survived > r.limit+r.limit/alikePart { // it was chance, or is over
		*r = rests{movedAt: now, survived: r.survived}
	}
}

// over notes that the link has ended, and reports whether that has shown a rule.
func (r *rests) over(now time.Duration, err error) (found bool) {
	rest, before := max(r.resting, now-r.movedAt), r.cutAfter
	r.cutAfter = 0
	if !isCut(err) || rest < leastRest || rest <= r.survived {
		return false
	}
	r.cutAfter = rest
	if r.limit > 0 || before == 0 || max(rest, before)-min(rest, before) > max(rest, before)/alikePart {
		return false
	}
	r.limit = min(rest, before)
	return true
}

// keepAlive is how often something must be said for no rest to be too long.
func (r *rests) keepAlive(asked time.Duration) time.Duration {
	if r.limit == 0 {
		return asked
	}
	return min(asked, r.limit/2)
}

// why names what was found; nil: nothing.
func (r *rests) why() *carrier.Failure {
	if r.limit == 0 {
		return nil
	}
	return carrier.Fail("idle-cut", "after "+r.limit.Round(100*time.Millisecond).String(), nil)
}

// isCut reports whether a link ended without a word of either end.
func isCut(err error) bool {
	var refused *RefusedError
	return err != nil && !errors.As(err, &refused) && !errors.Is(err, carrier.ErrClosed) && carrier.Explain(err).Name == "cut"
}
