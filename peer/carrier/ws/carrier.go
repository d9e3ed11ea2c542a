// Package ws is the carrier over a WebSocket: the link to the signaling
// server, which also relays (rung `ws`). Both ends use it, the client through
// Dial, the server through Accept.
//
// A packet is one binary message. Its connection has one reader and one
// writer for life:
//
//	Send ─► Buffer ─► writer ─► kernel          kernel ─► reader ─► receive
//	        (ours: bounded,     (≤ 16 KiB not
//	         by class)           yet sent)
//
// The kernel is asked to hold little (TCP_NOTSENT_LOWAT), so that frames wait
// in the Buffer, where a fresh sample overtakes and a stale one is dropped.
// No operation carries a context with a deadline, because an expired one
// would close the connection without a reason: the writer has its own
// watchdog. Compression is off; telemetry is packed already, and a compressor
// would cost each connection a third of a megabyte.
package ws

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Subprotocol is the one WebSocket subprotocol of links (protocol section 1).
const Subprotocol = "telepath.v1"

const (
	// coalesce is how many bytes of waiting frames go into one message: a
	// record of TLS, and few enough that a fresh sample behind it waits for
	// 16 KiB at most.
	coalesce = 16 << 10

	// eagerBytes is how much is written in the sender's own goroutine at most:
	// well below what the kernel has room for when it says that it has some.
	eagerBytes = 2 << 10

	// roomyBytes is what a kernel surely has room for: the smallest send buffer
	// of a connection holds ten full segments (linux: tcp_sndbuf_expand), and so
	// much, in frames of 100 bytes with what the kernel needs for each.
	roomyBytes = 4 << 10

	// defaultWriteTimeout is how long the other end may take nothing at all.
	defaultWriteTimeout = 10 * time.Second

	// closeTime bounds the closing handshake after what was queued is sent, so
	// that with carrier.FlushTime an ending takes less than a second.
	closeTime = 400 * time.Millisecond
)

// Config tunes a carrier. The zero value works.
type Config struct {
	// Limits bound the queue; zero bounds are the defaults.
	Limits carrier.Limits

	// WriteTimeout is how long one write may make no end before the connection
	// counts as dead. Default 10 s.
	WriteTimeout time.Duration

	// SpeaksFirst says of who accepts that it sends something at once. The answer to the upgrade goes with that.
	SpeaksFirst bool
}

// Carrier is a WebSocket connection as a carrier.Carrier.
type Carrier struct {
	// set once
	conn   *websocket.Conn
	raw    net.Conn // under conn, and under TLS: closing it unblocks everything
	cfg    Config
	buffer *carrier.Buffer
	tap    *carrier.Tap
	flow   *carrier.Flow
	life   *carrier.Life
	remote string // for people

	writing  sync.Mutex    // held to take a packet and write it, so that packets keep their order
	batch    carrier.Batch // guarded by writing
	watchdog *time.Timer   // guarded by writing; runs while somebody writes

	sent, received carrier.Counter
}

func newCarrier(conn *websocket.Conn, raw net.Conn, cfg Config) *Carrier {
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = defaultWriteTimeout
	}
	conn.SetReadLimit(-1) // the reader has its own, which tells the other end why
	c := &Carrier{conn: conn, raw: raw, cfg: cfg, remote: raw.RemoteAddr().String()}
	c.buffer = carrier.NewBuffer(cfg.Limits, carrier.AllLanes)
	c.tap, c.flow = c.buffer.Tap(0), carrier.NewFlow()
	c.life = carrier.NewLife(c.buffer, c.serve)
	c.watchdog = time.AfterFunc(cfg.WriteTimeout, c.choke)
	c.watchdog.Stop()
	context.AfterFunc(c.life.Ending(), c.guillotine)
	return c
}

// Send implements carrier.Carrier.
func (c *Carrier) Send(f carrier.Frame) bool {
	if !f.Eager {
		return c.buffer.Send(f)
	}
	if !c.buffer.Push(f) {
		return false
	}
	if !c.writeEagerly() {
		c.tap.Wake()
	}
	return true
}

// Rung implements carrier.Carrier.
func (c *Carrier) Rung() ladder.Rung { return ladder.WS }

// RemoteAddr is the address of the other end of the TCP connection.
func (c *Carrier) RemoteAddr() string { return c.remote }

// LocalAddr is this machine's address that the TCP connection was made from; invalid: not known.
func (c *Carrier) LocalAddr() (addr netip.Addr) {
	if tcp, ok := c.raw.LocalAddr().(*net.TCPAddr); ok {
		addr = tcp.AddrPort().Addr().Unmap()
	}
	return addr
}

// Stats implements carrier.Carrier.
func (c *Carrier) Stats() carrier.Stats {
	queued, drops := c.buffer.Snapshot()
	return carrier.Stats{Queued: queued, Drops: drops, Sent: c.sent.Traffic(), Received: c.received.Traffic()}
}

// Run implements carrier.Carrier.
func (c *Carrier) Run(ctx context.Context, receive func(packet []byte)) error {
	return c.life.Run(ctx, receive)
}

// serve moves packets until the connection ends, and hangs up.
func (c *Carrier) serve(receive func(packet []byte)) {
	var tasks sync.WaitGroup
	tasks.Go(c.write)
	c.life.Stop(c.read(receive))
	tasks.Wait()
}

// Close implements carrier.Carrier.
func (c *Carrier) Close(code wire.Code, reason string) { c.life.Close(code, reason) }

// guillotine cuts the connection when an ending has had its time, whatever
// the writer is stuck in.
func (c *Carrier) guillotine() {
	time.AfterFunc(carrier.FlushTime+closeTime, func() { c.raw.Close() })
}
