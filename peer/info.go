package peer

import (
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Info is what there is to say of a Conn at one moment, for people.
type Info struct {
	Path  Path
	Rungs []RungInfo // the paths there are and those being made, best first

	Offset      time.Duration // the device's clock minus ours
	OffsetErr   time.Duration // ±
	OffsetKnown bool

	Delivered, Late, Lost uint64 // Live samples: of those delivered, after newer ones; not come by now
	Missing               uint64 // Event samples declared in gaps of known extent
}

// RungInfo is one path of a Conn.
type RungInfo struct {
	Rung    ladder.Rung
	State   string        // "use", "warm", "doubt" or "trying"
	RTT     time.Duration // smoothed; 0: not measured yet
	Var     time.Duration // mean deviation of RTT
	Silence time.Duration // since something came on it
	Queued  carrier.Depth
	Pair    string // the addresses of a direct path, once they are known
}

// Info returns a snapshot. For use in callbacks only.
func (c *Conn) Info() Info {
	info := Info{Path: c.path}
	info.Offset, info.OffsetErr, info.OffsetKnown = c.Clock()
	for _, g := range c.paths.legs {
		info.Rungs = append(info.Rungs, c.paths.info(c.loop.now(), g))
	}
	for _, t := range c.attempts.list {
		if !t.ready {
			info.Rungs = append(info.Rungs, RungInfo{Rung: c.cfg.Endpoint.rung(t.kind), State: "trying"})
		}
	}
	slices.SortStableFunc(info.Rungs, func(a, b RungInfo) int { return int(a.Rung) - int(b.Rung) })
	for _, s := range c.streams {
		if s.inbox == nil {
			continue
		}
		stats := s.inbox.Stats()
		info.Missing += stats.Missing
		if s.class == wire.Event {
			continue
		}
		info.Delivered += stats.Delivered
		info.Late += stats.Late
		info.Lost += stats.Lost
	}
	return info
}

func (p *paths) info(now time.Duration, g *leg) RungInfo {
	s := p.ladder.State(g.id)
	r := RungInfo{
		Rung: g.carrier.Rung(), State: "warm", RTT: s.RTT, Var: s.Var,
		Silence: now - s.LastHeard, Queued: g.carrier.Stats().Queued,
	}
	switch {
	case s.InDoubt:
		r.State = "doubt"
	case s.InUse:
		r.State = "use"
	case !s.Usable:
		r.State = "trying"
	}
	if pair, ok := g.carrier.(interface{ Pair() string }); ok {
		r.Pair = pair.Pair()
	}
	return r
}

// tellPath reports a change of the path in use. Of two, the sound one is the one that carries, whatever its rung.
func (c *Conn) tellPath() {
	p := Path{Reason: c.why()}
	carrying := c.paths.carrying()
	for _, g := range c.paths.use {
		if g == carrying {
			p.Rung, p.OK = g.carrier.Rung(), true
		} else {
			p.Beside, p.Both = g.carrier.Rung(), true
		}
	}
	if p == c.path {
		return
	}
	c.path = p
	if c.cfg.Events.Path != nil {
		c.cfg.Events.Path(p)
	}
}

// why this path and no better one, in plain words.
func (c *Conn) why() string {
	reason := c.whyOfPath()
	if len(c.paths.use) == 0 || c.paths.use[0] != c.relay {
		return reason
	}
	if why := c.link.why(); why != "" {
		reason += "; " + why
	}
	return reason
}

func (c *Conn) whyOfPath() string {
	use := c.paths.use
	onRelay := len(use) == 1 && use[0] == c.relay
	switch {
	case len(use) == 0 && c.link.leg == nil:
		return "no connection to the server"
	case len(use) == 0 && c.device.State == signal.StateOffline:
		return "the device is offline"
	case onRelay && c.cfg.NoDirect:
		return "a direct path was not asked for"
	case onRelay && c.relayed:
		return "the device has no direct paths"
	}
	why := c.whyNotDirect()
	switch {
	case why == "" || len(use) == 0:
		return c.paths.decision.Reason
	case onRelay:
		return join(why, c.climbs[turned].why)
	case len(use) == 1 && use[0].direct() && use[0].carrier.Rung() != ladder.UDP:
		return join(c.paths.decision.Reason, why)
	}
	return c.paths.decision.Reason
}

// join puts clauses into one sentence; empty ones are left out.
func join(clauses ...string) string {
	return strings.Join(slices.DeleteFunc(clauses, func(s string) bool { return s == "" }), "; ")
}

// Clock is the device's clock minus ours, ± the error; false while unknown. Ours is that of Received.At.
// For use in callbacks only.
func (c *Conn) Clock() (offset, err time.Duration, known bool) {
	o, e, known := c.paths.clock.Offset(c.loop.now())
	return time.Duration(o) * time.Microsecond, time.Duration(e) * time.Microsecond, known
}
