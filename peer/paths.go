package peer

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// leg is one carrier as one Conn uses it.
type leg struct {
	id      int
	carrier carrier.Carrier
	number  uint64 // conn number in the hop part; 0 on a direct path
	conn    any    // the hostConn or Conn it belongs to; nil for the link itself
	proved  bool   // an echo has come: later probes need not be of full size
}

// send queues one frame; what the carrier refuses it has counted.
func (g *leg) send(f carrier.Frame) { g.carrier.Send(f) }

// control is a frame of path business.
func control(bytes []byte) carrier.Frame { return carrier.Frame{Control: true, Bytes: bytes} }

// maxProbes is how many unanswered probes are remembered: ten seconds' worth.
const maxProbes = 32

type sentProbe struct {
	id  uint64
	leg *leg
	at  time.Duration
}

// paths is one Conn's carriers at one end: which there are, proof that they
// work, and which to send on. It is owned by the loop.
type paths struct {
	ladder   *ladder.Ladder
	clock    session.Clock
	legs     []*leg
	use      []*leg // best first, as the last step decided
	decision ladder.Decision
	probes   []sentProbe
	lastID   uint64
	wall     func() time.Time
	onEcho   func(id uint64, rung ladder.Rung, rtt time.Duration)
}

func newPaths(wall func() time.Time) *paths {
	return &paths{ladder: ladder.New(ladder.Config{}), wall: wall}
}

func (p *paths) up(now time.Duration, g *leg) {
	p.legs = append(p.legs, g)
	p.ladder.Up(now, g.id, g.carrier.Rung())
}

func (p *paths) down(now time.Duration, g *leg) {
	i := slices.Index(p.legs, g)
	if i < 0 {
		return
	}
	p.legs = slices.Delete(p.legs, i, i+1)
	p.use = slices.DeleteFunc(slices.Clone(p.use), func(u *leg) bool { return u == g })
	p.ladder.Down(now, g.id)
}

func (p *paths) has(g *leg) bool { return slices.Contains(p.legs, g) }

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

func (p *paths) byID(id int) *leg {
	for _, g := range p.legs {
		if g.id == id {
			return g
		}
	}
	return nil
}

// heard takes any frame of the other end as proof of the way from there, and
// answers probes. It reports whether the frame was path business only.
func (p *paths) heard(now time.Duration, g *leg, f wire.Frame) (done bool) {
	if !p.has(g) {
		return f.Type == wire.TypeProbe || f.Type == wire.TypeEcho
	}
	p.ladder.Heard(now, g.id)
	switch f.Type {
	case wire.TypeProbe:
		p.answer(now, g, f.Body)
	case wire.TypeEcho:
		p.echoed(now, g, f.Body)
	default:
		return false
	}
	return true
}

func (p *paths) answer(now time.Duration, g *leg, body []byte) {
	probe, err := wire.ParseProbe(body)
	if err != nil {
		return
	}
	g.send(control(appendEcho(g.number, probe, p.wall)))
	if !probe.Heard && g.proved {
		p.ladder.Doubt(now, g.id)
	}
}

// appendEcho makes the frame that answers a probe now.
func appendEcho(number uint64, probe wire.Probe, wall func() time.Time) []byte {
	t := micros(wall())
	return wire.AppendEcho(nil, wire.Hop{Conn: number, Priority: wire.Urgent}, wire.Echo{Probe: probe, T2: t, T3: t})
}

func (p *paths) echoed(now time.Duration, g *leg, body []byte) {
	echo, err := wire.ParseEcho(body)
	if err != nil {
		return
	}
	i := slices.IndexFunc(p.probes, func(s sentProbe) bool { return s.id == echo.ID && s.leg == g })
	if i < 0 {
		return
	}
	rtt := max(now-p.probes[i].at-time.Duration(echo.T3-echo.T2)*time.Microsecond, time.Microsecond)
	p.probes = slices.Delete(p.probes, i, i+1)
	g.proved = true
	p.ladder.Proved(now, g.id, rtt)
	p.clock.Sample(now, echo.T1, echo.T2, echo.T3, micros(p.wall()))
	if p.onEcho != nil {
		p.onEcho(echo.ID, g.carrier.Rung(), rtt)
	}
}

// probe sends a probe on g and returns its number.
func (p *paths) probe(now time.Duration, g *leg) uint64 {
	p.lastID++
	if len(p.probes) == maxProbes {
		p.probes = slices.Delete(p.probes, 0, 1)
	}
	p.probes = append(p.probes, sentProbe{id: p.lastID, leg: g, at: now})
	g.send(control(wire.AppendProbe(nil, wire.Hop{Conn: g.number, Priority: wire.Urgent}, wire.Probe{
		ID: p.lastID, Heard: p.ladder.HeardRecently(now, g.id), Full: !g.proved, T1: micros(p.wall()),
	})))
	p.ladder.Probed(now, g.id)
	return p.lastID
}

// step asks the ladder, sends the probes that are due, and returns the legs
// that came into use. The decision stands in p.use and p.decision.
func (p *paths) step(now time.Duration) (added []*leg, changed bool) {
	d := p.ladder.Step(now)
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
			if !slices.Contains(p.use, g) {
				added = append(added, g)
			}
		}
	}
	p.use = use
	return added, true
}

// stands reports whether the legs in use are those already.
func (p *paths) stands(ids []int) bool {
	return slices.EqualFunc(p.use, ids, func(g *leg, id int) bool { return g.id == id })
}

// send queues a frame on all legs in use. It reports whether there was one.
func (p *paths) send(t wire.Type, hop wire.Hop, body []byte, f carrier.Frame) bool {
	for _, g := range p.use {
		hop.Conn = g.number
		f.Bytes = wire.AppendFrame(nil, t, hop, body)
		g.send(f)
	}
	return len(p.use) > 0
}

// rtt is the round trip of the best path in use; 0 while unknown.
func (p *paths) rtt() time.Duration {
	if len(p.use) == 0 {
		return 0
	}
	return p.ladder.State(p.use[0].id).RTT
}
