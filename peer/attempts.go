package peer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier/rtc"
	"github.com/telepath-iot/telepath/peer/signal"
)

// maxAttempts is how many of a kind a Conn has at most: the one in use and its successor.
const maxAttempts = 2

// attemptTime bounds the making of a connection, from description to open channels.
const attemptTime = 10 * time.Second

// maxEarly candidates are kept for a connection that is being made.
const maxEarly = 20

// attempts are the data-channel connections of one Conn at one end, oldest
// first. Of a kind, the newer attempt wins. Owned by the loop.
type attempts struct {
	// Set once.
	loop     *loop
	conn     any                                          // hostConn or Conn, for the legs
	config   func(k kind) rtc.Config                      // of a connection that is begun now
	direct   newDirect                                    // newRTC, but for tests
	meter    *meter                                       //
	tasks    *sync.WaitGroup                              // to wait for outside the loop
	nextID   func() int                                   // of legs
	signal   func(m signal.Message) bool                  // to the other end, through the server
	ready    func(now time.Duration, t *attempt)          // its channels are open
	over     func(now time.Duration, t *attempt, e error) // it ended, or never came to be
	prepared func()                                       // one was made, or could not be; may be nil
	receiver func(g *leg) func(packet []byte)             // nil: the loop's

	list []*attempt
	last [kinds]uint64 // numbers of the newest ever
}

// begin starts an attempt beside those there are.
func (a *attempts) begin(k kind, number uint64, make maker) {
	for len(a.of(k)) >= maxAttempts {
		a.drop(a.least(k))
	}
	ctx, stop := context.WithCancel(context.Background())
	t := &attempt{kind: k, number: number, stop: stop}
	t.leg = &leg{id: a.nextID(), conn: a.conn, attempt: t}
	a.list, a.last[k] = append(a.list, t), number
	cfg := a.config(k)
	a.tasks.Go(func() { a.run(ctx, t, cfg, make) })
}

// next is the number of the next attempt: they rise, whatever their kind.
func (a *attempts) next() uint64 { return slices.Max(a.last[:]) + 1 }

// of a kind, oldest first.
func (a *attempts) of(k kind) (list []*attempt) {
	for _, t := range a.list {
		if t.kind == k {
			list = append(list, t)
		}
	}
	return list
}

// least is the attempt of a kind that gives way to a newer one: the oldest that carries
// nothing yet, so that a working path is kept until another one is proved (invariant I4).
func (a *attempts) least(k kind) *attempt {
	list := a.of(k)
	for _, t := range list {
		if !t.leg.proved {
			return t
		}
	}
	return list[0]
}

// run makes and serves the connection, beside the loop.
func (a *attempts) run(ctx context.Context, t *attempt, cfg rtc.Config, make maker) {
	defer t.stop()
	peer, description, err := make(a.direct, cfg, rtc.Events{Candidate: func(candidate, mid string) {
		m := signal.Message{Type: signal.Candidate, Attempt: t.number, Candidate: candidate, Mid: mid}
		a.loop.post(func() { a.candidate(t, m) })
	}})
	if err != nil {
		a.loop.post(func() { a.ended(t, err) })
		return
	}
	t.leg.carrier = peer
	a.meter.watch(peer)
	defer a.meter.forget(peer)
	a.loop.post(func() { a.made(t, peer, description) })
	ctx, cancel := context.WithCancelCause(ctx)
	a.tasks.Go(func() { t.watch(ctx, peer, cancel, func() { a.loop.post(func() { a.opened(t) }) }) })
	err = peer.Run(ctx, a.receiver(t.leg))
	var given stuck
	if errors.As(context.Cause(ctx), &given) {
		err = given.error
	}
	cancel(nil)
	a.loop.post(func() { a.ended(t, err) })
}

// made: the peer connection exists; candidates that were early go to it.
func (a *attempts) made(t *attempt, peer direct, description signal.Message) {
	if !slices.Contains(a.list, t) {
		a.tellPrepared()
		return // dropped while it was made
	}
	t.peer = peer
	for _, m := range t.remote {
		a.add(t, m)
	}
	t.remote, t.first = nil, description
	a.tellPrepared()
	a.tell(t)
}

func (a *attempts) tellPrepared() {
	if a.prepared != nil {
		a.prepared()
	}
}

// tell sends the description and the candidates known by now, unless the
// other end was told.
func (a *attempts) tell(t *attempt) {
	if t.peer == nil || t.told || !t.asked && !a.signal(t.first) {
		return
	}
	t.told = true
	for _, m := range t.local {
		a.signal(m)
	}
}

// again tells what may have been lost with a link: the other end asks.
func (a *attempts) again(t *attempt) {
	t.asked, t.told = false, false
	a.tell(t)
}

// forget notes that what was told and not answered may be lost with the link.
func (a *attempts) forget() {
	for _, t := range a.list {
		if !t.answered {
			t.asked, t.told = false, false
		}
	}
}

// candidate sends one of our own.
func (a *attempts) candidate(t *attempt, m signal.Message) {
	t.local = append(t.local, m)
	if t.told && slices.Contains(a.list, t) {
		a.signal(m)
	}
}

// byNumber finds an attempt; nil if it is over.
func (a *attempts) byNumber(number uint64) *attempt {
	for _, t := range a.list {
		if t.number == number {
			return t
		}
	}
	return nil
}

// fromRemote takes a candidate of the other end.
func (a *attempts) fromRemote(m signal.Message) {
	t := a.byNumber(m.Attempt)
	switch {
	case t == nil:
	case t.peer != nil:
		a.add(t, m)
	case len(t.remote) < maxEarly:
		t.remote = append(t.remote, m)
	}
}

// add gives a candidate to the connection, which refuses what it does not like.
func (a *attempts) add(t *attempt, m signal.Message) { _ = t.peer.AddCandidate(m.Candidate, m.Mid) }

// cameOn notes that a packet came on a leg. The first one may overtake the
// word that its channels are open.
func (a *attempts) cameOn(g *leg) {
	if g.direct() && !g.attempt.ready {
		a.opened(g.attempt)
	}
}

func (a *attempts) opened(t *attempt) {
	if t.ready || !slices.Contains(a.list, t) {
		return
	}
	t.ready = true
	a.ready(a.loop.now(), t)
}

func (a *attempts) ended(t *attempt, err error) {
	a.tellPrepared()
	i := slices.Index(a.list, t)
	if i < 0 {
		return // dropped before
	}
	a.list = slices.Delete(a.list, i, i+1)
	a.over(a.loop.now(), t, err)
}

// making reports whether one of a kind is on its way to open channels.
func (a *attempts) making(k kind) bool {
	return slices.ContainsFunc(a.list, func(t *attempt) bool { return t.kind == k && !t.ready })
}

// drop ends an attempt.
func (a *attempts) drop(t *attempt) {
	a.list = slices.DeleteFunc(a.list, func(o *attempt) bool { return o == t })
	a.over(a.loop.now(), t, nil)
	t.stop()
}

// dropOlder ends what came before t of its kind.
func (a *attempts) dropOlder(t *attempt) {
	for _, o := range a.of(t.kind) {
		if o.number < t.number {
			a.drop(o)
		}
	}
}

// dropAll ends those of a kind.
func (a *attempts) dropAll(k kind) {
	for _, t := range a.of(k) {
		a.drop(t)
	}
}

// closeAll ends all attempts.
func (a *attempts) closeAll() {
	for _, t := range a.list {
		t.stop()
	}
	a.list = nil
}
