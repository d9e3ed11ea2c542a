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
	ending context.Context
	end    context.CancelCauseFunc
	late   context.Context // over when an ending has had its time
	behead context.CancelFunc
	over   chan struct{}

	mu    sync.Mutex
	owned bool // guarded by mu

	receiving      sync.Mutex // held while receive is called
	sent, received carrier.Counter
}

var reliable = carrier.SetOf(carrier.LaneSignal, carrier.LaneCall, carrier.LaneEvent, carrier.LaneHistory)

func newCarrier(m *Medium) *Carrier {
	sets := []carrier.Lanes{reliable, carrier.AllLanes &^ reliable}
	if m.cfg.Stream {
		sets = []carrier.Lanes{carrier.AllLanes}
	}
	c := &Carrier{medium: m, buffer: carrier.NewBuffer(m.cfg.Limits, sets...), over: make(chan struct{})}
	for i := range sets {
		c.ways = append(c.ways, &way{packets: make(chan packet, inFlight), lossy: i > 0})
	}
	c.ending, c.end = context.WithCancelCause(context.Background())
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
	if c.own() {
		go c.serve(func([]byte) {})
	}
}

// stopped is the cause when Run's context ended.
type stopped struct{ cause error }

func (s stopped) Error() string { return s.cause.Error() }

func (c *Carrier) stop(why error) {
	c.buffer.Seal()
	c.end(why)
}

func (c *Carrier) own() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := !c.owned
	c.owned = true
	return mine
}

func (c *Carrier) serve(receive func([]byte)) {
	defer close(c.over)
	var tasks sync.WaitGroup
	for i, w := range c.ways {
		tasks.Go(func() { c.write(i) })
		tasks.Go(func() { c.read(w, receive) })
	}
	<-c.ending.Done()
	guillotine := time.AfterFunc(carrier.FlushTime, c.behead)
	tasks.Wait()
	c.goodbye()
	guillotine.Stop()
	c.behead()
	c.buffer.Close()
}

// goodbye is what the other end learns of our ending, unless the medium is cut.
func (c *Carrier) goodbye() {
	last := carrier.ErrClosed
	switch cause := context.Cause(c.ending).(type) {
	case *carrier.CloseError:
		if cause.Remote {
			return
		}
		last = &carrier.CloseError{Code: cause.Code, Reason: cause.Reason, Remote: true}
	case stopped:
	default:
		return
	}
	c.carry(0, packet{last: last})
}

var _ carrier.Carrier = (*Carrier)(nil)
