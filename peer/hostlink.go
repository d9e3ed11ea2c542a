package peer

import (
	"crypto/ed25519"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the Host's dealing with its server. Everything runs in the loop.

func (h *Host) linkUp() { h.cfg.Endpoint.log().Debug("link opened") }

func (h *Host) linkDown(err error) {
	if h.link.next != nil && h.link.next.said && isTakenOver(err) { // by ourselves: the word that we are let in there is on its way
		h.linkMoved()
		return
	}
	if h.welcomed {
		h.cfg.Endpoint.log().Info("link lost", "err", err)
	}
	h.linkMoved()
	h.state.Err = err
	h.tellState()
}

// relays reports whether there is a viewer to whom no better path leads than the link.
func (h *Host) relays() bool {
	for _, c := range h.conns {
		if g := c.paths.carrying(); c.relay != nil && (g == nil || !g.direct()) {
			return true
		}
	}
	return false
}

// linkMoved: of the Conns on the link that was, the server knows nothing any more.
func (h *Host) linkMoved() {
	now := h.loop.now()
	h.hadIn, h.welcomed = h.isIn(now), false
	for _, c := range h.conns {
		c.unbind(now)
		if c.opened {
			c.opened, c.unknown = false, h.hadIn
		}
	}
	clear(h.numbers)
}

// isIn is how long servers have had the device in, by now.
func (h *Host) isIn(now time.Duration) time.Duration {
	if h.welcomed {
		return h.hadIn + now - h.inSince
	}
	return h.hadIn
}

// nextFrame takes what comes on the link that is to take the place of the one
// in use: it does so as soon as the server has let us in there.
func (h *Host) nextFrame(f wire.Frame) error {
	if f.Type != wire.TypeSignal || f.Hop.Conn != 0 {
		return nil
	}
	m, err := signal.Parse(f.Body)
	switch m.Type {
	case signal.Challenge:
		h.link.compareTLS(m.TLS)
		h.hello(h.link.next, m.Nonce)
	case signal.Welcome:
		h.link.promote()
		h.serverSignal(m)
	case signal.Refuse:
		h.link.told(h.link.next, m)
	}
	return err
}

func (h *Host) tellState() {
	h.state.Linked, h.state.Viewers = h.welcomed, len(h.conns)
	if h.cfg.OnState != nil {
		h.cfg.OnState(h.state)
	}
}

// linkFrame takes what is not path business of the link itself.
func (h *Host) linkFrame(now time.Duration, f wire.Frame) error {
	if f.Type == wire.TypeSignal {
		m, err := signal.Parse(f.Body)
		if err == nil {
			h.linkSignal(now, f.Hop.Conn, m)
		}
		return err
	}
	c := h.numbers[f.Hop.Conn]
	if c == nil {
		return nil // of a Conn that is over
	}
	return c.frame(now, c.relay, f)
}

func (h *Host) linkSignal(now time.Duration, number uint64, m signal.Message) {
	c := h.numbers[number]
	switch {
	case number == 0:
		h.serverSignal(m)
	case m.Type == signal.Open:
		h.open(now, number, m)
	case c != nil:
		c.relayedSignal(now, m)
	}
}

func (h *Host) serverSignal(m signal.Message) {
	switch m.Type {
	case signal.Challenge:
		h.link.compareTLS(m.TLS)
		h.hello(h.link.leg, m.Nonce)
	case signal.Welcome:
		h.greeted(m)
	case signal.Refuse:
		h.link.told(h.link.leg, m)
	}
}

// notForDevices is what a welcome means that no hello was asked for: it is a viewer's.
var notForDevices = &RefusedError{
	Code: "forbidden", Reason: "the token is that of a viewer, which watches and cannot publish",
	Remedy: "give the device the contents of the server's DIR/tokens/device (--token-file)",
}

func (h *Host) hello(on *leg, nonce []byte) {
	if h.left {
		return
	}
	on.said = true
	h.hellos++
	h.adopt(h.loop.now())
	h.link.signalOn(on, 0, signal.Message{
		Type: signal.Hello, Key: signal.Bytes(h.cfg.Key.Public().(ed25519.PublicKey)), Name: h.cfg.Name,
		Sig:         ed25519.Sign(h.cfg.Key, signal.HelloBytes(nonce, h.cfg.Name)),
		KeepAliveMS: uint64(h.cfg.KeepAlive / time.Millisecond), Agent: h.cfg.Agent, Facts: h.cfg.Facts, Wills: h.wills(),
		Epoch: signal.FormatEpoch(h.epoch), Hellos: h.hellos,
	})
}

// greeted: the server has let the device in, or, if it asked for no hello, takes
// it for a viewer.
func (h *Host) greeted(m signal.Message) {
	if !h.link.leg.said {
		h.link.giveUp(notForDevices)
		return
	}
	if !h.welcomed {
		h.inSince = h.loop.now()
	}
	h.welcomed, h.link.leg.letIn = true, true
	h.link.known.Store(true)
	h.link.welcomed(m)
	h.toldUpTo = m.Revision
	h.tellServer()
	for _, s := range h.known {
		comesByItself := m.Revision > 0 && s.every < storeEvery
		s.unstored = s.newest.Count > 0 && (s.unstored || !comesByItself) // a new server knows nothing
	}
	h.storeAt, h.unstored = 0, true
	h.cfg.Endpoint.log().Info("linked", "device", h.id, "name", h.cfg.Name, "rung", h.link.leg.carrier.Rung().String())
	h.state.Err = nil
	h.tellState()
}

// Bounds of one describe signal: streams, and bytes of JSON, which stay well
// below wire.MaxSignal.
const (
	maxDescribed  = 32
	maxDescribing = 40_000
)

// describe tells the server, or a Conn through it, of streams, in pieces, and at least one of them. With the last one the
// receiver has all there are.
func (h *Host) describe(tell func(signal.Message) bool, streams []*Stream, as func(*Stream) signal.Stream) (told bool) {
	var part []signal.Stream
	bytes := 0
	told = true
	flush := func(revision uint64) {
		m := signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(h.epoch), Streams: part, Revision: revision}
		told = told && tell(m)
		part, bytes = nil, 0
	}
	for _, s := range streams {
		d := as(s)
		size := 6*len(d.Name) + len(d.Meta) + 200 // names can grow by quoting
		if len(part) == maxDescribed || bytes+size > maxDescribing {
			flush(0)
		}
		part, bytes = append(part, d), bytes+size
	}
	flush(h.revision)
	return told
}

