package peer

import (
	"encoding/json"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the viewer's signaling: opening a device, learning its streams,
// resuming. Everything but firstOpen runs in the loop.

// Times between opens that are not answered by accept: 1 s doubling to openMax.
const openMax = 15 * time.Second

// offerPatience is how long the first request waits for the offer that rides
// in it. Making one takes a few milliseconds.
const offerPatience = 50 * time.Millisecond

// firstOpen is the open that rides in the request for the link.
func (c *Conn) firstOpen() []byte {
	select {
	case <-c.offerMade:
	case <-time.After(offerPatience):
	case <-c.loop.stopped:
	}
	made := make(chan []byte, 1)
	c.loop.post(func() {
		b, _ := c.openMessage().Append(nil)
		made <- b
	})
	select {
	case b := <-made:
		return b
	case <-c.loop.stopped:
		return nil
	}
}

func (c *Conn) openMessage() signal.Message {
	device, _ := json.Marshal(c.target())
	m := signal.Message{Type: signal.Open, Device: device, ID: c.id, Want: c.cfg.Want, From: c.cfg.From, Offer: c.untold()}
	for id, s := range c.streams {
		if s.inbox == nil || s.class != wire.Event {
			continue
		}
		if m.Positions == nil {
			m.Positions = map[uint32]string{}
		}
		p := s.inbox.Position()
		m.Positions[id] = signal.FormatPosition(p.Epoch, p.Seq)
	}
	return m
}

// target is the device's id once it is known: a name may change its bearer.
func (c *Conn) target() string {
	if c.device.ID != "" {
		return c.device.ID
	}
	return c.cfg.Device
}

func (c *Conn) linkUp(*leg) {
	c.opens = 0
	c.delayOpen(c.loop.now())
	if c.cfg.Events.Link != nil {
		c.cfg.Events.Link(true, nil)
	}
}

func (c *Conn) linkDown(err error) {
	c.unbind()
	if c.cfg.Events.Link != nil {
		c.cfg.Events.Link(false, err)
	}
}

func (c *Conn) unbind() {
	c.accepted = false
	if c.relay != nil {
		c.paths.down(c.loop.now(), c.relay)
		c.relay = nil
	}
}

// delayOpen sets when the open is repeated if no accept comes.
func (c *Conn) delayOpen(now time.Duration) {
	c.openAt = now + min(time.Second<<min(c.opens, 5), openMax)
	c.opens++
}

// open asks for the device again, on the link there is.
func (c *Conn) open(now time.Duration) {
	c.delayOpen(now)
	c.link.signal(viewNumber, c.openMessage())
}

// reopen repeats the open while the device has not accepted.
func (c *Conn) reopen(now time.Duration) (wake time.Duration) {
	if c.accepted || c.link.leg == nil || c.device.State == signal.StateOffline {
		return now + time.Hour
	}
	if now >= c.openAt {
		c.open(now)
	}
	return c.openAt
}

func (c *Conn) throughServer(m signal.Message) bool {
	return c.accepted && c.link.signal(viewNumber, m)
}

func (c *Conn) signal(now time.Duration, m signal.Message) {
	switch m.Type {
	case signal.Welcome:
		c.link.attempts.reset()
	case signal.Opened:
		c.opened(m)
	case signal.State:
		c.state(now, m)
	case signal.Refuse, signal.Refused:
		c.refused(m)
	case signal.Accept:
		c.accept(now, m)
	case signal.Describe:
		c.describe(m)
	case signal.Answer:
		c.answered(m)
	case signal.Candidate:
		c.attempts.fromRemote(m)
	case signal.RetryRTC:
		c.climb.next = now
	case signal.Bye:
		c.ended(m)
	}
}

func (c *Conn) opened(m signal.Message) {
	var d signal.Device
	if json.Unmarshal(m.Device, &d) != nil {
		return
	}
	c.device = d
	if c.cfg.Events.Opened != nil {
		c.cfg.Events.Opened(d)
	}
}

// state: the device came, went, or began anew.
func (c *Conn) state(now time.Duration, m signal.Message) {
	var d signal.Device
	if json.Unmarshal(m.Device, &d) != nil {
		return
	}
	before := c.device
	c.device = d
	if c.cfg.Events.State != nil {
		c.cfg.Events.State(d)
	}
	switch {
	case d.State == signal.StateOffline:
		c.unbind()
	case d.Session != before.Session || !c.accepted:
		c.unbind()
		c.opens = 0
		c.open(now)
	}
}

func (c *Conn) refused(m signal.Message) {
	err := &RefusedError{Code: m.Code, Reason: m.Reason, Remedy: m.Remedy, Candidates: m.Candidates}
	switch m.Code {
	case "unknown-device", "ambiguous", "forbidden", "unauthorized", "version":
		c.end(err)
	}
	if c.cfg.Events.Link != nil {
		c.cfg.Events.Link(c.link.leg != nil, err)
	}
}

// accept: the device is there, at the other end of the link.
func (c *Conn) accept(now time.Duration, m signal.Message) {
	epoch, _, err := signal.ParsePosition(m.Epoch + ":0")
	if err != nil || m.ID != c.id || c.link.leg == nil {
		return
	}
	c.accepted, c.opens = true, 0
	if c.relay == nil {
		c.relay = &leg{id: c.nextLeg(), carrier: c.link.leg.carrier, number: viewNumber, conn: nil}
		c.paths.up(now, c.relay)
	}
	c.paths.ladder.Proved(now, c.relay.id, 0)
	if epoch != c.epoch {
		c.restarted(epoch)
	}
	c.epoch = epoch
	c.tellAttempts()
}

// restarted: the device's program began anew. How much of its last run is
// missing nobody knows, unless it said goodbye.
func (c *Conn) restarted(epoch uint32) {
	for id, s := range c.streams {
		if s.inbox == nil {
			continue
		}
		if s.class == wire.Event && s.epoch != epoch && !s.ended {
			from := s.inbox.Position().Seq + 1
			c.tellGap(s, wire.Gap{Stream: id, Epoch: s.epoch, From: from, Reason: wire.GapRestart})
		}
		s.inbox, s.ended = nil, false
	}
}

// ended: the device ends on purpose and says where each stream does.
func (c *Conn) ended(m signal.Message) {
	for id, final := range m.Final {
		s := c.streams[id]
		if s == nil || s.inbox == nil || s.class != wire.Event {
			continue
		}
		epoch, seq, err := signal.ParsePosition(final)
		if err != nil || epoch != s.epoch {
			continue
		}
		s.ended = true
		if from := s.inbox.Position().Seq + 1; from <= seq {
			c.tellGap(s, wire.Gap{Stream: id, Epoch: epoch, From: from, To: seq, Reason: wire.GapRestart})
		}
	}
}

// describe adds or replaces descriptions, and begins reception where the
// device tells a start.
func (c *Conn) describe(m signal.Message) {
	told := make([]signal.Stream, 0, len(m.Streams))
	for _, d := range m.Streams {
		class, known := wire.ParseClass(d.Class)
		if !known || d.ID == 0 || wire.CheckName(d.Name, wire.MaxStreamName) != nil || len(c.streams) >= wire.MaxStreams && c.streams[d.ID] == nil {
			continue
		}
		if !signal.Wanted(c.cfg.Want, d.Name) {
			continue
		}
		s := c.streams[d.ID]
		if s == nil {
			s = &subscription{}
			c.streams[d.ID] = s
		}
		s.Stream, s.class = d, class
		c.start(s, m.Epoch)
		told = append(told, d)
	}
	if c.cfg.Events.Streams != nil && len(told) > 0 {
		c.cfg.Events.Streams(m.Epoch, told)
	}
}

// start begins reception of a stream, unless it goes on from before.
func (c *Conn) start(s *subscription, epochText string) {
	epoch, after, err := signal.ParsePosition(s.Start)
	if s.class != wire.Event {
		epoch, after, err = signal.ParsePosition(epochText + ":0")
	}
	if err != nil || !c.accepted || s.inbox != nil && s.epoch == epoch {
		return // told by the server, which knows no starts; or known
	}
	if from, seq, err := signal.ParsePosition(c.cfg.From); err == nil && s.class == wire.Event && !s.asked && from != epoch {
		c.tellGap(s, wire.Gap{Stream: s.ID, Epoch: from, From: seq + 1, Reason: wire.GapUnknownPosition})
	}
	s.asked = true
	s.inbox, s.epoch = session.NewInbox(s.ID, s.class, epoch, after), epoch
}

func (c *Conn) tellGap(s *subscription, g wire.Gap) {
	if c.cfg.Events.Gap != nil {
		c.cfg.Events.Gap(&s.Stream, g)
	}
}
