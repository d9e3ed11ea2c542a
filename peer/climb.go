package peer

import (
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
)

// climb is when a viewer makes its next data-channel connection of a kind.
type climb struct {
	failures int           // in a row
	begun    time.Duration // when the last attempt began
	next     time.Duration // not before
	asked    bool          // the device wants a new one
	why      string        // the last one failed; empty once one is proved
}

const (
	// climbMax bounds the waits after attempts that failed (protocol, section
	// 7.2), which begin with 1 s, doubling.
	climbMax = 15 * time.Second
	// askedEvery is how often a device can have a new attempt made.
	askedEvery = 5 * time.Second
	// apart is how long after a direct attempt one begins that is to bring a turned
	// connection from TCP to UDP: on a narrow way, descriptions of both hold up what is fresh.
	apart = 3 * time.Second
	// overlap is how long a connection is kept beside its successor, whose
	// proof takes the other end another moment.
	overlap = time.Second
	// turnedAfter is for how long no direct connection may work before a turned
	// one is made, which costs the TURN server something at each end.
	turnedAfter = 2 * time.Second
	// spareTime is for how long a direct connection has to work without a break
	// before the turned one beside it is given up: as long as the ladder takes
	// to trust a rung again that has died young.
	spareTime = time.Minute
	// serversAge is how old the credentials of TURN servers may be when they are
	// used. Older ones are asked for again, which takes no clock that is right.
	serversAge = 10 * time.Minute
)

// climbStep starts attempts that are wanted, and drops connections that are not any more.
func (c *Conn) climbStep(now time.Duration) (wake time.Duration) {
	wake = min(c.succeed(now), c.standingStep(now))
	for k := range kinds {
		at := c.wants(now, k)
		if now >= at {
			c.beginAttempt(now, k)
			continue
		}
		wake = min(wake, at)
	}
	return wake
}

// standingStep notes how direct connections fare. One that has worked for long
// needs no turned one beside it.
func (c *Conn) standingStep(now time.Duration) (wake time.Duration) {
	if !c.paths.works(directly) {
		c.standing = session.Never
		return session.Never
	}
	c.lacking, c.standing = now, min(c.standing, now)
	if now < c.standing+spareTime {
		return c.standing + spareTime
	}
	c.attempts.dropAll(turned)
	return session.Never
}

// allows reports whether connections of a kind can be made.
func (c *Conn) allows(k kind) bool {
	switch {
	case c.cfg.NoDirect || c.relayed:
		return false
	case k == turned:
		return c.turnable && len(c.cfg.Endpoint.turnServers(c.servers)) > 0
	}
	return c.cfg.Endpoint.mayDirect(false)
}

// lacksUDP reports whether what works of a kind goes over TCP alone, though
// UDP may carry: the successor that it needs is one over UDP.
func (c *Conn) lacksUDP(k kind) bool {
	if !c.cfg.Endpoint.may(udpRung[k]) || k == turned && len(overUDP(c.servers)) == 0 {
		return false
	}
	return c.paths.works(k) && !c.paths.worksOn(udpRung[k])
}

// wants is when the next attempt of a kind is to begin: not while one is being
// made, and not while one that was made is healthy.
func (c *Conn) wants(now time.Duration, k kind) (at time.Duration) {
	l := &c.climbs[k]
	switch {
	case !c.accepted || !c.allows(k) || c.attempts.making(k):
		return session.Never
	case len(c.attempts.of(k)) == 0 || c.paths.toReplace(k) || c.lost(k) || c.lacksUDP(k):
		at = l.next
	case l.asked:
		at = max(l.next, l.begun+askedEvery)
	default:
		return session.Never
	}
	if k == turned {
		at = max(at, c.turnedFrom(now))
	}
	if k == turned && c.lacksUDP(k) {
		at = max(at, c.climbs[directly].begun+apart)
	}
	return at
}

// lost reports whether the newest connection of a kind has been silent since before
// the device accepted us on the link there is: what took the link that was before, such as
// a new address, has taken both, and the connection will not come back.
func (c *Conn) lost(k kind) bool {
	list := c.attempts.of(k)
	s := c.paths.ladder.State(list[len(list)-1].leg.id)
	return s.InDoubt && s.LastHeard < c.joinedAt
}

// turnedFrom is when a turned connection may begin: when no direct one works
// for a while, with credentials that are good.
func (c *Conn) turnedFrom(now time.Duration) time.Duration {
	switch {
	case c.paths.works(directly):
		return session.Never
	case now < c.lacking+turnedAfter:
		return c.lacking + turnedAfter
	case now >= c.toldAt+serversAge:
		return c.renew(now)
	}
	return now
}

// renew has the server tell its TURN servers again, and says when to look for its answer.
func (c *Conn) renew(now time.Duration) time.Duration {
	if now >= c.askedAt+unknownEvery {
		c.askedAt = now
		c.link.signal(viewNumber, c.openMessage())
	}
	return c.askedAt + unknownEvery
}

// refuse notes whether the device has data-channel connections at all. Offers to
// one that has not would never be answered.
func (c *Conn) refuse(relayed bool) {
	c.relayed = relayed
	for relayed && len(c.attempts.list) > 0 {
		c.attempts.drop(c.attempts.list[0])
	}
}

