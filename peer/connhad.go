package peer

import (
	"maps"
	"slices"

	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is what was delivered of streams already, lest the past brings it
// again (protocol, section 5.4). It runs in the loop.

// lacks is what of a batch of the past was not delivered, and will not be by itself.
func (c *Conn) lacks(s *subscription, h wire.Header) []wire.Range {
	switch {
	case h.Epoch != s.epoch || s.inbox == nil:
		return c.past.had[run{s.Name, h.Epoch}].missing(h.Seq, h.Last())
	case s.class == wire.Event:
		return ranges{{From: s.after + 1, To: wire.MaxInt}}.missing(h.Seq, h.Last())
	}
	holes := s.got.missing(h.Seq, h.Last())
	s.got.add(h.Seq, h.Last())
	return holes
}

// maxHad bounds the runs of streams of which it is remembered what was delivered.
const maxHad = 2 * wire.MaxStreams

// remember notes what was delivered of a run that is over, lest the past brings it again: an Event stream delivers all behind its start.
func (c *Conn) remember(s *subscription) {
	if c.cfg.Since == 0 || s.inbox == nil {
		return
	}
	had := s.got
	if s.class == wire.Event {
		had = ranges{{From: s.after + 1, To: wire.MaxInt}}
	}
	c.past.remember(run{s.Name, s.epoch}, had)
}

// rememberBatch notes what was delivered of a stream that waits.
func (c *Conn) rememberBatch(s *subscription, h wire.Header) {
	if c.cfg.Since == 0 {
		return
	}
	k := run{s.Name, h.Epoch}
	had := c.past.had[k]
	had.add(h.Seq, h.Last())
	c.past.remember(k, had)
}

// remember notes what was delivered of a run, lest the past brings it again. Of too many runs the oldest is forgotten.
func (p *pastView) remember(k run, had ranges) {
	if !slices.Contains(p.epochs, k.epoch) {
		p.epochs = append(p.epochs, k.epoch)
	}
	p.had[k] = had
	for len(p.had) > maxHad && len(p.epochs) > 1 {
		oldest := p.epochs[0]
		p.epochs = p.epochs[1:]
		maps.DeleteFunc(p.had, func(k run, _ ranges) bool { return k.epoch == oldest })
	}
}
