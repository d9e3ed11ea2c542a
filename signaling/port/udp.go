package port

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/listen"
)

// UDPConfig of a UDP.
type UDPConfig struct {
	Conn  *net.UDPConn // required
	Queue int          // datagrams that may wait for a side; default 1024, some 10 ms of a gigabit
	Log   *slog.Logger // default: discards
}

// UDP shares the datagrams of one socket among the sides.
type UDP struct {
	cfg     UDPConfig
	counts  counts
	senders senders
	done    chan struct{} // closed when Run ends
	taken   [sides]atomic.Pointer[PacketConn]
}

const (
	// maxDatagram is the longest that is served, in bytes: none of WebRTC is
	// longer than a packet of Ethernet.
	maxDatagram = 2048
	// socketBuffer is what we ask the kernel to keep each way, of all sides
	// together, in bytes; it gives what its administrator allows.
	socketBuffer = 4 << 20
)

// NewUDP makes a UDP, which Run then serves.
func NewUDP(cfg UDPConfig) *UDP {
	if cfg.Queue == 0 {
		cfg.Queue = 1024
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	_ = cfg.Conn.SetReadBuffer(socketBuffer) // wishes
	_ = cfg.Conn.SetWriteBuffer(socketBuffer)
	if cfg.Conn.LocalAddr().(*net.UDPAddr).IP.IsUnspecified() {
		if err := askDestinations(cfg.Conn); err != nil {
			cfg.Log.Warn("answers may come from another address than the one that was asked", "err", err)
		}
	}
	return &UDP{cfg: cfg, done: make(chan struct{})}
}

// PacketConn gives a side, TURN or ICE, its datagrams from now on. A side that
// nobody has asked for, or whose PacketConn is closed, is not served. Who asks
// again takes it over.
func (u *UDP) PacketConn(side Side) *PacketConn {
	c := newPacketConn(u, u.cfg.Queue)
	if before := u.taken[side].Swap(c); before != nil {
		before.close()
	}
	select {
	case <-u.done:
		c.close()
	default:
	}
	return c
}

// Counts are datagrams since the start.
func (u *UDP) Counts() Counts { return u.counts.snapshot() }

// Close closes the socket, which ends Run.
func (u *UDP) Close() error { return u.cfg.Conn.Close() }

// LocalAddr is the socket's.
func (u *UDP) LocalAddr() net.Addr { return u.cfg.Conn.LocalAddr() }

// Run reads datagrams until ctx ends or the socket is closed, which it closes then.
func (u *UDP) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { u.cfg.Conn.Close() })()
	defer u.end()
	buf := make([]byte, maxDatagram+1) // one more shows that it was longer
	control := make([]byte, controlRoom)
	pause := listen.FirstPause
	for {
		n, told, _, from, err := u.cfg.Conn.ReadMsgUDPAddrPort(buf, control)
		switch {
		case err == nil:
			pause = listen.FirstPause
			u.take(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), control[:told])
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			u.cfg.Log.Warn("no datagram can be read; trying again", "listen", u.cfg.Conn.LocalAddr().String(), "err", err)
			time.Sleep(pause)
			pause = min(2*pause, listen.LastPause)
		}
	}
}

// take hands a datagram to its side.
func (u *UDP) take(b []byte, from netip.AddrPort, control []byte) {
	side, known := sideOfDatagram(b)
	switch c := u.taken[side].Load(); {
	case !known:
		u.drop(Unknown)
	case len(b) > maxDatagram:
		u.drop(TooLarge)
	case c == nil || c.isClosed():
		u.drop(Unserved)
	default:
		at, device := destination(control)
		if !c.queue.push(b, u.senders.know(from, at, device)) {
			u.drop(QueueFull)
			return
		}
		u.counts.served[side].Add(1)
	}
}

// send sends a datagram, from where its receiver knows us if he is known. That
// address may have gone meanwhile.
func (u *UDP) send(b []byte, to netip.AddrPort) (int, error) {
	if known := u.senders.look(to); known != nil && known.control != nil {
		if n, _, err := u.cfg.Conn.WriteMsgUDPAddrPort(b, known.control, to); err == nil {
			return n, nil
		}
	}
	return u.cfg.Conn.WriteToUDPAddrPort(b, to)
}

func (u *UDP) drop(why Reason) { u.counts.dropped[why].Add(1) }

func (u *UDP) end() {
	close(u.done)
	for side := range u.taken {
		if c := u.taken[side].Load(); c != nil {
			c.close()
		}
	}
	u.cfg.Conn.Close()
}
