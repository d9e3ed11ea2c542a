package peer

import (
	"context"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Times of docs/protocol.md, section 6.10.
const (
	// liftAfter is how long a link must have carried, for want of a better
	// path, before it moves to data channels of the server's own.
	liftAfter = 2 * time.Second
	// idleAfter is how long it stays there when better paths carry.
	idleAfter = 30 * time.Second
	// deviceIdleAfter is the same for a device: its move has every viewer open again, and is not to
	// come at the same time as theirs.
	deviceIdleAfter = 45 * time.Second
	// liftAgain is when an opening that failed is repeated, doubling to liftAgainMax.
	liftAgain    = 5 * time.Second
	liftAgainMax = 5 * time.Minute
	// liftStay is how much longer a link that fell silent up there stays away
	// from it, doubling to liftStayMax each time it fell within liftYoung; it
	// is forgiven after liftForgiven (as section 7.2 has it of any rung).
	liftStay     = time.Second
	liftStayMax  = 30 * time.Second
	liftYoung    = 10 * time.Second
	liftForgiven = 60 * time.Second
)

// onChannels reports whether a link of that rung is on data channels.
func onChannels(rung ladder.Rung) bool { return rung == ladder.RelayUDP || rung == ladder.RelayTCP }

// openingChannels opens a link over data channels.
type openingChannels func(ctx context.Context, noUDP, noTCP bool) (carrier.Carrier, error)

// lift is when a link moves up to data channels, and down from them. A link
// begins on what needs no more than HTTP; it is worth the server's and our
// trouble only while there is nothing better. Owned by the loop, but for the
// channels and what is set once.
type lift struct {
	dial     openingChannels // set once; nil: never
	udp, tcp bool            // set once: may be used
	up, down chan struct{}   // the time has come; have room for one
	idle     time.Duration   // set once: idleAfter or deviceIdleAfter

	carries  bool          // the link is what carries, for want of better
	since    time.Duration // when that began or ended, or the link became another
	trying   bool          // up was said, and nothing came of it yet
	leaving  bool          // down was said on this leg
	next     time.Duration // up is not said before
	failures int           // in a row
	taken    time.Duration // when the link was moved up
	stay     time.Duration // what was added to next when it fell
	fellAt   time.Duration
	why      string // what keeps the link from data channels, or from UDP; empty: nothing
}

func newLift(e Endpoint, dial openingChannels) *lift {
	l := &lift{dial: dial, idle: idleAfter, udp: e.may(ladder.RelayUDP), tcp: e.may(ladder.RelayTCP), up: make(chan struct{}, 1), down: make(chan struct{}, 1)}
	if !l.udp && !l.tcp {
		l.dial = nil
	}
	return l
}

// say wakes whoever waits for up or down.
func say(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// hush takes back what was said and not heard.
func hush(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// moved: the link is another one now.
func (l *lift) moved(now time.Duration, rung ladder.Rung) {
	hush(l.up)
	hush(l.down)
	l.since, l.trying, l.leaving = now, false, false
	switch {
	case !onChannels(rung):
		return
	case rung == ladder.RelayTCP && l.udp:
		l.failed(now, carrier.Fail("udp-blocked", "", nil)) // which it tried, too
	default:
		l.failures, l.why = 0, ""
	}
	l.taken = now
}

// failed: an opening came to nothing.
func (l *lift) failed(now time.Duration, err error) {
	l.trying = false
	l.failures++
	l.next = now + min(liftAgain<<min(l.failures-1, 10), liftAgainMax)
	l.why = rungWords[ladder.RelayUDP] + ": " + brief(err)
	if !l.udp {
		l.why = rungWords[ladder.RelayTCP] + ": " + brief(err)
	}
}

// fell: the link was on data channels, and they are silent or over.
func (l *lift) fell(now time.Duration, rung ladder.Rung) {
	switch {
	case now-l.taken >= liftYoung, now-l.fellAt >= liftForgiven && l.fellAt > 0, l.stay == 0:
		l.stay = liftStay
	default:
		l.stay = min(2*l.stay, liftStayMax)
	}
	l.fellAt, l.next = now, now+liftAfter+l.stay
	l.why = rungWords[rung] + ": " + brief(carrier.Fail("fell-silent", "", nil))
}

// anew: the network is another one, and nothing is known of it.
func (l *lift) anew(now time.Duration) {
	l.failures, l.stay, l.next, l.why = 0, 0, now, ""
}

// step says up or down when it is time. carries: see there.
func (l *lift) step(now time.Duration, rung ladder.Rung, carries bool) (wake time.Duration) {
	if l.dial == nil {
		return now + time.Hour
	}
	if carries != l.carries {
		l.carries, l.since = carries, now
	}
	switch {
	case carries && !l.trying && (!onChannels(rung) || rung == ladder.RelayTCP && l.udp):
		at := max(l.since+liftAfter, l.next)
		if now < at {
			return at
		}
		l.trying = true
		say(l.up)
	case !carries && onChannels(rung) && !l.leaving:
		if at := l.since + l.idle; now < at {
			return at
		}
		l.leave()
	}
	return now + time.Hour
}

// leave: the link is to go back to where it needs no data channels.
func (l *lift) leave() {
	l.leaving = true
	say(l.down)
}

// ascend opens a link over data channels that is better than the one in use,
// when it is wanted. It blocks until there is one, or ctx ends: then it returns nil.
func (l *link) ascend(ctx context.Context, than ladder.Rung) *entrant {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.lift.up:
		}
		e, err := l.openChannels(ctx, than)
		if err == nil {
			return e
		}
		l.endpoint.log().Debug("no link over data channels", "err", err)
		if ctx.Err() == nil {
			l.loop.post(func() { l.lift.failed(l.loop.now(), err) })
		}
	}
}

func (l *link) openChannels(ctx context.Context, than ladder.Rung) (*entrant, error) {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	c, err := l.lift.dial(ctx, !l.lift.udp, !l.lift.tcp || onChannels(than))
	if err != nil {
		return nil, err
	}
	got := listen(ctx, c.Rung(), newEntrant(c, false, &l.racer.tasks))
	return got.e, got.err
}

// descend finds a link that needs no data channels, when it is time: nobody needs
// them, or the link there is, on whatever rung, does not answer. Nothing is
// given up for it: the older one carries, if it can, until this one does.
func (l *link) descend(ctx context.Context) *entrant {
	select {
	case <-ctx.Done():
		return nil
	case <-l.lift.down:
	}
	for waits := (backoff{}); ; {
		changed := l.racer.changed.rung()
		e, err := l.another(ctx)
		if err == nil {
			return e
		}
		l.endpoint.log().Debug("no other link beside the one there is", "err", err)
		if !waits.pause(ctx, wire.RetryBackoff, changed) {
			return nil
		}
	}
}

// another opens one more link, and listens to it.
func (l *link) another(ctx context.Context) (*entrant, error) {
	c, err := l.dial(ctx, l, nil)
	if err != nil {
		return nil, err
	}
	if e, raced := c.(*entrant); raced {
		return e, nil
	}
	got := listen(ctx, c.Rung(), newEntrant(c, false, &l.racer.tasks))
	return got.e, got.err
}

// firstOf returns the first entrant that one of several searches finds, and
// ends the others. nil: ctx is over.
func firstOf(ctx context.Context, searches ...func(context.Context) *entrant) (e *entrant) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	found := make(chan *entrant)
	for _, search := range searches {
		go func() { found <- search(ctx) }()
	}
	for range searches {
		switch late := <-found; {
		case e == nil:
			e = late
			enough()
		case late != nil:
			late.drop()
		}
	}
	return e
}
