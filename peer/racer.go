package peer

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// racer finds links for one end, one race after the other, and remembers what
// came of them.
type racer struct {
	// Set once.
	rungs   []ladder.Rung // that may be used, best first
	dial    opening
	http1   *atomic.Bool  // of dial: HTTP/2 is agreed on and then cut
	body    *atomic.Int64 // of dial: larger bodies do not get through; 0: not known
	rest    atomic.Int64  // ns; links that rest longer were cut on this network; 0: not known
	memory  Memory
	storing sync.Mutex    // held from what is loaded from memory until it is stored again
	network func() string // what the present network is called in memory
	log     *slog.Logger
	tasks   sync.WaitGroup // of races and of what they opened
	changed bell           // rings when the network has changed

	racing sync.Mutex
	last   *race // guarded by racing

	told atomic.Pointer[string] // what fails on rungs better than the link's
}

// find returns a link.
func (r *racer) find(ctx context.Context, open []byte) (*entrant, error) {
	r.racing.Lock()
	defer r.racing.Unlock()
	network := r.network()
	known, _ := r.memory.Load(network)
	fresh := time.Now().Before(known.Until) && slices.Contains(r.rungs, known.Rung)
	r.http1.Store(fresh && lacksHTTP2(known))
	limits := known.Limits.at(time.Now())
	r.body.Store(int64(limits.Body))
	r.rest.Store(int64(limits.Rest))
	rungs := slices.Clone(r.rungs)
	if fresh {
		rungs = slices.DeleteFunc(rungs, func(rung ladder.Rung) bool { return rung == known.Rung })
		rungs = slices.Insert(rungs, 0, known.Rung)
	}
	e, err := r.race(ctx, rungs, open)
	switch {
	case err != nil:
	case fresh && e.Rung() == known.Rung && len(r.last.verdicts) == 0 && r.http1.Load() == lacksHTTP2(known):
		r.tell(known.Rung, known.Failed) // the better ones were not asked again
	default:
		r.learn(network, e.Rung())
	}
	return e, err
}

// race begins a new race, when all of the last one has ended.
func (r *racer) race(ctx context.Context, rungs []ladder.Rung, open []byte) (*entrant, error) {
	if r.last != nil {
		r.last.collect()
	}
	r.last = newRace(rungs, r.dial, open, &r.tasks)
	return r.last.run(ctx)
}

// learn remembers what the last race has shown.
func (r *racer) learn(network string, rung ladder.Rung) {
	r.storing.Lock()
	defer r.storing.Unlock()
	known, _ := r.memory.Load(network)
	l := Learned{Rung: rung, Until: time.Now().Add(memoryTime), Limits: known.Limits}
	if r.last.pending(rung) {
		l.Until = time.Now().Add(doubtTime)
	}
	for _, better := range r.better(rung) {
		if v, ok := verdictOn(better, r.last.verdicts, known.Failed); ok {
			l.Failed = append(l.Failed, v)
		}
	}
	if rung != ladder.WS && r.http1.Load() {
		l.Failed = append(l.Failed, Verdict{rung, carrier.Fail(noHTTP2, "", nil)})
	}
	r.memory.Store(network, l)
	r.tell(rung, l.Failed)
}

// limited remembers what a link has shown that something between does not let
// through, if it is known by now which rung carries at all.
func (r *racer) limited(change func(*Limits)) {
	r.storing.Lock()
	defer r.storing.Unlock()
	network := r.network()
	known, ok := r.memory.Load(network)
	if !ok {
		return
	}
	known.Limits = known.Limits.at(time.Now())
	change(&known.Limits)
	known.Limits.Until = time.Now().Add(memoryTime)
	r.memory.Store(network, known)
}

// noHTTP2 is the failure that concerns the rung which carries: over HTTP/1.1 it does.
const noHTTP2 = "http2-broken"

func lacksHTTP2(l Learned) bool {
	return slices.ContainsFunc(l.Failed, func(v Verdict) bool { return v.Failure.Name == noHTTP2 })
}

// verdictOn finds the newest verdict on a rung.
func verdictOn(rung ladder.Rung, lists ...[]Verdict) (v Verdict, ok bool) {
	for _, list := range lists {
		for _, v := range list {
			if v.Rung == rung {
				return v, true
			}
		}
	}
	return v, false
}

