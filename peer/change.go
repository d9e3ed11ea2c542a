package peer

import (
	"context"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
)

// proveTime is how long the server may take to answer after a change of this
// machine's network before its link counts as dead: then a new one is made.
const proveTime = 500 * time.Millisecond

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

// prove asks the server for a sign of life, now.
func (l *link) prove() {
	l.rests = rests{movedAt: l.loop.now()} // on the network as it is nothing is known
	if l.leg != nil {
		l.proveBy = l.loop.now() + proveTime
		l.probe()
	}
	l.onNetwork()
}

// networkChanged: what was being tried on the old network is tried anew on this one.
func (c *Conn) networkChanged() {
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
		c.tell(signal.Message{Type: signal.RetryRTC})
		if len(c.attempts.of(turned)) > 0 {
			c.tell(signal.Message{Type: signal.RetryRTC, Turned: true})
		}
	}
}