func (h *Host) toServer(m signal.Message) bool { return h.link.signal(0, m) }

// tellServer describes to the server what it does not have. What finds no room
// is told with what comes next.
func (h *Host) tellServer() {
	if h.toldUpTo >= h.revision {
		return
	}
	var news []*Stream
	for _, s := range h.known {
		if s.revision > h.toldUpTo {
			news = append(news, s)
		}
	}
	if h.describe(h.toServer, news, (*Stream).describe) {
		h.toldUpTo = h.revision
	}
}

// adopt takes over streams that were declared, or described anew, since the
// last time.
func (h *Host) adopt(now time.Duration) {
	h.mu.Lock()
	had := len(h.known)
	h.known = h.streams[:len(h.streams):len(h.streams)]
	described := h.described
	h.described = nil
	h.mu.Unlock()
	for _, s := range h.known[had:] {
		if s.cfg.Class == wire.Event {
			s.ring = session.NewRing(h.epoch, h.rings)
		}
	}
	for _, news := range [][]*Stream{h.known[had:], described} {
		if len(news) > 0 {
			h.announce(now, news)
		}
	}
}

// announce tells server and Conns of streams that are new or described anew.
func (h *Host) announce(now time.Duration, streams []*Stream) {
	h.revision++
	for _, s := range streams {
		s.revision = h.revision
	}
	if h.welcomed {
		h.tellServer()
	}
	for _, c := range h.conns {
		for _, s := range streams {
			c.announce(now, s)
		}
	}
}

// publish sends what sources have made since the last time. What is fresh is
// looked at before what was declared, so that nothing is sent of a stream that
// nobody was told of.
func (h *Host) publish(now time.Duration) {
	h.mu.Lock()
	h.fresh, h.taken = h.taken[:0], h.fresh
	h.mu.Unlock()
	h.adopt(now)
	for i, s := range h.taken {
		batches := s.take()
		for j, b := range batches {
			last := i == len(h.taken)-1 && j == len(batches)-1
			h.publishBatch(now, s, b, last)
		}
	}
}

// publishBatch sends a batch to whoever wants it. last: no other waits behind it.
func (h *Host) publishBatch(now time.Duration, s *Stream, b batch, last bool) {
	if s.ring != nil {
		s.ring.Push(now, b.Batch)
	}
	f, relayed := s.frame(now, b), false
	f.Eager = last
	for _, c := range h.conns {
		relayed = c.publish(now, s, b.Batch, f) || relayed
	}
	s.every = time.Hour
	if s.newest.Count > 0 {
		s.every = b.At - s.newest.At
	}
	s.newest = b
	sent := relayed && h.link.send(f)
	if relayed && !sent && s.ring != nil {
		for _, c := range h.conns {
			c.linkRefused(now, s, b.Batch)
		}
	}
	s.unstored = !sent
	h.unstored = h.unstored || s.unstored
}
