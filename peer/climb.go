package peer

import (
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
)

// climb is when a viewer makes its next data-channel connection.
type climb struct {
	failures int           // in a row
	begun    time.Duration // when the last attempt began
	next     time.Duration // not before
	asked    bool          // the device wants a new one
	refused  bool          // the device has no direct paths
	why      string        // the last one failed; empty once one is proved
}

const (
	// climbMax bounds the waits after attempts that failed (protocol, section
	// 7.2), which begin with 1 s, doubling.
	climbMax = 15 * time.Second
	// askedEvery is how often a device can have a new attempt made.
	askedEvery = 5 * time.Second
	// overlap is how long a direct path is kept beside its successor, whose
	// proof takes the other end another moment.
	overlap = time.Second
)

// climbStep starts an attempt when none is under way and no direct path is
// healthy, and drops a path whose successor is proved.
func (c *Conn) climbStep(now time.Duration) (wake time.Duration) {
	wake = c.succeed(now)
	if c.cfg.NoDirect || c.climb.refused || !c.accepted || !c.wantsDirect(now) {
		return wake
	}
	if now >= c.climb.next {
		c.beginAttempt(now)
	}
	return min(wake, c.climb.next)
}

// refuse notes whether the device has direct paths at all. Offers to one that
// has not would never be answered.
func (c *Conn) refuse(relayed bool) {
	c.climb.refused = relayed
	for relayed && len(c.attempts.list) > 0 {
		c.attempts.drop(c.attempts.list[0])
	}
}

func (c *Conn) beginAttempt(now time.Duration) {
	c.climb.begun, c.climb.next, c.climb.asked = now, now+attemptTime, false
	number := c.attempts.last + 1
	c.attempts.begin(number, offer(number))
}

// wantsDirect: no attempt is being made, and none that was made is healthy.
func (c *Conn) wantsDirect(now time.Duration) bool {
	switch {
	case c.attempts.making():
		return false
	case len(c.attempts.list) == 0, c.paths.toReplace() != nil:
		return true
	default:
		return c.climb.asked && now >= c.climb.begun+askedEvery
	}
}

// succeed notes which attempts are proved, and drops older ones a moment later.
func (c *Conn) succeed(now time.Duration) (wake time.Duration) {
	wake = now + time.Hour
	for i, t := range c.attempts.list {
		if t.leg.proved && !t.proved {
			t.proved, t.provedAt = true, now
			c.climb.failures, c.climb.why = 0, ""
		}
		switch {
		case i == 0 || !t.proved:
		case now >= t.provedAt+overlap:
			c.attempts.dropOlder(t)
			return wake
		default:
			wake = min(wake, t.provedAt+overlap)
		}
	}
	return wake
}

// isRelayed reports whether there is no better path to the device than the link.
func (c *Conn) isRelayed() bool {
	if c.device.ID == "" || c.device.State == signal.StateOffline {
		return false
	}
	g := c.paths.carrying()
	return g == nil || !g.direct()
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
	c.cfg.Endpoint.log().Debug("data channels open", "attempt", t.number, "rung", t.leg.carrier.Rung().String())
}

// fell: an attempt failed or its connection ended.
func (c *Conn) fell(now time.Duration, t *attempt, err error) {
	c.paths.down(now, t.leg)
	if err == nil {
		return
	}
	c.climb.why = "no direct path: " + brief(err)
	c.cfg.Endpoint.log().Debug("data channels ended", "attempt", t.number, "err", err)
	if t.proved {
		c.climb.failures = 0
	}
	c.climb.next = now + min(time.Second<<min(c.climb.failures, 5), climbMax)
	c.climb.failures++
}

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
	if c.climb.why == "" && c.attempts.making() && c.loop.now() > c.climb.begun+slowAttempt {
		return notYet
	}
	return c.climb.why
}

func (c *Conn) answered(m signal.Message) {
	t := c.attempts.byNumber(m.Attempt)
	if t == nil || t.peer == nil || t.answered {
		return // over, or answered twice because the offer was sent twice
	}
	if err := t.peer.SetAnswer(m.SDP); err != nil {
		c.cfg.Endpoint.log().Warn("answer not taken", "attempt", m.Attempt, "err", err)
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

// untold is the offer that an open carries: of the newest attempt, if the
// device was not told of it yet.
func (c *Conn) untold() *signal.SDP {
	n := len(c.attempts.list)
	if n == 0 {
		return nil
	}
	t := c.attempts.list[n-1]
	if t.told || t.answered || t.peer == nil {
		return nil
	}
	t.asked = true
	return &signal.SDP{Attempt: t.number, SDP: t.first.SDP}
}
