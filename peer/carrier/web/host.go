package web

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// host is the server's side of a link, as far as it is the same on both
// rungs. Nothing of it runs by itself: packets are moved by the goroutines of
// the client's requests.
type host struct {
	// set once
	c      *Carrier
	poller *poller // nil on rung sse
	abort  func()  // ends what says goodbye

	receive func(packet []byte) // set before running is closed
	running chan struct{}       // closed when somebody receives
	gone    chan struct{}       // closed when all was said
	leave   func()              // closes gone

	turn  chan struct{} // 1: held to take a packet, and for good when the link is over
	taken taken         // guarded by turn
	moved chan struct{} // guarded by turn: closed when the first number that is missing is another one; nil: nobody waits
	ups   atomic.Int32  // requests that bring a packet, at present
	all   atomic.Uint64 // taken.all, for who does not hold turn
	early atomic.Int64  // of what the carrier holds: of packets that wait for others, in bytes

	hurried atomic.Bool // carrier.FlushTime is over: only the goodbye is still sent
}

// maxUps is how many requests of a link may bring a packet at a time, those that wait for one before them among them: a client
// needs six, and has left others behind that were cut.
const maxUps = 16

func newHost(rung ladder.Rung, cfg Config) *host {
	h := &host{
		c: newCarrier(rung, cfg), running: make(chan struct{}), gone: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	h.leave = sync.OnceFunc(func() { close(h.gone) })
	h.c.side = h
	return h
}

// begin makes the ending have its end. abort must be set.
func (h *host) begin() { context.AfterFunc(h.c.life.Ending(), h.guillotine) }

// guillotine ends an ending when it has had its time, and one at once where
// nothing is left to say.
func (h *host) guillotine() {
	if carrier.EndPacket(h.c.life.Cause()) == nil {
		h.abort()
		return
	}
	time.AfterFunc(carrier.FlushTime, func() { h.hurried.Store(true) })
	time.AfterFunc(carrier.FlushTime+closeTime, h.abort)
}

// serve implements side.
func (h *host) serve(receive func(packet []byte)) {
	h.receive = receive
	close(h.running)
	<-h.gone
	h.turn <- struct{}{} // nothing is received any more
}

// up is a packet that a request brought.
type up struct {
	n      uint64
	ahead  bool // it may be taken before those before it
	packet []byte
}

// takeUp takes the packet of an up request, once, and waits for those before it where it has to.
func (h *host) takeUp(ctx context.Context, u up) *carrier.Refused {
	var late <-chan time.Time
	for h.myTurn(ctx) {
		moved, no := h.tryUp(u)
		if moved == nil {
			return no
		}
		if late == nil {
			late = time.After(h.c.cfg.Timeout)
		}
		select {
		case <-moved:
		case <-late:
			return malformed("a packet before this one is missing, and does not come")
		case <-h.gone:
		case <-ctx.Done():
		}
	}
	return unknownLink()
}

// tryUp takes the packet if it is its turn. Otherwise moved is closed when it may be. The caller holds turn, which it gives back.
func (h *host) tryUp(u up) (moved <-chan struct{}, no *carrier.Refused) {
	defer func() { <-h.turn }()
	switch h.taken.fate(u) {
	case upRepeated: // its answer was lost
		return nil, nil
	case upTooFar:
		return nil, malformed("this packet is too far ahead of one that is missing")
	case upEarly:
		if h.moved == nil {
			h.moved = make(chan struct{})
		}
		return h.moved, nil
	}
	if h.taken.add(u.n) {
		h.moveOn()
	}
	h.c.deliver(u.packet, h.receive)
	return nil, nil
}

// moveOn lets those look again that wait for a packet. The caller holds turn.
func (h *host) moveOn() {
	h.all.Store(h.taken.all)
	if h.moved != nil {
		close(h.moved)
		h.moved = nil
	}
}

// myTurn waits until a packet may be taken. False: it never will be.
func (h *host) myTurn(ctx context.Context) bool {
	select {
	case <-h.running:
	case <-h.gone:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case h.turn <- struct{}{}:
		return true
	case <-h.gone:
	case <-ctx.Done():
	}
	return false
}
