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
	in     chan packet // towards this end
	life   *carrier.Life

	late   context.Context // over when the ending has had its time
	behead context.CancelFunc

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
	c := &Carrier{buffer: carrier.NewBuffer(limits, carrier.AllLanes), in: make(chan packet, underWay)}
	c.tap = c.buffer.Tap(0)
	c.life = carrier.NewLife(c.buffer, c.serve)
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
	return c.life.Run(ctx, receive)
}

// Close implements carrier.Carrier.
func (c *Carrier) Close(code wire.Code, reason string) { c.life.Close(code, reason) }
