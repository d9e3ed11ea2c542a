package netcheck

import (
	"strings"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// Summary is what all checks come to.
type Summary struct {
	Expected string // the rung on which a link would come up, or None; empty: not known
	Because  string
	Reached  bool // there is a way to the server
}

// None as Summary.Expected: no link would come up.
const None = "none"

// summarize reads the outcomes, all of which are there.
func (s *survey) summarize(p *plan) Summary {
	var said []string // of the rungs above
	for _, rung := range peer.LinkRungs() {
		c := p.rung(rung)
		if c.Verdict == OK {
			said = append(said, peer.LinkWords(rung)+" gets through"+p.trip(rung))
			if s.intercepted != nil {
				said = append(said, "TLS: "+s.intercepted.Brief())
			}
			said = append(said, p.beside()...)
			return Summary{Expected: rung.String(), Because: strings.Join(said, "; "), Reached: true}
		}
		said = append(said, peer.LinkWords(rung)+": "+brief(c))
	}
	if c := p.obstacle(); c != nil {
		return Summary{Expected: None, Because: brief(*c)}
	}
	switch last := p.rung(ladder.Poll); {
	case last.Verdict == Unknown:
		return s.unsettled(p)
	case p.allFail(last.Failure):
		return Summary{Expected: None, Because: brief(last)}
	}
	return Summary{Expected: None, Because: strings.Join(said, "; ")}
}

// beside is what is said of data channels beside the link: what this end can do.
func (p *plan) beside() (said []string) {
	udp, nat := p.byName[nameUDP].check, p.byName[nameNAT].check
	switch {
	case udp.Verdict == Failed:
		said = append(said, "direct: "+brief(udp))
	case nat.Verdict == Failed:
		said = append(said, "direct: "+brief(nat))
	}
	for _, rung := range peer.TurnRungs() {
		if p.byName[rung.String()].check.Verdict == OK {
			return append(said, "to a device that can do the same: "+rung.String()+" at least")
		}
	}
	return said
}

// allFail reports whether all rungs have failed under one name, as when the
// server refuses the token.
func (p *plan) allFail(name string) bool {
	for _, rung := range peer.LinkRungs() {
		if p.rung(rung).Failure != name {
			return false
		}
	}
	return true
}

// unsettled is the summary where links could not be tried.
func (s *survey) unsettled(p *plan) Summary {
	c := p.rung(ladder.Poll)
	because := brief(c)
	if c.Remedy != "" {
		because += ": " + c.Remedy
	}
	if p.byName[nameHTTP1].check.Verdict != OK {
		return Summary{Because: because}
	}
	return Summary{
		Because: "a telepath server answers, but no link to it could be tried: " + because,
		Reached: s.cfg.Endpoint.Token == "",
	}
}

// rung is the check of a rung, or that of its latency where that is worse.
func (p *plan) rung(rung ladder.Rung) Check {
	if measured := p.byName[latencyPrefix+rung.String()].check; measured.Verdict == Failed {
		return measured
	}
	return p.byName[rung.String()].check
}

// trip is what is said of a rung's round trip.
func (p *plan) trip(rung ladder.Rung) string {
	c := p.byName[latencyPrefix+rung.String()].check
	if c.Verdict != OK {
		return ""
	}
	return ", round trip " + view.Short(c.Took)
}

// obstacle is the first step that all rungs need and that has failed; nil: none has.
func (p *plan) obstacle() *Check {
	for _, name := range []string{nameDNS, nameProxy, stepReach, stepHandshake, nameHTTP1} {
		if c := p.byName[name].check; c.Verdict == Failed {
			return &c
		}
	}
	return nil
}

// brief is a check that is not ok, in one clause.
func brief(c Check) string {
	if c.Verdict == Unknown {
		return c.Reason
	}
	text := c.Reason
	if c.Detail != "" {
		text += ", " + c.Detail
	}
	return text + " (" + c.Failure + ")"
}
