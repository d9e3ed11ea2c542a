package peer

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

const (
	// moveTime is how long the server may take to let us in on a better link.
	moveTime = 5 * time.Second
	// overlapTime is how long the older link is heard after a move: what is
	// under way on it is worth having.
	overlapTime = 2 * time.Second
	// lowerAgain is, about, when another link is looked for again beside data channels that are silent.
	lowerAgain = time.Second
)

// held is a link while it runs.
type held struct {
	leg  *leg
	stop context.CancelFunc
	over chan error
}

// run begins to serve a carrier. How it ends is told in over, and in the loop.
func (l *link) run(ctx context.Context, c carrier.Carrier, up func(*leg)) *held {
	ctx, stop := context.WithCancel(ctx)
	h := &held{leg: &leg{carrier: c}, stop: stop, over: make(chan error, 1)}
	l.meter.watch(c)
	l.loop.post(func() { up(h.leg) })
	l.tasks.Go(func() {
		err := refusal(c.Run(ctx, l.loop.receiver(h.leg)))
		stop()
		l.meter.forget(c)
		why := make(chan error, 1)
		l.loop.ask(context.Background(), func() { // before keep looks whether there is a hurry
			explained := l.explained(h.leg, err)
			l.ended(h.leg, explained)
			why <- explained
		})
		select {
		case err = <-why:
		default: // the loop is over
		}
		h.over <- err
	})
	return h
}

// hold serves a link, and the better ones that take its place, until the last
// of them is over.
func (l *link) hold(ctx context.Context, c carrier.Carrier) error {
	now := l.run(ctx, c, l.up)
	for {
		looking, enough := context.WithCancel(ctx)
		better := l.lookOut(looking, now.leg.carrier)
		e, err := l.wait(now, better)
		enough()
		if e != nil {
			now = l.move(now, l.run(ctx, e, func(g *leg) { l.next = g }))
			continue
		}
		if late := <-better; late != nil {
			late.drop()
		}
		return err
	}
}

// wait returns a better link, or nil when the one in use is over, and why.
func (l *link) wait(now *held, better chan *entrant) (*entrant, error) {
	for {
		select {
		case err := <-now.over:
			return nil, err
		case a := <-l.abandoned:
			if a.leg == now.leg {
				return nil, a.why
			}
		case e := <-better:
			if e != nil {
				return e, nil
			}
			better <- nil // there is nothing to look for
			better = nil
		}
	}
}

// lookOut looks for a better link, or for another one where that is silent. The
// channel yields one entrant, nil if there is none.
func (l *link) lookOut(ctx context.Context, than carrier.Carrier) chan *entrant {
	rung, found := than.Rung(), make(chan *entrant, 1)
	var searches []func(context.Context) *entrant
	if l.racer != nil && !l.racer.best(rung) {
		searches = append(searches, func(ctx context.Context) *entrant { return l.racer.improve(ctx, rung, l.loop.kick) })
	}
	if l.lift.dial != nil {
		searches = append(searches, func(ctx context.Context) *entrant { return l.ascend(ctx, rung) })
	}
	searches = append(searches, l.descend)
	l.tasks.Go(func() { found <- firstOf(ctx, searches...) })
	return found
}

// move waits until the server has let us in on the next link, and leaves the
// older one then. It returns the one that is the link, or, if both are over,
// the next one.
func (l *link) move(now, next *held) *held {
	late := time.NewTimer(moveTime)
	defer late.Stop()
	over := now.over
	for {
		select {
		case g := <-l.moved:
			if g == next.leg {
				time.AfterFunc(overlapTime, now.stop)
				return next
			}
		case <-over: // the next one is all there is, and may be silent, too
			over = nil
		case err := <-next.over:
			if over != nil && !l.promoted(next) {
				return now
			}
			now.stop()
			next.over <- err
			return next
		case <-late.C:
			next.stop()
		}
	}
}

// promoted reports whether a link that is over had become the link.
func (l *link) promoted(h *held) bool {
	select {
	case g := <-l.moved:
		return g == h.leg
	default:
		return false
	}
}

// promote makes the next link the link. It runs in the loop, when the server
// has let us in there.
func (l *link) promote() {
	l.older, l.leg, l.next = l.leg, l.next, nil
	l.begin()
	l.endpoint.log().Info("link moved", "to", l.leg.carrier.Rung().String())
	select {
	case <-l.moved: // of a move that nobody waited for
	default:
	}
	l.moved <- l.leg
	l.onMoved()
}

// notLetIn: a leg that was to take over was over before the server let us in there.
func (l *link) notLetIn(g *leg, err error) {
	switch {
	case onChannels(g.carrier.Rung()):
		l.lift.failed(l.loop.now(), err)
	case l.lift.leaving:
		time.AfterFunc(lowerAgain/2+rand.N(lowerAgain), func() { l.loop.post(l.descendAgain) })
	}
}

func (l *link) descendAgain() {
	if l.lift.leaving && l.next == nil {
		say(l.lift.down)
	}
}

// overtaken reports whether a link to which we moved has ended because of what
// we said ourselves on the older one before, which came later: nobody else has
// our key.
func (l *link) overtaken(err error) bool {
	return l.older != nil && l.older.said && !l.older.letIn && isTakenOver(err)
}

// ended notes in the loop that a leg is over.
func (l *link) ended(g *leg, err error) {
	switch g {
	case l.leg:
		rung := g.carrier.Rung()
		if !onChannels(rung) && l.rests.over(l.loop.now(), err) {
			l.endpoint.log().Warn("the link speaks more often from now on", "reason", l.rests.why().Brief())
			limit := l.rests.limit
			l.tasks.Go(func() { l.racer.limited(func(known *Limits) { known.Rest = limit }) }) // which may write a file
		}
		l.leg = nil
		if (l.proveBy > 0 || l.lift.leaving) && !isRefusal(err) { // that is the answer
			l.hurry.Store(true)
		}
		if onChannels(rung) && !l.lift.leaving {
			l.lift.fell(l.loop.now(), rung)
			l.hurry.Store(!isRefusal(err)) // nobody but the path has ended it, and other rungs may be sound
		}
		if l.overtaken(err) {
			l.hurry.Store(true)
		}
		l.onDown(err)
	case l.next:
		l.next = nil
		l.notLetIn(g, err)
		if l.leg == nil {
			l.onDown(err)
		}
	case l.older:
		l.older = nil
		if l.leg != nil {
			l.onSettled()
		}
	}
}
