package peer

import (
	"net/netip"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// suspicion is how long a path that is suspected may be silent beside what an answer takes:
// as long as any path in use before it is asked.
const suspicion = 300 * time.Millisecond

// paths is one Conn's carriers at one end: which there are, proof that they
// work, and which to send on. It is owned by the loop.
type paths struct {
	ladder    *ladder.Ladder
	clock     session.Clock
	legs      []*leg
	use       []*leg // best first, as the last step decided
	decision  ladder.Decision
	probes    []sentProbe
	lastID    uint64
	wall      func() time.Time
	onEcho    func(id uint64, rung ladder.Rung, rtt time.Duration)
	second    second
	paired    []*leg // what pair yields
	hesitated bool   // a direct path was late or in doubt when hesitates was called last
}

func newPaths(wall func() time.Time) *paths {
	return &paths{ladder: ladder.New(ladder.Config{}), wall: wall}
}

func (p *paths) up(now time.Duration, g *leg) {
	p.legs = append(p.legs, g)
	p.ladder.Up(now, g.id, g.carrier.Rung())
}

// prove notes a proof of g both ways that is no echo: nothing was measured.
func (p *paths) prove(now time.Duration, g *leg) { p.ladder.Proved(now, g.id, 0) }

func (p *paths) down(now time.Duration, g *leg) {
	i := slices.Index(p.legs, g)
	if i < 0 {
		return
	}
	p.legs = slices.Delete(p.legs, i, i+1)
	p.use = slices.DeleteFunc(slices.Clone(p.use), func(u *leg) bool { return u == g })
	p.probes = slices.DeleteFunc(p.probes, func(s sentProbe) bool { return s.leg == g })
	p.ladder.Down(now, g.id)
}

func (p *paths) has(g *leg) bool { return slices.Contains(p.legs, g) }

func (p *paths) uses(g *leg) bool { return slices.Contains(p.use, g) }

// carrying is the best path in use that is not in doubt; where all are, the best; nil without any.
func (p *paths) carrying() *leg {
	for _, g := range p.use {
		if !p.ladder.State(g.id).InDoubt {
			return g
		}
	}
	if len(p.use) == 0 {
		return nil
	}
	return p.use[0]
}

// lost reports whether what was in use is gone since the last step, and others are there that are proved.
func (p *paths) lost() bool {
	return len(p.use) == 0 && slices.ContainsFunc(p.legs, func(g *leg) bool { return p.ladder.State(g.id).Usable })
}

func (p *paths) byID(id int) *leg {
	for _, g := range p.legs {
		if g.id == id {
			return g
		}
	}
	return nil
}

// toReplace reports whether a connection of a kind wants a successor.
// The link is not for us to replace: its watchdog ends it, and keep dials anew.
func (p *paths) toReplace(k kind) bool {
	return slices.ContainsFunc(p.decision.Replace, func(id int) bool {
		g := p.byID(id)
		return g != nil && g.direct() && g.attempt.kind == k
	})
}

// works reports whether a connection of a kind is proved and answers.
func (p *paths) works(k kind) bool {
	return slices.ContainsFunc(p.legs, func(g *leg) bool {
		s := p.ladder.State(g.id)
		return g.direct() && g.attempt.kind == k && s.Usable && !s.InDoubt
	})
}

// worksOn reports whether a direct path on a rung is proved and answers.
func (p *paths) worksOn(rung ladder.Rung) bool {
	return slices.ContainsFunc(p.legs, func(g *leg) bool {
		s := p.ladder.State(g.id)
		return g.direct() && g.carrier.Rung() == rung && s.Usable && !s.InDoubt
	})
}

// step asks the ladder, sends the probes that are due, and returns the legs
// that came into use. The decision stands in p.use and p.decision.
func (p *paths) step(now time.Duration) (added []*leg, changed bool) {
	p.rerung()
	suspects := p.doubtSuspects(now)
	d := p.ladder.Step(now)
	d.Wake = min(d.Wake, suspects)
	for _, id := range d.Probe {
		if g := p.byID(id); g != nil {
			p.probe(now, g)
		}
	}
	p.decision = d
	if p.stands(d.Use) {
		return nil, false
	}
	use := make([]*leg, 0, len(d.Use))
	for _, id := range d.Use {
		if g := p.byID(id); g != nil {
			use = append(use, g)
			if !p.uses(g) {
				added = append(added, g)
			}
		}
	}
	p.use = use
	return added, true
}

// rerung tells the ladder where a connection has found another way.
func (p *paths) rerung() {
	for _, g := range p.legs {
		p.ladder.Rerung(g.id, g.carrier.Rung())
	}
}

// anyInDoubt reports whether a direct path is in doubt.
func (p *paths) anyInDoubt() bool {
	return slices.ContainsFunc(p.legs, func(g *leg) bool { return g.direct() && p.ladder.State(g.id).InDoubt })
}

// hesitates reports whether direct paths are late, or in doubt, and none was when it was called last.
func (p *paths) hesitates() bool {
	before := p.hesitated
	p.hesitated = slices.ContainsFunc(p.legs, func(g *leg) bool {
		s := p.ladder.State(g.id)
		return g.direct() && (s.Late || s.InDoubt)
	})
	return p.hesitated && !before
}

// suspect asks all proved direct paths for an echo at once. One on which nothing comes
// for 300 ms and one and a half round trips is in doubt.
func (p *paths) suspect(now time.Duration) {
	for _, g := range p.legs {
		if !g.direct() || !g.proved {
			continue
		}
		s := p.ladder.State(g.id)
		g.suspected, g.heardBy = s.LastHeard, s.LastHeard+suspicion+s.Least*3/2
		p.probe(now, g)
	}
}

// doubtLost puts in doubt what comes from an address that this machine has no more.
func (p *paths) doubtLost(now time.Duration, lost func(netip.Addr) bool) {
	for _, g := range p.legs {
		if g.direct() && g.proved && lost(g.from()) {
			p.ladder.Doubt(now, g.id)
		}
	}
}

// doubtSuspects puts in doubt what was suspected and not heard in time, and says when to look again.
func (p *paths) doubtSuspects(now time.Duration) (wake time.Duration) {
	wake = ladder.Never
	for _, g := range p.legs {
		switch {
		case g.heardBy == 0:
		case p.ladder.State(g.id).LastHeard > g.suspected:
			g.heardBy = 0
		case now >= g.heardBy:
			g.heardBy = 0
			p.ladder.Doubt(now, g.id)
		default:
			wake = min(wake, g.heardBy)
		}
	}
	return wake
}

// stands reports whether the legs in use are those already.
func (p *paths) stands(ids []int) bool {
	return slices.EqualFunc(p.use, ids, func(g *leg, id int) bool { return g.id == id })
}

// send queues a frame on all legs in use. It reports whether one took it.
func (p *paths) send(t wire.Type, hop wire.Hop, body []byte, f carrier.Frame) (taken bool) {
	for _, g := range p.use {
		taken = g.sendFrame(t, hop, body, f) || taken
	}
	return taken
}

// leastRTT is the smallest of the latest round trips of the best path in use; 0 while unknown.
func (p *paths) leastRTT() time.Duration {
	if len(p.use) == 0 {
		return 0
	}
	return p.ladder.State(p.use[0].id).Least
}

// rtt is the round trip of the best path in use; 0 while unknown.
func (p *paths) rtt() time.Duration {
	if len(p.use) == 0 {
		return 0
	}
	return p.ladder.State(p.use[0].id).RTT
}
