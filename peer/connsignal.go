package peer

import (
	"encoding/json"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the viewer's signaling: opening a device, and what it hears of
// it. Everything but firstOpen runs in the loop.

// openMax is the longest time between opens that are not answered: they begin
// with 1 s, doubling.
const openMax = 15 * time.Second

// offerPatience is how long the first request waits for the offer that rides
// in it. Making one takes a few milliseconds.
const offerPatience = 50 * time.Millisecond

// firstOpen is the open that rides in the request for the link; nil if it has
// no room.
func (c *Conn) firstOpen() []byte {
	patience := time.NewTimer(offerPatience)
	defer patience.Stop()
	select {
	case <-c.offerMade:
	case <-patience.C:
	case <-c.loop.stopped:
		return nil
	}
	made := make(chan []byte, 1)
	c.loop.post(func() { made <- c.openForRequest() })
	select {
	case b := <-made:
		return b
	case <-c.loop.stopped:
		return nil
	}
}

// maxRequestOpen is the size of an open, in bytes, that fits the request in base64url.
const maxRequestOpen = wire.MaxOpenHeader * 3 / 4

// openForRequest is an open that is small enough: without the offer if need
// be. If it still is too large, the open is sent when the link is up.
func (c *Conn) openForRequest() []byte {
	m := c.openMessage()
	b, err := m.Append(nil)
	if err == nil && len(b) > maxRequestOpen {
		c.attempts.forget() // the offer follows when the device has accepted
		m.Offer = nil
		b, err = m.Append(nil)
	}
	c.asked = err == nil && len(b) <= maxRequestOpen
	if !c.asked {
		return nil
	}
	return b
}

func (c *Conn) openMessage() signal.Message {
	m := signal.Message{Type: signal.Open, Device: c.target(), ID: c.id, Want: c.cfg.Want, Offer: c.untold()}
	if c.cfg.From != "head" { // what holds without it
		m.From = c.cfg.From
	}
	if c.epoch != 0 {
		m.Epoch, m.Revision = signal.FormatEpoch(c.epoch), c.revision
	}
	for _, s := range c.events {
		if m.Positions == nil {
			m.Positions = map[uint32]string{}
		}
		p := s.inbox.Position()
		m.Positions[s.ID] = signal.FormatPosition(p.Epoch, p.Seq)
	}
	return m
}

func (c *Conn) linkUp() {
	c.opens, c.openAt, c.asked = 0, c.loop.now(), c.asked && c.link.rode
	if c.asked {
		c.delayOpen(c.loop.now())
	}
	if c.cfg.Events.Link != nil {
		c.cfg.Events.Link(true, nil)
	}
}

// linkMoved: the link is another one now. The device is asked there; until it
// has accepted, what it says on the older one counts.
func (c *Conn) linkMoved() {
	c.opens, c.openAt = 0, c.loop.now()
	c.accepted, c.asked = false, false
	c.attempts.forget()
	if c.link.older == nil && c.cfg.Events.Link != nil { // it ended meanwhile
		c.cfg.Events.Link(true, nil)
	}
}

// askAgain: an open that waited on the older link may have come after the one
// on the link that there is, and have bound the device to a link that is over.
func (c *Conn) askAgain() {
	c.opens, c.openAt = 0, c.loop.now()
	c.accepted, c.asked = false, false
}

func (c *Conn) linkDown(err error) {
	if c.paths.anyInDoubt() && !isRefusal(err) {
		c.link.hurry.Store(true) // two ways at once: it is our own network, and no server that starts again
	}
	c.unbind()
	if c.cfg.Events.Link != nil {
		c.cfg.Events.Link(false, err)
	}
}

// unbind: the device is not, or not known to be, at the other end of the link.
func (c *Conn) unbind() {
	c.accepted = false
	c.attempts.forget()
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

// reopen sends the open while the device has not accepted.
func (c *Conn) reopen(now time.Duration) (wake time.Duration) {
	away := c.asked && c.device.State == signal.StateOffline // we are told when it comes
	if c.accepted || c.link.leg == nil || away {
		return now + time.Hour
	}
	if now >= c.openAt {
		c.delayOpen(now)
		c.asked = true
		c.link.signal(viewNumber, c.openMessage())
	}
	return c.openAt
}

func (c *Conn) throughServer(m signal.Message) bool {
	return c.accepted && c.link.signal(viewNumber, m)
}

// signal takes what the device says, or the server of it. A direct path comes
// from the device alone, which cannot speak for the server there.
func (c *Conn) signal(now time.Duration, g *leg, m signal.Message) {
	switch m.Type {
	case signal.Describe:
		c.describe(m)
	case signal.Bye:
		c.ended(now, m)
	case signal.RetryRTC:
		c.climbs[kindOf(m)].asked = true
	default:
		if g == nil || !g.direct() {
			c.relayedSignal(now, m)
		}
	}
}

func (c *Conn) relayedSignal(now time.Duration, m signal.Message) {
	switch m.Type {
	case signal.Opened:
		c.opened(m)
	case signal.State:
		c.state(m)
	case signal.Refused:
		c.refused(m)
	case signal.Accept:
		c.accept(now, m)
	case signal.Answer:
		c.answered(m)
	case signal.Candidate:
		c.attempts.fromRemote(m)
	}
}

func (c *Conn) opened(m signal.Message) {
	d, ok := c.deviceOf(m)
	if !ok {
		return
	}
	c.device = d
	c.servers, c.toldAt = m.Servers, c.loop.now()
	if c.cfg.Events.Opened != nil {
		c.cfg.Events.Opened(d)
	}
}

func (c *Conn) deviceOf(m signal.Message) (d signal.Device, ok bool) {
	if err := json.Unmarshal(m.Device, &d); err != nil {
		c.malformed(err)
		return d, false
	}
	return d, true
}

// state: the device came, went, or began anew.
func (c *Conn) state(m signal.Message) {
	d, ok := c.deviceOf(m)
	if !ok {
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
	case d.Session != before.Session || before.State == signal.StateOffline:
		c.unbind()
		c.opens, c.openAt, c.asked = 0, 0, false
	}
}

// refused: by the server or the device. What only another configuration can
// change ends the Conn; a device that was there before may come back. It is
// asked again as the refusal's code says.
func (c *Conn) refused(m signal.Message) {
	c.asked = false // of its coming we are not told then
	c.opens = max(c.opens, 1)
	tries := backoff{failures: c.opens - 1}
	c.openAt = c.loop.now() + tries.wait(wire.CodeByName(m.Code).Retry)
	err := &RefusedError{Code: m.Code, Reason: m.Reason, Remedy: m.Remedy, Candidates: m.Candidates}
	final := wire.CodeByName(m.Code).Retry == wire.RetryNever
	if final || m.Code == "unknown-device" && c.device.ID == "" {
		c.end(err)
	}
	if c.cfg.Events.Link != nil {
		c.cfg.Events.Link(c.link.leg != nil, err)
	}
}

// accept: the device is there, at the other end of the link.
func (c *Conn) accept(now time.Duration, m signal.Message) {
	epoch, _, err := signal.ParsePosition(m.Epoch + ":0")
	if err != nil || m.ID != c.id || !c.asked { // not asked on this link, and in this session of the device: it accepts what is over
		return
	}
	if !c.accepted {
		c.lacking, c.joinedAt = now, now
	}
	first := !c.accepted
	c.accepted, c.opens = true, 0
	c.turnable = m.Turned
	c.refuse(m.Relayed)
	if c.relay != nil && c.relay.carrier != c.link.leg.carrier { // the link has moved
		c.paths.down(now, c.relay)
		c.relay = nil
	}
	if c.relay == nil {
		c.relay = &leg{id: c.nextLeg(), carrier: c.link.leg.carrier, number: viewNumber}
		if c.cfg.Endpoint.may(c.relay.carrier.Rung()) {
			c.paths.up(now, c.relay)
		}
	}
	c.paths.prove(now, c.relay)
	c.past.accepted(m.History)
	if first {
		c.past.brought = now
	}
	if epoch != c.epoch {
		c.restarted(now, epoch)
	}
	c.tellAttempts()
	if first && c.cfg.Events.Joined != nil {
		c.cfg.Events.Joined()
	}
}
