package peer

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// leg is one carrier as one Conn uses it.
type leg struct {
	id      int
	carrier carrier.Carrier
	number  uint64   // conn number in the hop part; 0 on a data-channel connection
	conn    any      // the hostConn or Conn it belongs to; nil for the link itself
	attempt *attempt // that made it; nil for the link
	proved  bool     // a full echo has come: later probes need not be of full size
	full    int      // full probes sent until then
	fullAt  time.Duration
	said    bool // hello, on a device's link
	letIn   bool // by the server, on a device's link

	queued map[uint32]*atomic.Int64 // by stream: how many of its frames of class Event or History wait in the carrier's queue

	refusal   *RefusedError // what the server said last of what it cannot take, on a link; nil: nothing
	refusedAt time.Duration

	suspected time.Duration // when something had come last, when the path was suspected
	heardBy   time.Duration // it is in doubt if nothing has come by then; 0: it is not suspected
}

// send queues one frame; what the carrier refuses it has counted.
func (g *leg) send(f carrier.Frame) bool {
	if lane := f.Lane(); lane == carrier.LaneEvent || lane == carrier.LaneHistory {
		f.Waiting = g.waiting(f.Stream)
	}
	return g.carrier.Send(f)
}

// waiting counts a stream's frames, of those that are sent again when they seem lost, that wait in the carrier's queue.
func (g *leg) waiting(stream uint32) *atomic.Int64 {
	if g.queued == nil {
		g.queued = map[uint32]*atomic.Int64{}
	}
	n := g.queued[stream]
	if n == nil {
		n = new(atomic.Int64)
		g.queued[stream] = n
	}
	return n
}

// sendFrame makes a frame under the leg's conn number and queues it.
func (g *leg) sendFrame(t wire.Type, hop wire.Hop, body []byte, f carrier.Frame) bool {
	hop.Conn, f.Conn = g.number, g.number
	f.Bytes = wire.AppendFrame(make([]byte, 0, wire.FrameSize(hop, len(body))), t, hop, body)
	return g.send(f)
}

// direct reports whether it is a data-channel connection with the other end, of either kind, not the link.
func (g *leg) direct() bool { return g.attempt != nil }

// from is this machine's address that the leg's connection was made from, where it knows.
func (g *leg) from() (addr netip.Addr) {
	c := g.carrier
	if e, raced := c.(*entrant); raced {
		c = e.Carrier
	}
	if known, ok := c.(interface{ LocalAddr() netip.Addr }); ok {
		addr = known.LocalAddr()
	}
	return addr
}

// control is a frame of path business.
func control(bytes []byte) carrier.Frame { return carrier.Frame{Control: true, Bytes: bytes} }

// Full probes are as long as a packet gets. Two are for the case that one is lost; where
// the way is so narrow that their answers take long, more of them would fill it.
const (
	firstFulls = 2
	fullEvery  = time.Second
)

// isFull reports whether the next probe is to be a full one: until one of those
// was answered, for small ones pass holes in the MTU.
func (g *leg) isFull(now time.Duration) bool {
	if g.proved || g.segmented() || g.full >= firstFulls && now-g.fullAt < fullEvery {
		return false
	}
	g.full, g.fullAt = g.full+1, now
	return true
}

// segmented reports whether it is a link over TCP alone, which cuts what it carries to the size that passes: full probes show nothing
// there, and hold up the first samples behind them.
func (g *leg) segmented() bool {
	switch g.carrier.Rung() {
	case ladder.WS, ladder.SSE, ladder.Poll:
		return true
	}
	return false
}

// appendEcho makes the frame that answers a probe now.
func appendEcho(number uint64, echo wire.Echo, wall func() time.Time) []byte {
	t := micros(wall())
	echo.T2, echo.T3 = t, t
	return wire.AppendEcho(nil, wire.Hop{Conn: number, Priority: wire.Urgent}, echo)
}
