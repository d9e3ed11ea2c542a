package peer

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// Times of a race (docs/protocol.md, section 6.8).
const (
	// headStart is what a rung has before the next one starts, counted from
	// when its connection stands: while that does not, the next one would have
	// the same trouble.
	headStart = 300 * time.Millisecond
	// slowPart is the head start for each time that connecting took: for what
	// is to go there and back after it.
	slowPart = 2
	// muteTime is how long an open link may stay without a frame.
	muteTime = 2 * time.Second
	// connectTime is when the next rung starts though no connection stands.
	connectTime = 3 * time.Second
	// openTime is how long the opening of a link may take.
	openTime = 10 * time.Second
)

var (
	errDropped = errors.New("another link was faster")
	errMute    = errors.New("nothing came")
)

// linkRungs are the rungs of links that race, best first: what needs no more
// than HTTP. Links over data channels come later (see lift).
var linkRungs = []ladder.Rung{ladder.WS, ladder.SSE, ladder.Poll}

// opening is one rung's way of opening a link. connected is called when there
// is a connection for it.
type opening func(ctx context.Context, rung ladder.Rung, open []byte, connected func()) (carrier.Carrier, error)

// race opens links on several rungs, the next one a little later, until a
// frame of the server's came on one.
type race struct {
	// Set once.
	rungs []ladder.Rung // in the order of their start
	dial  opening
	open  []byte // rides in the first request; nil: none
	tasks *sync.WaitGroup

	// Owned by run and rest.
	started  int
	running  map[ladder.Rung]context.CancelCauseFunc
	verdicts []Verdict

	connects chan time.Duration // how long the newest took
	results  chan result        // has room for all
}

type result struct {
	rung    ladder.Rung
	e       *entrant // it was heard
	err     error    // it was not
	dropped bool     // it was not given the time to fail
}

func newRace(rungs []ladder.Rung, dial opening, open []byte, tasks *sync.WaitGroup) *race {
	return &race{
		rungs: rungs, dial: dial, open: open, tasks: tasks, running: map[ladder.Rung]context.CancelCauseFunc{},
		connects: make(chan time.Duration, len(rungs)), results: make(chan result, len(rungs)),
	}
}

// run returns the first that was heard. Better rungs that are still under way
// go on: see rest. All others have ended, or will soon.
func (r *race) run(ctx context.Context) (*entrant, error) {
	next := time.NewTimer(0)
	defer next.Stop()
	var errs []error
	for r.started < len(r.rungs) || len(r.running) > 0 {
		select {
		case <-ctx.Done():
			r.stop()
			return nil, context.Cause(ctx)
		case <-next.C:
			r.startNext(ctx)
			next.Reset(connectTime)
		case took := <-r.connects:
			next.Reset(headStart + slowPart*took)
		case got := <-r.results:
			r.finished(got)
			if got.err == nil {
				r.keepBetter(got.rung)
				return got.e, nil
			}
			errs = append(errs, got.err)
			if concernsAll(got.err) {
				r.stop()
				return nil, got.err
			}
			next.Reset(0)
		}
	}
	return nil, allFailed(errs, r.verdicts)
}

// startNext starts the next rung, if there is one.
func (r *race) startNext(ctx context.Context) {
	if r.started == len(r.rungs) {
		return
	}
	rung, first := r.rungs[r.started], r.started == 0
	r.started++
	life, end := context.WithCancelCause(ctx)
	r.running[rung] = end
	var open []byte
	if first {
		open = r.open
	}
	r.tasks.Go(func() {
		limited, cancel := context.WithTimeout(life, openTime)
		defer cancel()
		got := r.enter(limited, rung, open)
		got.dropped = life.Err() != nil
		r.results <- got
	})
}

// enter opens a link and listens to it. Should another one be chosen, it ends by itself.
func (r *race) enter(ctx context.Context, rung ladder.Rung, open []byte) result {
	began := time.Now()
	c, err := r.dial(ctx, rung, open, sync.OnceFunc(func() { r.connects <- time.Since(began) }))
	if err != nil {
		return result{rung: rung, err: err}
	}
	e := newEntrant(c, open != nil, r.tasks)
	context.AfterFunc(ctx, func() {
		if context.Cause(ctx) == errDropped {
			e.drop()
		}
	})
	return listen(ctx, rung, e)
}

// listen waits for an entrant's first frame.
func listen(ctx context.Context, rung ladder.Rung, e *entrant) result {
	mute := time.NewTimer(muteTime)
	defer mute.Stop()
	select {
	case <-e.heard:
		return result{rung: rung, e: e}
	case <-e.over:
		if closed(e.heard) { // it said why before it ended
			return result{rung: rung, e: e}
		}
		return result{rung: rung, err: e.err}
	case <-mute.C:
		e.drop()
		return result{rung: rung, err: carrier.Fail(muteNames[rung], "", errMute)}
	case <-ctx.Done():
		e.drop()
		return result{rung: rung, err: context.Cause(ctx)}
	}
}

// muteNames are the failures of links that were opened and stayed mute.
var muteNames = map[ladder.Rung]string{
	ladder.RelayUDP: "cut", ladder.RelayTCP: "cut", ladder.WS: "upgrade-stalled", ladder.SSE: "stream-buffered", ladder.Poll: "cut",
}

// finished notes the outcome of a rung.
func (r *race) finished(got result) {
	r.running[got.rung](nil)
	delete(r.running, got.rung)
	if got.err == nil || got.dropped {
		return
	}
	var refused *carrier.Refused
	failure := carrier.Explain(got.err)
	if errors.As(got.err, &refused) {
		failure = carrier.Fail("not-telepath", refused.Error(), got.err)
	}
	r.verdicts = append(r.verdicts, Verdict{got.rung, failure})
}

// keepBetter ends those under way that are worse than a rung that was heard.
func (r *race) keepBetter(than ladder.Rung) {
	for rung, end := range r.running {
		if rung > than {
			end(errDropped)
		}
	}
	r.started = len(r.rungs)
}

func (r *race) stop() {
	for _, end := range r.running {
		end(errDropped)
	}
	r.started = len(r.rungs)
}

// rest returns a better rung that was heard after all; nil: none was. Another
// has got through: those that still have nothing to show will not wait for long.
func (r *race) rest(ctx context.Context, than ladder.Rung) *entrant {
	late := time.NewTimer(muteTime)
	defer late.Stop()
	for len(r.running) > 0 {
		select {
		case <-ctx.Done():
			r.stop()
			return nil
		case <-late.C:
			for rung := range r.running {
				r.verdicts = append(r.verdicts, Verdict{rung, carrier.Fail(muteNames[rung], "no answer in time", errMute)})
			}
			r.stop()
		case got := <-r.results:
			r.finished(got)
			switch {
			case got.err != nil:
			case got.rung < than:
				r.keepBetter(got.rung)
				return got.e
			default:
				got.e.drop()
			}
		}
	}
	return nil
}

// pending reports whether a better rung may come yet.
func (r *race) pending(than ladder.Rung) bool {
	for rung := range r.running {
		if rung < than {
			return true
		}
	}
	return false
}

// collect drops whoever comes in late. It returns when all have ended.
func (r *race) collect() {
	r.stop()
	for len(r.running) > 0 {
		got := <-r.results
		r.finished(got)
		if got.e != nil {
			got.e.drop()
		}
	}
}
