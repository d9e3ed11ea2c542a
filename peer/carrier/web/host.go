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
	taken uint64        // guarded by turn: number of the newest packet that was taken
	ups   atomic.Int32  // requests that bring a packet, at present

	hurried atomic.Bool // carrier.FlushTime is over: only the goodbye is still sent
}

// maxUps is how many requests of a link may bring a packet at a time: there
// is one, and its repetitions.
const maxUps = 4

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

// takeUp takes the packet of an up request, once.
func (h *host) takeUp(ctx context.Context, n uint64, packet []byte) *carrier.Refused {
	if !h.myTurn(ctx) {
		return unknownLink()
	}
	defer func() { <-h.turn }()
	switch {
	case n <= h.taken: // its answer was lost
		return nil
	case n > h.taken+1:
		return malformed("packets come one by one, and one is missing before this")
	}
	h.taken = n
	h.c.deliver(packet, h.receive)
	return nil
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
