package peertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

var (
	errDark  = errors.New("nothing came for too long")
	errReset = errors.New("the other end is gone")
)

// Carrier is one end of a Pair.
type Carrier struct {
	medium *Medium // set once, as all before mu
	other  *Carrier
	buffer *carrier.Buffer
	ways   []*way // towards this end
	life   *carrier.Life
	late   context.Context // over when an ending has had its time
	behead context.CancelFunc

	receiving      sync.Mutex // held while receive is called
	sent, received carrier.Counter
}

var reliable = carrier.SetOf(carrier.LaneSignal, carrier.LaneCall, carrier.LaneEvent, carrier.LaneHistory)

func newCarrier(m *Medium) *Carrier {
	sets := []carrier.Lanes{reliable, carrier.AllLanes &^ reliable}
	if m.cfg.Stream {
		sets = []carrier.Lanes{carrier.AllLanes}
	}
	c := &Carrier{medium: m, buffer: carrier.NewBuffer(m.cfg.Limits, sets...)}
	for i := range sets {
		c.ways = append(c.ways, &way{packets: make(chan packet, inFlight), lossy: i > 0})
	}
	c.life = carrier.NewLife(c.buffer, c.serve)
	c.late, c.behead = context.WithCancel(context.Background())
	return c
}

// Send implements carrier.Carrier.
func (c *Carrier) Send(f carrier.Frame) bool { return c.buffer.Send(f) }

// Rung implements carrier.Carrier.
func (c *Carrier) Rung() ladder.Rung { return c.medium.cfg.Rung }

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

func (c *Carrier) serve(receive func([]byte)) {
	var tasks sync.WaitGroup
	for i, w := range c.ways {
		tasks.Go(func() { c.write(i) })
		tasks.Go(func() { c.read(w, receive) })
	}
	<-c.life.Ending().Done()
	guillotine := time.AfterFunc(carrier.FlushTime, c.behead)
	tasks.Wait()
	c.goodbye()
	guillotine.Stop()
	c.behead()
}

// goodbye is what the other end learns of our ending, unless the medium is cut.
func (c *Carrier) goodbye() {
	last := carrier.ErrClosed
	switch cause := c.life.Cause().(type) {
	case *carrier.CloseError:
		if cause.Remote {
			return
		}
		last = &carrier.CloseError{Code: cause.Code, Reason: cause.Reason, Remote: true}
	case carrier.Left:
	default:
		return
	}
	c.carry(0, packet{last: last})
}

var _ carrier.Carrier = (*Carrier)(nil)
