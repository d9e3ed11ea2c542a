package peer

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how paths prove and measure their legs.

// maxProbes is how many unanswered probes are remembered: ten seconds' worth.
const maxProbes = 32

type sentProbe struct {
	id   uint64
	leg  *leg
	at   time.Duration
	full bool
}

// heard takes any frame of the other end as proof of the way from there, and
// answers probes. It reports whether the frame was path business only, and
// whether it could be read.
func (p *paths) heard(now time.Duration, g *leg, f wire.Frame) (done bool, err error) {
	known := p.has(g)
	if known {
		p.ladder.Heard(now, g.id)
	}
	switch f.Type {
	case wire.TypeProbe:
		if known {
			err = p.answer(now, g, f.Body)
		}
	case wire.TypeEcho:
		if known {
			err = p.echoed(now, g, f.Body)
		}
	default:
		return false, nil
	}
	return true, err
}

func (p *paths) answer(now time.Duration, g *leg, body []byte) error {
	echo, err := wire.AnswerProbe(body)
	if err != nil {
		return err
	}
	g.send(control(appendEcho(g.number, echo, p.wall)))
	if !echo.Heard && g.proved {
		p.ladder.Doubt(now, g.id)
	}
	return nil
}

func (p *paths) echoed(now time.Duration, g *leg, body []byte) error {
	echo, err := wire.ParseEcho(body)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.probes, func(s sentProbe) bool { return s.id == echo.ID && s.leg == g })
	if i < 0 {
		return nil
	}
	sent := p.probes[i]
	p.probes = slices.Delete(p.probes, i, i+1)
	if !g.proved && !sent.full && !g.segmented() {
		return nil
	}
	rtt := roundTrip(now-sent.at, echo)
	g.proved = true
	p.ladder.Proved(now, g.id, rtt)
	p.clock.Sample(now, echo.T1, echo.T2, echo.T3, micros(p.wall()))
	if p.onEcho != nil {
		p.onEcho(echo.ID, g.carrier.Rung(), rtt)
	}
	return nil
}

// roundTrip is what is left of the time between probe and echo without the
// time at the other end, which says itself how long that was. More than all
// of it, or less than nothing, is not believed.
func roundTrip(took time.Duration, echo wire.Echo) time.Duration {
	var held time.Duration
	if echo.T3 > echo.T2 {
		held = time.Duration(min(echo.T3-echo.T2, uint64(took/time.Microsecond))) * time.Microsecond
	}
	return max(took-held, time.Microsecond)
}

// measure probes the best path at once.
func (p *paths) measure(now time.Duration) {
	if g := p.carrying(); g != nil {
		p.probe(now, g)
	}
}

// probe sends a probe on g and returns its number.
func (p *paths) probe(now time.Duration, g *leg) uint64 {
	p.lastID++
	if len(p.probes) == maxProbes {
		p.probes = slices.Delete(p.probes, 0, 1)
	}
	full := g.isFull(now)
	p.probes = append(p.probes, sentProbe{id: p.lastID, leg: g, at: now, full: full})
	g.send(control(wire.AppendProbe(nil, wire.Hop{Conn: g.number, Priority: wire.Urgent}, wire.Probe{
		ID: p.lastID, Heard: p.ladder.HeardRecently(now, g.id), Full: full, T1: micros(p.wall()),
	})))
	p.ladder.Probed(now, g.id)
	return p.lastID
}