func (c *Conn) beginAttempt(now time.Duration, k kind) {
	l := &c.climbs[k]
	l.begun, l.next, l.asked = now, now+attemptTime, false
	number := c.attempts.next()
	c.attempts.begin(k, number, offer(k, number))
}

// anew forgets what failed: the network is another one. The next attempt begins at once.
func (l *climb) anew(now time.Duration) {
	l.failures, l.next, l.begun, l.asked = 0, now, now-askedEvery, true
}

// succeed notes which attempts are proved, and drops older ones of their kind a moment later.
func (c *Conn) succeed(now time.Duration) (wake time.Duration) {
	wake = now + time.Hour
	for k := range kinds {
		for i, t := range c.attempts.of(k) {
			c.proven(now, t)
			switch {
			case i == 0 || !t.proved:
			case now >= t.provedAt+overlap:
				c.attempts.dropOlder(t)
			default:
				wake = min(wake, t.provedAt+overlap)
			}
		}
	}
	return wake
}

// relayedLately is for how long the link carries after news came on it: less than it takes until it is to be a better one.
const relayedLately = time.Second

// needsLink reports whether the link carries: because no better path leads to the device, or none that the device prefers, whose
// own link may be a better one.
func (c *Conn) needsLink() bool {
	if c.device.ID == "" || c.device.State == signal.StateOffline {
		return false
	}
	g := c.paths.carrying()
	return g == nil || !g.direct() || c.newsAt > 0 && c.loop.now() < c.newsAt+relayedLately
}

// proven notes the first proof of an attempt.
func (c *Conn) proven(now time.Duration, t *attempt) {
	if t.leg.proved && !t.proved {
		t.proved, t.provedAt = true, now
		l := &c.climbs[t.kind]
		l.failures, l.next, l.asked, l.why = 0, now, false, ""
		if c.lacksUDP(t.kind) {
			l.next = max(now, l.begun+attemptTime)
		}
	}
}

// prepared lets the first request go, which waits for an offer to carry.
func (c *Conn) prepared() {
	select {
	case <-c.offerMade:
	default:
		close(c.offerMade)
	}
}

// climbed: a data-channel connection is open and wants to be proved.
func (c *Conn) climbed(now time.Duration, t *attempt) {
	c.paths.up(now, t.leg)
	c.cfg.Endpoint.log().Debug("data channels open", "attempt", t.number, "kind", t.kind.String(), "rung", t.leg.carrier.Rung().String())
}

// fell: an attempt failed or its connection ended.
func (c *Conn) fell(now time.Duration, t *attempt, err error) {
	c.paths.down(now, t.leg)
	if err == nil {
		return
	}
	l := &c.climbs[t.kind]
	l.why = noPath[t.kind] + brief(err)
	if c.lacksUDP(t.kind) {
		l.why = "none over UDP: " + brief(err)
	}
	c.cfg.Endpoint.log().Debug("data channels ended", "attempt", t.number, "kind", t.kind.String(), "err", err)
	if t.proved {
		l.failures = 0
	}
	l.next = now + min(time.Second<<min(l.failures, 5), climbMax)
	l.failures++
}

var noPath = [kinds]string{"no direct path: ", "none through TURN: "}

// brief is an error in one clause.
func brief(err error) string {
	var named *carrier.Failure
	if errors.As(err, &named) {
		return named.Brief()
	}
	return err.Error()
}

// slowAttempt is after how long an attempt that is still being made is said to
// fail: where UDP gets through it takes a few round trips.
const slowAttempt = 3 * time.Second

var notYet = "no direct path so far: " + carrier.Fail("udp-blocked", "", nil).Brief()

// whyNotDirect says what keeps the direct path from being there; empty: nothing does yet.
func (c *Conn) whyNotDirect() string {
	l := c.climbs[directly]
	if l.why == "" && c.attempts.making(directly) && c.loop.now() > l.begun+slowAttempt {
		return notYet
	}
	return l.why
}

func (c *Conn) answered(m signal.Message) {
	t := c.attempts.byNumber(m.Attempt)
	if t == nil || t.peer == nil || t.answered {
		return // over, or answered twice because the offer was sent twice
	}
	if err := t.peer.SetAnswer(m.SDP); err != nil {
		c.cfg.Endpoint.log().Warn("answer not accepted", "attempt", m.Attempt, "err", err)
		c.attempts.drop(t)
		return
	}
	t.answered = true
}

// tellAttempts: the device has accepted, so what it does not know of the
// attempts that are being made can be sent now.
func (c *Conn) tellAttempts() {
	for _, t := range c.attempts.list {
		c.attempts.tell(t)
	}
}

// untold is the offer that an open carries: of the newest direct attempt, if the
// device was not told of it yet. A turned one comes after the device has
// accepted, and knows the servers.
func (c *Conn) untold() *signal.SDP {
	direct := c.attempts.of(directly)
	if len(direct) == 0 {
		return nil
	}
	t := direct[len(direct)-1]
	if t.told || t.answered || t.peer == nil {
		return nil
	}
	t.asked = true
	return &signal.SDP{Attempt: t.number, SDP: t.first.SDP}
}
