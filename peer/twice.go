package peer

import (
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how what belongs to commands leaves (protocol, section 10). All of it goes in front.

// How Commands and Outcomes are queued, and Ticks and Drives, of which the newest takes the place of one that waits.
var (
	asCall     = carrier.Frame{Class: wire.Call, Twice: true, Eager: true}
	asSetpoint = carrier.Frame{Class: wire.Setpoint, Eager: true}
)

var urgent = wire.Hop{Priority: wire.Urgent}

// sendBest queues a Command or an Outcome on the best path. It reports whether that took it.
func (p *paths) sendBest(t wire.Type, body []byte) bool {
	g := p.carrying()
	return g != nil && g.sendFrame(t, urgent, body, asCall)
}

// sendEverywhere queues a Command on every path there is, proved or not. It reports whether one took it.
func (p *paths) sendEverywhere(t wire.Type, body []byte) (taken bool) {
	for _, g := range p.legs {
		taken = g.sendFrame(t, urgent, body, asCall) || taken
	}
	return taken
}

// sendTwice queues a Tick or a Drive on the two best proved paths, so that neither is missed when one of them dies without a
// word. It reports whether one took it.
func (p *paths) sendTwice(t wire.Type, body []byte) (taken bool) {
	for _, id := range p.decision.Pair {
		if g := p.byID(id); g != nil {
			taken = g.sendFrame(t, urgent, body, asSetpoint) || taken
		}
	}
	return taken
}
