package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

// climb is when a viewer makes its next data-channel connection.
type climb struct {
	number   uint64        // of the last attempt
	failures int           // in a row
	next     time.Duration // not before
	why      error         // the last one failed; nil once one is proved
}

// Waits after attempts that failed (protocol, section 7.2): 1 s doubling to climbMax.
const climbMax = 15 * time.Second

// climbStep starts an attempt when none is under way and no direct path is
// healthy.
func (c *Conn) climbStep(now time.Duration) (wake time.Duration) {
	if c.cfg.NoDirect || !c.accepted || !c.wantsDirect() {
		return now + time.Hour
	}
	if now < c.climb.next {
		return c.climb.next
	}
	c.beginAttempt(now)
	return c.climb.next
}

func (c *Conn) beginAttempt(now time.Duration) {
	c.climb.number++
	c.climb.next = now + attemptTime
	c.attempts.begin(c.climb.number, offer(c.climb.number))
}

// wantsDirect: no attempt is being made, and none that was made is healthy.
func (c *Conn) wantsDirect() bool {
	for _, t := range c.attempts.list {
		if !t.ready {
			return false
		}
	}
	if len(c.paths.decision.Replace) > 0 {
		return true
	}
	return len(c.attempts.list) == 0
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
	c.climb.why = err
	c.cfg.Endpoint.log().Debug("data channels ended", "attempt", t.number, "err", err)
	if t.proved {
		c.climb.failures = 0
	}
	c.climb.next = now + min(time.Second<<min(c.climb.failures, 5), climbMax)
	c.climb.failures++
}

// provedDirect: a direct path carries both ways; what it succeeds is dropped.
func (c *Conn) provedDirect() {
	for _, t := range c.attempts.list {
		if t.ready && !t.proved && t.leg.proved {
			t.proved = true
			c.climb.failures, c.climb.why = 0, nil
			c.attempts.dropOlder(t)
			return
		}
	}
}

func (c *Conn) answered(m signal.Message) {
	for _, t := range c.attempts.list {
		if t.number == m.Attempt && t.peer != nil {
			if err := t.peer.SetAnswer(m.SDP); err != nil {
				c.cfg.Endpoint.log().Warn("answer not taken", "attempt", m.Attempt, "err", err)
				c.attempts.drop(t)
			}
		}
	}
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
	if t.told || t.peer == nil {
		return nil
	}
	t.asked = true
	return &signal.SDP{Attempt: t.number, SDP: t.first.SDP}
}
