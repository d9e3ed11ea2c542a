// Package local is a carrier between two ends in one process: how what lives
// in the server itself is linked to it (docs/adr/0014). It is a link like any
// other, but for the network: bounded queues, classes, codes of closing.
//
//	Send ─► Buffer ─► writer ─► (4 packets) ─► reader of the other end ─► receive
//
// A receiver that is slow holds up its sender's writer and nobody else: what
// waits, waits in the Buffer.
package local

import (
	"context"
	"errors"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// coalesce is how many bytes of waiting frames go into one packet.
	coalesce = 16 << 10

	// underWay is how many packets are between the two ends.
	underWay = 4
)

var errGone = errors.New("the other end is gone")

// Carrier is one end of a Pair.
type Carrier struct {
	// Set once.
	other  *Carrier
	buffer *carrier.Buffer
	tap    *carrier.Tap
	in     chan packet   // towards this end
	over   chan struct{} // closed when all has ended

	// ending is over once the carrier has a reason to end, its cause; late
	// when the ending has had its time.
	ending context.Context
	end    context.CancelCauseFunc
	late   context.Context
	behead context.CancelFunc

	mu    sync.Mutex
	owned bool // guarded by mu: serve is called or has been, by Run or a Close before it

	sent, received carrier.Counter
}

// packet is under way.
type packet struct {
	bytes []byte
	last  error // not nil: the other end's goodbye
}

// Pair returns two ends. limits bound the queues of both; zero bounds are the defaults.
func Pair(limits carrier.Limits) (a, b *Carrier) {
	a, b = newCarrier(limits), newCarrier(limits)
	a.other, b.other = b, a
	return a, b
}

func newCarrier(limits carrier.Limits) *Carrier {
	c := &Carrier{buffer: carrier.NewBuffer(limits, carrier.AllLanes), in: make(chan packet, underWay), over: make(chan struct{})}
	c.tap = c.buffer.Tap(0)
	c.ending, c.end = context.WithCancelCause(context.Background())
	c.late, c.behead = context.WithCancel(context.Background())
	return c
}

// Send implements carrier.Carrier.
func (c *Carrier) Send(f carrier.Frame) bool { return c.buffer.Send(f) }

// Rung implements carrier.Carrier: that of a link with nothing in its way.
func (c *Carrier) Rung() ladder.Rung { return ladder.WS }

// Stats implements carrier.Carrier.
func (c *Carrier) Stats() carrier.Stats {
	queued, drops := c.buffer.Snapshot()
	return carrier.Stats{Queued: queued, Drops: drops, Sent: c.sent.Traffic(), Received: c.received.Traffic()}
}

// Run implements carrier.Carrier.
func (c *Carrier) Run(ctx context.Context, receive func(packet []byte)) error {
	cancelled := context.AfterFunc(ctx, func() { c.stop(stopped{context.Cause(ctx)}) })
	defer cancelled()
	if c.own() {
		c.serve(receive)
	}
	<-c.over
	cause := context.Cause(c.ending)
	if s, ok := cause.(stopped); ok {
		return s.cause
	}
	return cause
}

// Close implements carrier.Carrier.
func (c *Carrier) Close(code wire.Code, reason string) {
	c.stop(&carrier.CloseError{Code: code, Reason: reason})
	if c.own() { // nobody has run it
		go c.serve(func([]byte) {})
	}
}

// stopped is the cause when Run's context ended: we leave on purpose, without
// a code.
type stopped struct{ cause error }

func (s stopped) Error() string { return s.cause.Error() }

// stop gives the carrier a reason to end; the first one counts.
func (c *Carrier) stop(why error) {
	c.buffer.Seal()
	c.end(why)
}

// own reports whether the caller is the first to want to serve.
func (c *Carrier) own() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := !c.owned
	c.owned = true
	return mine
}
