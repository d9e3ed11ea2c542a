package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file takes packets apart at the viewer: who says something decides
// what it may say.

func (c *Conn) handle(from *leg, packet []byte) {
	now := c.loop.now()
	c.attempts.cameOn(from)
	for f, err := range wire.Frames(packet) {
		if err == nil {
			err = c.frame(now, from, f)
		}
		if err != nil {
			c.malformed(err)
		}
	}
}

// malformed counts a frame that cannot be read, and says so once.
func (c *Conn) malformed(err error) {
	c.meter.drop(session.Malformed, 1)
	if !c.told {
		c.told = true
		c.cfg.Endpoint.log().Warn("a frame cannot be read; more of them are only counted", "err", err)
	}
}

func (c *Conn) frame(now time.Duration, from *leg, f wire.Frame) error {
	if from.direct() {
		return c.deviceFrame(now, from, f)
	}
	switch from {
	case c.link.leg:
	case c.link.next:
		return c.nextFrame(f)
	case c.link.older:
		return c.olderFrame(now, f)
	default: // of a link that is over
		return nil
	}
	if done, err := c.link.heard(now, f); done {
		return err
	}
	switch f.Hop.Conn {
	case 0:
		return c.serverFrame(f)
	case viewNumber:
		if f.Type == wire.TypeData && !c.cfg.Endpoint.may(from.carrier.Rung()) {
			return nil
		}
		return c.deviceFrame(now, c.relay, f)
	}
	c.meter.drop(session.UnknownStream, 1)
	return nil
}

// nextFrame takes what comes on the link that is to take the place of the one
// in use: it does so as soon as the server has let us in.
func (c *Conn) nextFrame(f wire.Frame) error {
	if f.Type != wire.TypeSignal || f.Hop.Conn != 0 {
		return nil
	}
	m, err := signal.Parse(f.Body)
	switch m.Type {
	case signal.Welcome:
		c.link.promote()
		return c.serverFrame(f)
	case signal.Refuse:
		c.link.told(c.link.next, m)
	}
	return err
}

// olderFrame takes data that was under way on the link when it moved.
func (c *Conn) olderFrame(now time.Duration, f wire.Frame) error {
	if f.Type == wire.TypeSignal || f.Hop.Conn != viewNumber || c.relay == nil || c.accepted {
		return nil
	}
	return c.deviceFrame(now, c.relay, f)
}

// serverFrame takes what the server says for itself.
func (c *Conn) serverFrame(f wire.Frame) error {
	if f.Type != wire.TypeSignal {
		return nil
	}
	m, err := signal.Parse(f.Body)
	switch m.Type {
	case signal.Welcome:
		c.link.welcomed(m)
		c.link.compareTLS(m.TLS)
		if c.cfg.Events.Role != nil {
			c.cfg.Events.Role(m.Role)
		}
	case signal.Refuse:
		c.link.told(c.link.leg, m)
	}
	return err
}

// deviceFrame takes one frame of the Conn; g is nil for those on the link
// while the device has not answered there.
func (c *Conn) deviceFrame(now time.Duration, g *leg, f wire.Frame) error {
	// Signals and retained values may be the server's own.
	fromDevice := f.Type != wire.TypeSignal && !f.Hop.Retained
	if g != nil && fromDevice {
		if done, err := c.paths.heard(now, g, f); done {
			return err
		}
	}
	switch f.Type {
	case wire.TypeData:
		return c.data(now, g, f)
	case wire.TypeGap:
		return c.gap(now, f.Body)
	case wire.TypeTick:
		return c.tick(f.Body)
	case wire.TypeOutcome:
		c.outcome(f.Body)
	case wire.TypeSignal:
		m, err := signal.Parse(f.Body)
		if err == nil {
			c.signal(now, g, m)
		}
		return err
	}
	return nil
}

// rung of a leg; what the server sends itself came on the link.
func (c *Conn) rung(g *leg) ladder.Rung {
	switch {
	case g != nil:
		return g.carrier.Rung()
	case c.link.leg != nil:
		return c.link.leg.carrier.Rung()
	}
	return ladder.WS
}

func (c *Conn) step(now time.Duration) (wake time.Duration) {
	c.keepTime(now)
	wake = c.link.step(now)
	added, _ := c.paths.step(now)
	if c.paths.hesitates() {
		c.link.suspect()
	}
	wake = min(wake, c.paths.decision.Wake)
	wake = min(wake, c.reopen(now), c.acknowledge(now, len(added) > 0), c.climbStep(now), c.settleBye(now), c.settleTails(now), c.askPast(now))
	if c.paths.lost() { // what was in use has just been left for a successor, which the next step takes
		return now
	}
	c.noteReach()
	wake = min(wake, c.sendOrders(now))
	c.tellPath()
	return wake
}
