package peer

import (
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
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

// secondAfter is when what goes twice goes the second time: both paths end in the same two programs, often on one or two
// cores, and what comes first is not to wait there for its copy.
const secondAfter = 2 * time.Millisecond

// second is what has gone on one path, and goes on another one as well.
type second struct {
	kind  wire.Type
	body  []byte
	first *leg // nil: nothing waits
	due   time.Duration
}

// sendTwice sends a Tick or a Drive on the best proved path, and soon on the second best, so that neither is missed when one of
// them dies without a word. A newer one takes the place of one that waits for that. It reports whether a path took it.
func (p *paths) sendTwice(now time.Duration, t wire.Type, body []byte) bool {
	p.second = second{}
	pair := p.pair()
	for _, g := range pair {
		if !g.sendFrame(t, urgent, body, asSetpoint) {
			continue
		}
		if len(pair) > 1 {
			p.second = second{kind: t, body: body, first: g, due: now + secondAfter}
			if p.ladder.State(g.id).InDoubt {
				p.second.due = now // it may be the only one that arrives
			}
		}
		return true
	}
	return false
}

// sendSecond sends what is due the second time, and returns when that is.
func (p *paths) sendSecond(now time.Duration) (wake time.Duration) {
	s := p.second
	switch {
	case s.first == nil:
		return session.Never
	case now < s.due:
		return s.due
	}
	p.second = second{}
	for _, g := range p.pair() {
		if g != s.first {
			g.sendFrame(s.kind, urgent, s.body, asSetpoint)
		}
	}
	return session.Never
}

// pair yields two that are proved, best first.
func (p *paths) pair() []*leg {
	p.paired = p.paired[:0]
	for _, id := range p.decision.Pair {
		if g := p.byID(id); g != nil {
			p.paired = append(p.paired, g)
		}
	}
	return p.paired
}
