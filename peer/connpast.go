package peer

import (
	"maps"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is how a viewer gets what it missed: class History (protocol,
// section 5.4). It runs in the loop.

const (
	// outageTime: if nothing came of a stream for so long, and then numbers are
	// missing, they are asked for. Single losses are not.
	outageTime = time.Second
	// tornTime is for how long numbers may go on behind it before some are missing: what was under way comes first.
	tornTime = 5 * time.Second
	// pastEvery is how often the device is asked, at most.
	pastEvery = time.Second
	// viewerWindow is what a device may have in flight towards a viewer, in bytes: twice what it may have of the past, which
	// would fill a smaller one on a path that carries so much. Live samples would wait for room in it then.
	viewerWindow = 512 << 10
	// pastPatience is how long a transfer may stand still before it is asked for anew.
	pastPatience = 5 * time.Second
)

// pastView is what a Conn wants of the past, and the transfer that brings it.
type pastView struct {
	wanted  map[string]place // by stream's name: behind this; zero: as much as there is
	tails   map[string]*tail // of Event streams, by name: asked for before all else
	there   bool             // the device keeps a spool
	changed bool             // wanted has more than the transfer brings, or that is over
	askAt   time.Duration    // not before
	had     map[run]ranges   // of runs that ended, or were waited in, while something was wanted: what was delivered of them
	epochs  []uint32         // of these, the oldest first
	begun   map[string]bool  // streams that were received before, by name: in another run they have other numbers

	id       uint32         // of the transfer; 0: none
	ofTails  bool           // it brings tails, nothing else
	unneeded bool           // the last one is, and the device may bring it still
	inbox    *session.Inbox // of the transfer, or of the last one
	out      []session.Delivery
	via      *leg
	moved    time.Duration            // when something of it came last
	brought  time.Duration            // when something of tails was read last, of whichever
	brings   map[string]bool          // the streams that it was asked for, by name
	told     map[place]*signal.Stream // streams of earlier runs; seq is the number
	tolds    []place                  // of these, in the order in which they were told
	unnamed  int                      // frames of earlier runs of which nobody can tell whose they are, in all transfers of tails
}

// run is a stream in one run of the device's program.
type run struct {
	name  string
	epoch uint32
}

func newPastView() pastView {
	return pastView{wanted: map[string]place{}, tails: map[string]*tail{}, had: map[run]ranges{}, begun: map[string]bool{}}
}

// accepted: a device that is asked anew knows nothing of a transfer, perhaps.
func (p *pastView) accepted(history bool) {
	p.there, p.changed, p.id = history, true, 0
}

// wantPast wants what lies behind a sample of a stream. Of one that is wanted
// already the older sample counts; it is asked for again, since what is under
// way may end before what is missing now.
func (c *Conn) wantPast(s *subscription, behind place) {
	if c.cfg.Since == 0 {
		return
	}
	if _, already := c.past.wanted[s.Name]; !already {
		c.forgetUnknown()
		c.past.wanted[s.Name] = behind
	}
	c.past.changed = true
}

// forgetUnknown wants nothing more of streams that the device does not have any more, when these are many.
func (c *Conn) forgetUnknown() {
	if len(c.past.wanted) < 2*wire.MaxStreams {
		return
	}
	known := c.names()
	maps.DeleteFunc(c.past.wanted, func(name string, _ place) bool { return !known[name] })
}

// names are those of the streams that the device has, or had in its last run.
func (c *Conn) names() map[string]bool {
	known := map[string]bool{}
	for _, s := range c.streams {
		known[s.Name] = true
	}
	return known
}

// noteHole wants what an outage has torn out of a Live stream.
func (c *Conn) noteHole(now time.Duration, s *subscription, h wire.Header) {
	silent := now-s.heard > outageTime
	s.heard = now
	if s.class != wire.Live || s.newest == 0 {
		return
	}
	if silent {
		c.tear(now, s)
	}
	if s.torn == 0 {
		return
	}
	over := now >= s.tornAt+tornTime
	if h.Seq > s.newest+1 && !over || over && len(s.got.missing(s.torn+1, s.newest)) > 0 {
		c.wantPast(s, place{s.epoch, s.torn})
		over = true
	}
	if over {
		s.torn = 0
	}
}

// tear notes where a Live stream was silent: what is missing from there on is torn out. Of a stream whose samples are seconds apart each
// one comes behind a silence. What an earlier silence has torn out, and nothing has brought since, is wanted now.
func (c *Conn) tear(now time.Duration, s *subscription) {
	if s.torn != 0 && len(s.got.missing(s.torn+1, s.newest)) > 0 {
		c.wantPast(s, place{s.epoch, s.torn})
	}
	s.torn, s.tornAt = s.newest, now
}

// askPast asks the device for what is wanted.
func (c *Conn) askPast(now time.Duration) (wake time.Duration) {
	p := &c.past
	patience := p.moved + pastPatience
	switch {
	case !c.accepted || !p.there || len(p.wanted)+len(p.tails) == 0 && !p.unneeded: // time alone changes nothing about that
		return session.Never
	case !p.changed && p.id == 0:
		return session.Never
	case !p.changed && now < patience:
		return patience
	case now < p.askAt:
		return p.askAt
	}
	p.askAt = now + pastEvery
	m := c.askForTails()
	p.ofTails = len(m.Routed) > 0
	if !p.ofTails {
		m = c.askForMore()
	}
	if len(m.Routed) == 0 && !p.unneeded {
		return c.nothingToAsk()
	}
	p.begin(now, randomEpoch())
	for _, id := range m.Routed {
		p.brings[c.streams[id].Name] = true
	}
	m.Transfer = signal.FormatEpoch(p.id)
	if len(m.Routed) == 0 {
		p.id, p.changed = 0, len(p.wanted)+len(p.tails) > 0 // it only ends the one before
	}
	c.throughServer(m)
	return p.moved + pastPatience
}

// nothingToAsk: the streams of what is wanted are not described, and perhaps never will be. When one is, that is noted; of those that
// wait for a rest it is not, but none waits for long.
func (c *Conn) nothingToAsk() (wake time.Duration) {
	p := &c.past
	if len(p.tails) > 0 || p.id != 0 {
		return p.askAt
	}
	p.changed, p.brings = false, nil
	return session.Never
}

// askForTails asks for the rest of earlier runs: of Events all that there is.
func (c *Conn) askForTails() signal.Message {
	m := signal.Message{Type: signal.History, Positions: map[uint32]string{}}
	for id, s := range c.streams {
		if t := c.past.tails[s.Name]; t != nil && s.class == wire.Event && s.epoch == c.epoch {
			m.Routed = append(m.Routed, id)
			m.Positions[id] = signal.FormatPosition(t.at.epoch, t.at.seq)
		}
	}
	return m
}

func (c *Conn) askForMore() signal.Message {
	m := signal.Message{Type: signal.History, SinceMS: uint64(c.cfg.Since / time.Millisecond), Positions: map[uint32]string{}}
	for id, s := range c.streams {
		behind, wanted := c.past.wanted[s.Name]
		if !wanted || s.inbox == nil {
			continue
		}
		m.Routed = append(m.Routed, id)
		if behind.epoch != 0 {
			m.Positions[id] = signal.FormatPosition(behind.epoch, behind.seq)
		}
	}
	return m
}

func (p *pastView) begin(now time.Duration, id uint32) {
	p.id, p.changed, p.unneeded, p.moved, p.via = id, false, false, now, nil
	p.inbox = session.NewInbox(wire.HistoryStream, wire.History, id, 0, session.NewEarly(0))
	p.told, p.tolds, p.brings = map[place]*signal.Stream{}, nil, map[string]bool{}
}

// begins notes that a stream is received, and reports whether it never was before.
func (p *pastView) begins(name string) (first bool) {
	first = !p.begun[name]
	if len(p.begun) >= maxToldPast {
		clear(p.begun)
	}
	p.begun[name] = true
	return first
}

// described: a stream began to be received. Where the transfer was asked for before that, it does not bring what is wanted of it.
func (p *pastView) described(name string) {
	if _, wanted := p.wanted[name]; wanted && !p.brings[name] {
		p.changed = true
	}
}

// takes reports whether a chunk is of the transfer, or comes again of the one that is over: its acknowledgement was lost, then, and
// until there is one the device sends it again and does not end the transfer.
func (p *pastView) takes(h wire.Header) bool {
	switch {
	case p.id != 0:
		return h.Epoch == p.id
	case p.inbox == nil:
		return false
	}
	had := p.inbox.Position()
	return h.Epoch == had.Epoch && h.Last() <= had.Seq
}

// pastData takes a chunk of the transfer.
func (c *Conn) pastData(now time.Duration, g *leg, h wire.Header, payload []byte) {
	p := &c.past
	if !p.takes(h) {
		c.meter.drop(session.OldEpoch, 1)
		if p.id == 0 && now >= p.moved+pastPatience { // what was under way has come
			p.unneeded, p.changed = true, true
		}
		return
	}
	p.via, p.moved = g, now
	var dropped session.DropReason
	p.out, dropped = p.inbox.Receive(now, h, payload, -1, p.out[:0])
	c.meter.drop(dropped, 1)
	for _, d := range p.out {
		switch {
		case d.Gap.From != 0 || p.id != h.Epoch:
		case d.Header.Key != 0:
			c.meter.drop(session.Sealed, 1)
		default:
			c.pastChunk(now, d.Payload)
		}
	}
	if c.cfg.Events.Chunk != nil && len(p.out) > 0 {
		c.cfg.Events.Chunk()
	}
}

// pastChunk takes a chunk apart: it is made as a packet is.
func (c *Conn) pastChunk(now time.Duration, chunk []byte) {
	if c.past.ofTails {
		c.past.brought = now
	}
	for f, err := range wire.Frames(chunk) {
		if err == nil {
			err = c.pastFrame(now, f)
		}
		if err != nil {
			c.malformed(err)
		}
	}
}

func (c *Conn) pastFrame(now time.Duration, f wire.Frame) error {
	switch f.Type {
	case wire.TypeData:
		h, payload, err := wire.ParseData(f.Body)
		if err != nil {
			return err
		}
		c.pastBatch(now, h, payload)
	case wire.TypeGap:
		g, err := wire.ParseGap(f.Body)
		if err != nil {
			return err
		}
		c.pastGap(now, g)
	case wire.TypeSignal:
		m, err := signal.Parse(f.Body)
		if err != nil {
			return err
		}
		c.pastSignal(m)
	}
	return nil
}

func (c *Conn) pastSignal(m signal.Message) {
	switch m.Type {
	case signal.Describe:
		epoch, _, err := signal.ParsePosition(m.Epoch + ":0")
		for _, s := range m.Streams {
			if err == nil && len(s.Meta) <= maxMeta {
				c.past.describe(place{epoch, uint64(s.ID)}, &s)
			}
		}
	case signal.Bye:
		c.pastGoodbye(m)
	case signal.History:
		if m.Done {
			c.donePast()
		}
	}
}

// pastGoodbye takes where runs ended that the streams have got to: this Conn may not have heard it.
func (c *Conn) pastGoodbye(m signal.Message) {
	for number, final := range m.Final {
		epoch, seq, err := signal.ParsePosition(final)
		s := c.streams[number]
		if err != nil || s == nil {
			continue
		}
		if t := c.past.tails[s.Name]; t != nil && t.at.epoch == epoch {
			t.ended, t.final = true, seq
		}
	}
}

// maxToldPast bounds the streams of earlier runs of a transfer.
const maxToldPast = 16 * wire.MaxStreams

// describe notes what a stream of an earlier run was. Of too many the one that was told first is forgotten: runs come in their order.
func (p *pastView) describe(of place, s *signal.Stream) {
	if p.told[of] == nil {
		p.tolds = append(p.tolds, of)
	}
	p.told[of] = s
	if len(p.tolds) > maxToldPast {
		delete(p.told, p.tolds[0])
		p.tolds = p.tolds[1:]
	}
}

// donePast: that was all. What was found to be missing meanwhile is asked for next.
func (c *Conn) donePast() {
	p := &c.past
	p.id = 0
	switch {
	case p.ofTails && !c.accepted: // no stream begins now: the device is asked for the rest once more
		p.changed = true
	case p.ofTails:
		p.changed = true // the others are next
		c.doneTails()
	case !p.changed:
		p.forget()
	}
}

// forget forgets what the transfer has brought. Streams that are not described yet in this run are wanted still.
func (p *pastView) forget() {
	for name := range p.brings {
		delete(p.wanted, name)
	}
	if len(p.wanted) == 0 {
		clear(p.had)
		p.epochs = nil
	}
}

// pastOf finds the subscription of a stream of any run, with its description of then.
func (c *Conn) pastOf(epoch, number uint32) (*subscription, *signal.Stream) {
	if epoch == c.epoch {
		if s := c.streams[number]; s != nil {
			return s, &s.Stream
		}
		return nil, nil
	}
	then := c.past.told[place{epoch, uint64(number)}]
	if then == nil {
		if c.past.ofTails {
			c.past.unnamed++
		}
		c.meter.drop(session.UnknownStream, 1)
		return nil, nil
	}
	s := c.byName(then.Name)
	if s == nil {
		return nil, nil
	}
	then.ID = s.ID
	return s, then
}

// pastBatch delivers what of a batch was not delivered live.
func (c *Conn) pastBatch(now time.Duration, h wire.Header, payload []byte) {
	s, stream := c.pastOf(h.Epoch, h.Stream)
	if s == nil || h.Key != 0 {
		return
	}
	if c.past.ofTails {
		c.tailBatch(now, s, stream, h, payload)
		return
	}
	c.past.wanted[s.Name] = place{h.Epoch, h.Last()} // from here on, if it breaks off
	c.tellPast(stream, h, payload, c.lacks(s, h))
}

// tellPast delivers what is past of a batch.
func (c *Conn) tellPast(stream *signal.Stream, h wire.Header, payload []byte, lacks []wire.Range) {
	for _, hole := range lacks {
		c.tellBatch(Received{
			Stream: stream, Header: h, Payload: payload, Past: true,
			Skip: int(hole.From - h.Seq), Take: int(hole.To - hole.From + 1), Rung: c.rung(c.past.via), At: c.own.now(),
		})
	}
}

// pastGap declares what of an Event stream nobody has any more. Of Live streams it shows in the numbers.
func (c *Conn) pastGap(now time.Duration, g wire.Gap) {
	s, stream := c.pastOf(g.Epoch, g.Stream)
	if s == nil || s.class != wire.Event {
		return
	}
	if c.past.ofTails && !c.tailGap(now, s, g) {
		return
	}
	if c.cfg.Events.Gap != nil && (s.inbox == nil || g.Epoch != s.epoch || g.To <= s.after) {
		c.cfg.Events.Gap(stream, g)
	}
}

// pastAck is the acknowledgement of the transfer, if it is due.
func (c *Conn) pastAck(now time.Duration, all bool) (wake time.Duration, position wire.Position, due bool) {
	in := c.past.inbox
	if in == nil {
		return session.Never, position, false
	}
	at, isDue := in.AckDue()
	if !all && (!isDue || at > now) {
		return at, position, false
	}
	in.Acked(now)
	return session.Never, in.Position(), true
}

// span is the samples of a delivery.
func span(d session.Delivery) (from, to uint64) {
	from = d.Header.Seq + uint64(d.Skip)
	return from, from + uint64(d.Take) - 1
}
