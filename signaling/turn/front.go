package turn

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// front is what stands between pion and those clients that come through one
// net.PacketConn: it knows which of them have an allocation.
type front struct {
	server  *Server
	changed func() // called when a client's allocation has come or gone; nil: nobody asks

	handling sync.Mutex // held while pion deals with what it was passed last
	held     bool       // owned by pion's reading goroutine: it has handling

	mu      sync.RWMutex
	clients map[netip.AddrPort]*relay
}

func newFront(s *Server) *front {
	return &front{server: s, clients: make(map[netip.AddrPort]*relay)}
}

// dealt is called when pion reads: it has dealt with what it read before.
func (f *front) dealt() {
	if f.held {
		f.held = false
		f.handling.Unlock()
	}
}

// passing is called before pion is given something.
func (f *front) passing() {
	f.handling.Lock()
	f.held = true
}

// wait waits until pion is done with what it was passed before.
func (f *front) wait() {
	f.handling.Lock()
	defer f.handling.Unlock()
}

// client is the address of a client as a key: the same over a socket of IPv4 as
// over one of both families.
func client(addr net.Addr) netip.AddrPort {
	a := addrPort(addr)
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// relay is what a client has allocated; nil: nothing.
func (f *front) relay(client netip.AddrPort) *relay {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.clients[client]
}

// created notes whose the relayed address is.
func (f *front) created(src, _ net.Addr, _, _, _ string, relayed net.Addr, _ int) {
	from := client(src)
	f.mu.Lock()
	if r := f.server.table.bind(addrPort(relayed), f, from); r != nil {
		f.clients[from] = r
	}
	f.mu.Unlock()
	f.notify()
}

// forget drops an allocation, unless its client has another one by now.
func (f *front) forget(r *relay) {
	f.mu.Lock()
	if f.clients[r.client] == r {
		delete(f.clients, r.client)
	}
	f.mu.Unlock()
	f.notify()
}

// answer is what goes to a client in place of what pion says. It sees how long
// an allocation is to live.
func (f *front) answer(p []byte, to netip.AddrPort) []byte {
	if lifetime, granted := lifetimeOf(p); granted {
		if r := f.relay(to); r != nil {
			r.keep(lifetime)
		}
	}
	return forbidden(p)
}

func (f *front) notify() {
	if f.changed != nil {
		f.changed()
	}
}

// permit is asked for CreatePermission and ChannelBind.
func (f *front) permit(src net.Addr, peer net.IP) bool {
	ip, ok := netip.AddrFromSlice(peer)
	r := f.relay(client(src))
	if !ok || r == nil || r.channels.Load() >= maxChannels || !f.server.table.permits(r, ip) {
		f.server.counts.refuse(Peer)
		return false
	}
	return true
}

// maxChannels that an allocation has bound; pion goes through all of them for
// each packet. The other end has as many addresses as it has candidates, at most 20.
const maxChannels = 32

// packetFront is a front for clients over UDP.
type packetFront struct {
	net.PacketConn
	*front
	ledger ledger
}

// socketPause is how long a socket is left alone that failed for want of something.
const socketPause = 10 * time.Millisecond

// ReadFrom implements net.PacketConn for pion, to which it passes what a client
// with an allocation sends, and requests for one. It fails only when the socket is closed.
func (f *packetFront) ReadFrom(p []byte) (int, net.Addr, error) {
	f.dealt()
	for {
		n, addr, err := f.PacketConn.ReadFrom(p)
		switch {
		case isClosed(err):
			return 0, nil, err
		case err != nil:
			time.Sleep(socketPause)
		case f.mayPass(p[:n], addr):
			f.passing()
			return n, addr, nil
		}
	}
}

func (f *packetFront) mayPass(p []byte, addr net.Addr) bool {
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
	if kind == request {
		return true
	}
	f.server.counts.refuse(NotAllocated)
	if kind == orphan {
		_, _ = f.WriteTo(mismatch(p), addr) // lost like any datagram
	}
	return false
}

// WriteTo implements net.PacketConn.
func (f *packetFront) WriteTo(p []byte, addr net.Addr) (int, error) {
	to := client(addr)
	if f.relay(to) == nil {
		f.ledger.answered(to.Addr(), len(p), time.Now())
	}
	return f.PacketConn.WriteTo(f.answer(p, to), addr)
}
