// Package web is the carrier over plain HTTP requests, for networks that let
// no WebSocket through (docs/protocol.md, section 6.7): rung `sse`, where the
// server's packets come in one endless answer, and rung `poll`, where each is
// the answer to a request of its own. The client's packets are requests on
// both. Both ends use the package, the client through Dial, the server
// through Server.
//
//	client                                     server
//	Send ─► Buffer ─┬► POST up, n ─────────►  receive
//	                ├► POST up, n + 1 ─────►  (each is taken once)
//	                ◄─────────── 204
//	receive ◄──────── GET sse ◄════════════    Buffer ◄─ Send
//	    or  ◄──────── POST poll, n ◄───────    (kept until n + 1 is asked for)
//
// Requests get lost, and it is not known whether they did before they were
// read or after. So each has a number: asking again is harmless, and packets
// come once. Several are under way at a time, so that a fresh sample does not
// wait for the answer to the one before; the server keeps their order where
// there is one to be kept. An answer that is overdue is asked for again on
// another connection, which waits for nothing that was lost.
package web

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// coalesce is how many bytes of waiting frames go into one packet, as in
	// package ws: a fresh sample behind it waits for 16 KiB at most.
	coalesce = 16 << 10

	// closeTime is what saying goodbye may take beyond carrier.FlushTime.
	closeTime = 400 * time.Millisecond

	// defaultTimeout is how long a request or a write may take.
	defaultTimeout = 10 * time.Second
)

// Config tunes a carrier. The zero value works.
type Config struct {
	// Limits bound the queue; zero bounds are the defaults.
	Limits carrier.Limits

	// Timeout is how long one request, or one write of an event stream, may
	// make no end before the link counts as dead. Default 10 s.
	Timeout time.Duration
}

// Carrier is a link over HTTP as a carrier.Carrier.
type Carrier struct {
	// set once
	rung   ladder.Rung
	cfg    Config
	side   side
	buffer *carrier.Buffer
	tap    *carrier.Tap
	flow   *carrier.Flow
	life   *carrier.Life

	sent, received carrier.Counter

	held atomic.Int64 // bytes that came and wait for their turn, at the server
}

// side is what client and server do differently.
type side interface {
	// serve moves packets until the link is over and goodbye is said.
	serve(receive func(packet []byte))
}

// newCarrier makes a carrier without its side.
func newCarrier(rung ladder.Rung, cfg Config) *Carrier {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	c := &Carrier{rung: rung, cfg: cfg}
	c.buffer = carrier.NewBuffer(cfg.Limits, carrier.AllLanes)
	c.tap, c.flow = c.buffer.Tap(0), carrier.NewRequestFlow(1)
	c.life = carrier.NewLife(c.buffer, func(receive func(packet []byte)) { c.side.serve(receive) })
	return c
}

// Bound sets the bounds of the queue, before the first Send; zero bounds are the defaults.
func (c *Carrier) Bound(limits carrier.Limits) { c.buffer.Bound(limits) }

// Send implements carrier.Carrier.
func (c *Carrier) Send(f carrier.Frame) bool { return c.buffer.Send(f) }

// Rung implements carrier.Carrier.
func (c *Carrier) Rung() ladder.Rung { return c.rung }

// LocalAddr is this machine's address that the client's requests come from; invalid: not known.
func (c *Carrier) LocalAddr() (addr netip.Addr) {
	if e, ok := c.side.(*client); ok {
		if own, ok := e.transport.(*transport); ok {
			addr = own.localAddr()
		}
	}
	return addr
}

// Stats implements carrier.Carrier. What came and waits for its turn is in memory like what waits to be sent.
func (c *Carrier) Stats() carrier.Stats {
	queued, drops := c.buffer.Snapshot()
	queued.Bytes += int(c.held.Load())
	return carrier.Stats{Queued: queued, Drops: drops, Sent: c.sent.Traffic(), Received: c.received.Traffic()}
}

// Run implements carrier.Carrier.
func (c *Carrier) Run(ctx context.Context, receive func(packet []byte)) error {
	return c.life.Run(ctx, receive)
}

// Close implements carrier.Carrier.
func (c *Carrier) Close(code wire.Code, reason string) { c.life.Close(code, reason) }

// take fills b with what the next packet carries, at most limit bytes where
// frames allow it, and no more than may be under way. Every writer of the
// package, of either end and rung, gets its packets here or in takeAll.
func (c *Carrier) take(limit int, b *carrier.Batch) bool {
	return c.flow.Take(c.tap, min(limit, coalesce), b)
}

// takeAll is take for who is about to leave, and waits for nothing any more.
func (c *Carrier) takeAll(limit int, b *carrier.Batch) bool {
	return c.tap.Take(min(limit, coalesce), b)
}

// deliver hands a packet that came to receive. The other end's goodbye stays
// here and ends the link.
func (c *Carrier) deliver(packet []byte, receive func(packet []byte)) {
	if len(packet) == 0 || c.life.Ends() {
		return
	}
	frames, bye := carrier.SplitEnd(packet)
	if len(frames) > 0 {
		c.received.Add(len(frames))
		if c.flow.Heard(time.Now(), frames) {
			c.tap.Wake()
		}
		receive(frames)
	}
	if bye != nil {
		c.life.Stop(bye)
	}
}

var _ carrier.Carrier = (*Carrier)(nil)
