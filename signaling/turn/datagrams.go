package turn

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// datagrams are the clients that come through one socket.
type datagrams struct {
	net.PacketConn
	*front
	turnstile turnstile
	ledger    ledger
}

func newDatagrams(s *Server, conn net.PacketConn) *datagrams {
	all := &datagrams{PacketConn: conn}
	all.front = newFront(s, func(netip.AddrPort) *turnstile { return &all.turnstile }, func(netip.AddrPort) {})
	return all
}

// socketPause is how long a socket is left alone that failed for want of something.
const socketPause = 10 * time.Millisecond

// ReadFrom implements net.PacketConn for pion, to which it passes what a client
// with an allocation sends, and requests for one. It fails only when the socket is closed.
func (f *datagrams) ReadFrom(p []byte) (int, net.Addr, error) {
	f.turnstile.dealt()
	for {
		n, addr, err := f.PacketConn.ReadFrom(p)
		switch {
		case isClosed(err):
			return 0, nil, err
		case err != nil:
			time.Sleep(socketPause)
		default:
			f.turnstile.passing() // before looking whether it may
			if f.mayPass(p[:n], addr) {
				return n, addr, nil
			}
			f.turnstile.dealt()
		}
	}
}

func (f *datagrams) mayPass(p []byte, addr net.Addr) bool {
	from := client(addr)
	if f.relay(from) != nil {
		return true
	}
	kind := kindOf(p)
	if kind == other {
		f.server.counts.refuse(Malformed)
		return false
	}
	if !f.ledger.admit(from.Addr(), len(p), time.Now()) {
		f.server.counts.refuse(Unanswered)
		return false
	}
	if kind == request && (!f.server.cfg.OnlySTUN || isBinding(p)) {
		return true
	}
	f.server.counts.refuse(NotAllocated)
	if kind == orphan {
		_, _ = f.WriteTo(mismatch(p), addr) // lost like any datagram
	}
	return false
}

// WriteTo implements net.PacketConn.
func (f *datagrams) WriteTo(p []byte, addr net.Addr) (int, error) {
	to := client(addr)
	if f.relay(to) == nil {
		f.ledger.answered(to.Addr(), len(p), time.Now())
	}
	return f.PacketConn.WriteTo(f.answer(p, to), addr)
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
