package port

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// PacketConn is what a side takes its datagrams from. It is a net.PacketConn
// and has the same without addresses that must be allocated, as pion's ICE uses
// it. Its reads fail only when it is closed or a deadline has passed.
type PacketConn struct {
	udp      *UDP
	queue    queue
	deadline *deadline
	closed   chan struct{}
	close    func()
}

func newPacketConn(u *UDP, room int) *PacketConn {
	c := &PacketConn{udp: u, queue: newQueue(room), deadline: newDeadline(), closed: make(chan struct{})}
	c.close = sync.OnceFunc(func() { close(c.closed) })
	return c
}

// ReadFromAddrPort reads a datagram and its sender, whose address is not in
// the form of IPv6 if it is one of IPv4. What does not fit p is lost.
func (c *PacketConn) ReadFromAddrPort(p []byte) (int, netip.AddrPort, error) {
	n, from, err := c.read(p)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	return n, from.addr, nil
}

func (c *PacketConn) read(p []byte) (int, *sender, error) {
	for {
		if n, from := c.queue.pop(p); from != nil {
			return n, from, nil
		}
		select {
		case <-c.queue.filled:
		case <-c.closed:
			return 0, nil, net.ErrClosed
		case <-c.deadline.wait():
			return 0, nil, os.ErrDeadlineExceeded
		}
	}
}

// WriteToAddrPort sends a datagram from the port, and from that address of this
// machine at which its receiver was heard last.
func (c *PacketConn) WriteToAddrPort(p []byte, to netip.AddrPort) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	return c.udp.send(p, to)
}

// ReadFrom implements net.PacketConn. The address is a *net.UDPAddr that others
// have, too: it must not be changed.
func (c *PacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.read(p)
	if err != nil {
		return 0, nil, err
	}
	return n, from.udp, nil
}

// WriteTo implements net.PacketConn, for a *net.UDPAddr.
func (c *PacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	addr, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, &net.OpError{Op: "write", Net: "udp", Addr: to, Err: net.InvalidAddrError("not an address of UDP")}
	}
	return c.WriteToAddrPort(p, addr.AddrPort())
}

// Close gives the side up; its datagrams are dropped from now on.
func (c *PacketConn) Close() error {
	c.close()
	return nil
}

// LocalAddr is the port's.
func (c *PacketConn) LocalAddr() net.Addr { return c.udp.cfg.Conn.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (c *PacketConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (c *PacketConn) SetReadDeadline(t time.Time) error {
	c.deadline.set(t)
	return nil
}

// SetWriteDeadline does nothing: a write does not wait for anything but the
// kernel's buffer, which all sides share.
func (c *PacketConn) SetWriteDeadline(time.Time) error { return nil }

func (c *PacketConn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}
