package turn

import (
	"net"
	"net/netip"
	"sync"
)

// front is what stands between pion and the clients of one socket or listener:
// it knows which of them have an allocation.
type front struct {
	// Set once.
	server    *Server
	turnstile func(client netip.AddrPort) *turnstile // of what comes from a client; nil: nothing comes any more
	changed   func(client netip.AddrPort)            // called when a client's allocation has come or gone

	mu      sync.RWMutex
	clients map[netip.AddrPort]*relay
}

func newFront(s *Server, of func(netip.AddrPort) *turnstile, changed func(netip.AddrPort)) *front {
	return &front{server: s, turnstile: of, changed: changed, clients: make(map[netip.AddrPort]*relay)}
}

// turnstile is what pion's reading goroutine deals with.
type turnstile struct {
	mu   sync.Mutex // held while it does
	held bool       // owned by that goroutine: it has mu
}

// dealt is called when pion reads: it has dealt with what it read before.
func (h *turnstile) dealt() {
	if h.held {
		h.held = false
		h.mu.Unlock()
	}
}

// passing is called before pion is given something.
func (h *turnstile) passing() {
	h.mu.Lock()
	h.held = true
}

// wait waits until pion is done with what it was given before.
func (h *turnstile) wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
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
	f.changed(from)
}

// forget drops an allocation, unless its client has another one by now.
func (f *front) forget(r *relay) {
	f.mu.Lock()
	if f.clients[r.client] == r {
		delete(f.clients, r.client)
	}
	f.mu.Unlock()
	f.changed(r.client)
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
