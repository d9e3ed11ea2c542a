package peer

import (
	"crypto/ed25519"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the Host's dealing with its server: hello, descriptions,
// publishing, retained values. Everything runs in the loop.

func (h *Host) linkUp(*leg) { h.cfg.Endpoint.log().Debug("link opened") }

func (h *Host) linkDown(err error) {
	if h.welcomed {
		h.cfg.Endpoint.log().Info("link lost", "err", err)
	}
	h.welcomed = false
	now := h.loop.now()
	for _, c := range h.conns {
		c.unbind(now)
	}
	clear(h.numbers)
	h.tellState(err)
}

func (h *Host) tellState(err error) {
	if h.cfg.OnState != nil {
		h.cfg.OnState(HostState{Linked: h.welcomed, Err: err, Viewers: len(h.conns)})
	}
}

// linkFrame takes what is not path business of the link itself.
func (h *Host) linkFrame(now time.Duration, f wire.Frame) {
	if f.Type == wire.TypeSignal {
		if m, ok := h.signalOf(f); ok {
			h.linkSignal(now, f.Hop.Conn, m)
		}
		return
	}
	if c := h.numbers[f.Hop.Conn]; c != nil && c.relay != nil {
		c.frame(now, c.relay, f)
	}
}

func (h *Host) linkSignal(now time.Duration, number uint64, m signal.Message) {
	switch m.Type {
	case signal.Challenge:
		h.hello(m.Nonce)
	case signal.Welcome:
		h.greeted()
	case signal.Refuse:
		h.cfg.Endpoint.log().Warn("server refuses", "code", m.Code, "reason", m.Reason, "remedy", m.Remedy)
	case signal.Open:
		h.open(now, number, m)
	default:
		if c := h.numbers[number]; c != nil {
			c.signal(now, m)
		}
	}
}

func (h *Host) hello(nonce []byte) {
	h.mu.Lock()
	wills := make([]signal.Will, 0, len(h.wills))
	for _, w := range h.wills {
		// Without its length: type, hop part, body.
		wills = append(wills, signal.Will{Frame: append([]byte{byte(w.Type), 0}, w.Body...)})
	}
	h.mu.Unlock()
	h.link.signal(0, signal.Message{
		Type: signal.Hello, Key: signal.Bytes(h.cfg.Key.Public().(ed25519.PublicKey)), Name: h.cfg.Name,
		Sig:         ed25519.Sign(h.cfg.Key, signal.HelloBytes(nonce, h.cfg.Name)),
		KeepAliveMS: uint64(h.cfg.KeepAlive / time.Millisecond), Agent: h.cfg.Agent, Facts: h.cfg.Facts, Wills: wills,
	})
}

// greeted: the server has let the device in.
func (h *Host) greeted() {
	h.welcomed = true
	h.link.attempts.reset()
	h.describeAll(0, h.link.signal, nil)
	for _, s := range h.all() {
		s.unstored = s.newest.Count > 0 // a new server knows nothing
	}
	h.storeAt = 0
	h.cfg.Endpoint.log().Info("linked", "device", h.id, "name", h.cfg.Name)
	h.tellState(nil)
}

// all is a snapshot of the streams.
func (h *Host) all() []*Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams[:len(h.streams):len(h.streams)]
}

// maxDescribed streams go into one describe signal: its size stays below wire.MaxSignal.
const maxDescribed = 32

// describeAll sends descriptions in pieces. start is asked for each Event stream; nil: no starts.
func (h *Host) describeAll(conn uint64, send func(uint64, signal.Message) bool, start func(*Stream) (after uint64, wanted bool)) {
	var part []signal.Stream
	flush := func() {
		send(conn, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(h.epoch), Streams: part})
		part = nil
	}
	for _, s := range h.all() {
		d := s.describe()
		if start != nil {
			after, wanted := start(s)
			if !wanted {
				continue
			}
			d = s.describeFrom(after)
		}
		if part = append(part, d); len(part) == maxDescribed {
			flush()
		}
	}
	flush()
}

// announce tells server and Conns of a stream declared while running.
func (h *Host) announce(s *Stream) {
	if h.welcomed {
		h.link.signal(0, signal.Message{Type: signal.Describe, Epoch: signal.FormatEpoch(h.epoch), Streams: []signal.Stream{s.describe()}})
	}
	for _, c := range h.conns {
		c.announce(h.loop.now(), s)
	}
}

// publish sends what sources have made since the last time.
func (h *Host) publish(now time.Duration) {
	h.mu.Lock()
	h.fresh, h.taken = h.taken[:0], h.fresh
	h.mu.Unlock()
	for _, s := range h.taken {
		for _, b := range s.take() {
			h.publishBatch(now, s, b)
		}
	}
}

func (h *Host) publishBatch(now time.Duration, s *Stream, b session.Batch) {
	if s.ring != nil {
		s.ring.Push(now, b)
	}
	s.newest, s.unstored = b, true
	relayed := false
	for _, c := range h.conns {
		relayed = c.publish(now, s, b) || relayed
	}
	if relayed && h.welcomed {
		s.unstored = !h.link.send(s.frame(wire.Hop{}, b, now))
	}
}

// frame is a batch as a frame for one carrier.
func (s *Stream) frame(hop wire.Hop, b session.Batch, now time.Duration) carrier.Frame {
	f := carrier.Frame{Class: s.cfg.Class, Stream: s.id, Bytes: wire.AppendFrame(nil, wire.TypeData, hop, b.Body)}
	if s.cfg.Class == wire.Live {
		f.Deadline = time.Now().Add(s.cfg.Deadline - (now - b.At))
	}
	return f
}

// storeEvery is how often the server is sent the newest values that nobody there asked for.
const storeEvery = time.Second

func (h *Host) store(now time.Duration) {
	h.storeAt = now + storeEvery
	for _, s := range h.all() {
		if !s.unstored {
			continue
		}
		f := s.frame(wire.Hop{Store: true, Priority: wire.Low}, s.newest, now)
		f.Deadline = time.Time{}
		s.unstored = !h.link.send(f)
	}
}

// bye tells the server and every Conn where each stream ends.
func (h *Host) bye() {
	final := map[uint32]string{}
	for _, s := range h.all() {
		final[s.id] = signal.FormatPosition(s.epoch, s.head())
	}
	m := signal.Message{Type: signal.Bye, Final: final}
	if h.welcomed {
		h.store(h.loop.now())
		h.link.signal(0, m)
	}
	for _, c := range h.conns {
		c.tell(m)
	}
}

func (h *Host) unacknowledged() bool {
	for _, c := range h.conns {
		if c.unacknowledged() {
			return true
		}
	}
	return false
}
