package peer

import (
	"context"
	"slices"
	"time"
)

// How long the server may take to answer when there is a reason to ask, before
// another link is made beside the one that does not (docs/protocol.md, section 6.2).
const (
	// proveTime while no round trip of the link is known; otherwise twice that and
	// proveSlack, at least proveLeast, in which TCP sends again what got lost.
	proveTime  = 500 * time.Millisecond
	proveLeast = 200 * time.Millisecond
	proveSlack = 100 * time.Millisecond
)

// watchNetwork has the link proved whenever this machine's network has changed.
func (l *link) watchNetwork(ctx context.Context) {
	if l.endpoint.Network == nil {
		return
	}
	l.endpoint.Network(ctx, func() {
		l.endpoint.log().Info("this machine's network has changed")
		l.loop.post(l.prove)
		l.racer.changed.ring()
	})
}

// prove asks the server for a sign of life, now: this machine's network is another one.
// There is nothing to wait for where the address is gone that the link comes from.
func (l *link) prove() {
	now := l.loop.now()
	l.rests = rests{movedAt: now} // on the network as it is nothing is known
	l.racer.rest.Store(0)
	l.lift.anew(now)
	if l.leg != nil && l.lost(l.leg.from()) {
		l.doubt(now)
	} else {
		l.ask()
	}
	l.onNetwork()
}

// suspect: a direct path does not answer in time. What took it, a new address for
// instance, may have taken the link, too, and nobody would say so.
func (l *link) suspect() {
	if l.leg == nil {
		l.racer.changed.ring() // so it did, and no server is to be spared
		return
	}
	l.ask()
}

// ask probes the link, which is in doubt unless something is heard in time.
func (l *link) ask() {
	if l.leg == nil || l.proveBy > 0 || l.lift.leaving {
		return
	}
	l.proveBy = l.loop.now() + l.patience()
	l.probe()
	l.loop.kick()
}

func (l *link) patience() time.Duration {
	if l.rtt == 0 {
		return proveTime
	}
	return max(proveLeast, 2*l.rtt+proveSlack)
}

// doubt looks for another link beside one that does not answer.
func (l *link) doubt(now time.Duration) {
	l.proveBy = 0
	if l.lift.leaving {
		return
	}
	rung := l.leg.carrier.Rung()
	l.endpoint.log().Info("link in doubt", "rung", rung.String())
	if onChannels(rung) {
		l.lift.fell(now, rung)
	}
	l.lift.leave()
}

// networkChanged: what was being tried on the old network is tried anew on this one.
func (c *Conn) networkChanged() {
	c.paths.doubtLost(c.loop.now(), c.link.lost)
	for _, t := range slices.Clone(c.attempts.list) {
		if !t.ready {
			c.attempts.drop(t)
		}
	}
	for k := range c.climbs {
		c.climbs[k].anew(c.loop.now())
	}
}

// networkChanged has the viewers make new attempts, where they can be told.
func (h *Host) networkChanged() {
	for _, c := range h.conns {
		c.paths.doubtLost(h.loop.now(), h.link.lost)
		c.askAnew(directly)
		if len(c.attempts.of(turned)) > 0 {
			c.askAnew(turned)
		}
	}
}