// tell sets what why says, and logs it when it is new.
func (r *racer) tell(rung ladder.Rung, failed []Verdict) {
	text := words(failed)
	if before := r.told.Swap(&text); text != "" && (before == nil || *before != text) {
		r.log.Info("link on "+rung.String(), "reason", text)
	}
}

// why says what keeps the link from better rungs; empty: nothing.
func (r *racer) why() string {
	if text := r.told.Load(); text != nil {
		return *text
	}
	return ""
}

// improve returns a link on a better rung than the one in use, as soon as
// there is one. learned is called when more is known of why there is none. It
// blocks until ctx ends, then it returns nil.
func (r *racer) improve(ctx context.Context, than ladder.Rung, learned func()) *entrant {
	network := r.network()
	e, known := r.late(ctx, network, than)
	for e == nil && ctx.Err() == nil {
		if known {
			learned()
		}
		if !r.await(ctx, network) {
			return nil
		}
		network = r.network()
		e, known = r.again(ctx, network, than)
	}
	if e != nil {
		learned()
	}
	return e
}

// late returns a better link that the last race may still bring. known: more is
// known than before of why there is none.
func (r *racer) late(ctx context.Context, network string, than ladder.Rung) (e *entrant, known bool) {
	r.racing.Lock()
	defer r.racing.Unlock()
	if !r.last.pending(than) {
		return nil, false
	}
	e = r.last.rest(ctx, than)
	if ctx.Err() != nil {
		return e, false
	}
	r.learn(network, rungOf(e, than))
	return e, true
}

// again lets better rungs race.
func (r *racer) again(ctx context.Context, network string, than ladder.Rung) (e *entrant, known bool) {
	r.racing.Lock()
	defer r.racing.Unlock()
	e, err := r.race(ctx, r.better(than), nil)
	if ctx.Err() != nil {
		return e, false
	}
	r.log.Debug("better ways to the server were tried", "found", e != nil, "err", err)
	if err != nil && concernsAll(err) { // it says nothing of the rungs
		r.doubt(network)
		return nil, false
	}
	r.learn(network, rungOf(e, than))
	return e, true
}

// doubt has better rungs tried again soon: nothing was learned of them.
func (r *racer) doubt(network string) {
	r.storing.Lock()
	defer r.storing.Unlock()
	known, _ := r.memory.Load(network)
	known.Until = time.Now().Add(doubtTime)
	r.memory.Store(network, known)
}

func rungOf(e *entrant, otherwise ladder.Rung) ladder.Rung {
	if e == nil {
		return otherwise
	}
	return e.Rung()
}

// await waits until better rungs are worth another try: when what was learned
// on the network is out of date, or the network is another. False: ctx is over.
func (r *racer) await(ctx context.Context, network string) bool {
	known, _ := r.memory.Load(network)
	timer := time.NewTimer(max(time.Until(known.Until), time.Second))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-r.changed.rung():
	}
	return true
}

// better are the rungs above one.
func (r *racer) better(than ladder.Rung) (rungs []ladder.Rung) {
	for _, rung := range r.rungs {
		if rung < than {
			rungs = append(rungs, rung)
		}
	}
	return rungs
}

// best reports whether no better rung may be used.
func (r *racer) best(rung ladder.Rung) bool { return len(r.better(rung)) == 0 }

// end waits until all that was opened is closed.
func (r *racer) end() {
	r.racing.Lock()
	defer r.racing.Unlock()
	if r.last != nil {
		r.last.collect()
	}
	r.tasks.Wait()
}

// bell wakes whoever waits for it.
type bell struct {
	mu sync.Mutex
	c  chan struct{} // guarded by mu; closed by ring
}

// rung returns what is closed when the bell rings next.
func (b *bell) rung() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// rungsFor are the rungs of links that only lists, all if it has none of them:
// an introduction needs one, also where none may carry data.
func rungsFor(only []ladder.Rung) []ladder.Rung {
	var rungs []ladder.Rung
	for _, rung := range linkRungs {
		if slices.Contains(only, rung) {
			rungs = append(rungs, rung)
		}
	}
	if rungs == nil {
		return linkRungs
	}
	return rungs
}

var _ carrier.Carrier = (*entrant)(nil)
