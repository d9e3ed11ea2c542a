package turn

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
)

// table has all relayed addresses, by address and by session.
type table struct {
	// Set once.
	v4, v6 netip.Addr // of all relayed addresses
	limits Limits
	counts *Counts

	mu       sync.RWMutex
	relays   map[netip.AddrPort]*relay
	sessions map[string][]*relay
	networks map[netip.Prefix]int // relays that are bound, by the site of their client
	revoked  revoked
}

var (
	errCapacity = errors.New("there are as many allocations as there may be")
	errQuota    = errors.New("the session has as many allocations as it may have")
	errRevoked  = errors.New("the session was revoked")
	errTaken    = errors.New("the number is taken")
)

func newTable(addresses []netip.Addr, limits Limits, counts *Counts) *table {
	t := &table{
		v4: dummy4, v6: dummy6, limits: limits, counts: counts,
		relays: make(map[netip.AddrPort]*relay), sessions: make(map[string][]*relay), networks: make(map[netip.Prefix]int),
	}
	for _, a := range addresses {
		switch a = a.Unmap().WithZone(""); {
		case a.Is4() && t.v4 == dummy4:
			t.v4 = a
		case a.Is6() && t.v6 == dummy6:
			t.v6 = a
		}
	}
	return t
}

// What relayed addresses have as their IP address where the server has none of
// that family. No socket has it either way. (RFC 7600 and RFC 6666.)
var (
	dummy4 = netip.MustParseAddr("192.0.0.8")
	dummy6 = netip.MustParseAddr("100::8")
)

// Numbers of relayed addresses are from the dynamic range (RFC 6335), where no
// service of the server's address is expected.
const (
	firstNumber = 49152
	numbers     = 1<<16 - firstNumber
)

// mayAllocate reports whether a session may have one allocation more, and the network of its client.
func (t *table) mayAllocate(session string, client netip.Addr) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.sessions[session]) < t.limits.PerSession && (client.IsLoopback() || t.leavesSomeLocked(client))
}

// leavesSomeLocked: a network may have twice as many allocations as are left for all. One alone, with as many people behind it as
// there may be, has nearly all it can use; the more take, the sooner each of them has to leave the rest to who has none yet.
// Sessions cost their viewer nothing, so they are no measure.
func (t *table) leavesSomeLocked(client netip.Addr) bool {
	return t.networks[site(client)] <= 2*(t.limits.Allocations-len(t.relays))
}

// site is what one customer of a network's may have: an IPv4 address, or an IPv6 /48.
func site(client netip.Addr) netip.Prefix {
	bits := 32
	if client.Is6() {
		bits = 48
	}
	p, _ := client.Prefix(bits) // no address at all: one site for all of those
	return p
}

// allocate makes a relayed address for a session, with the given number (0: any).
func (t *table) allocate(session string, v6 bool, number uint16) (*relay, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.relays) >= t.limits.Allocations:
		return nil, errCapacity
	case len(t.sessions[session]) >= t.limits.PerSession:
		return nil, errQuota
	case t.revoked.has(session):
		return nil, errRevoked
	}
	addr, err := t.freeLocked(v6, number)
	if err != nil {
		return nil, err
	}
	r := newRelay(t, session, addr)
	t.relays[addr] = r
	t.sessions[session] = append(t.sessions[session], r)
	return r, nil
}

// freeLocked finds an address that is free; there are four times as many as allocations.
func (t *table) freeLocked(v6 bool, number uint16) (netip.AddrPort, error) {
	ip := t.v4
	if v6 {
		ip = t.v6
	}
	if number != 0 {
		addr := netip.AddrPortFrom(ip, number)
		if t.relays[addr] != nil {
			return netip.AddrPort{}, errTaken
		}
		return addr, nil
	}
	for {
		addr := netip.AddrPortFrom(ip, uint16(firstNumber+rand.IntN(numbers)))
		if t.relays[addr] == nil {
			return addr, nil
		}
	}
}

// unregistered is a relay in name only, for who wants to know a free number.
func (t *table) unregistered() (*relay, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	addr, err := t.freeLocked(false, 0)
	return newRelay(t, "", addr), err
}

// bind notes whose the relay of an address is. It returns nil if it is gone already.
func (t *table) bind(addr netip.AddrPort, f *front, client netip.AddrPort) *relay {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.relays[addr]
	if r != nil {
		r.front, r.client = f, client
		t.networks[site(client.Addr())]++
	}
	return r
}

// turnstileOf is what pion deals with for the client of r; nil: nothing.
func (t *table) turnstileOf(r *relay) *turnstile {
	t.mu.RLock()
	f, client := r.front, r.client
	t.mu.RUnlock()
	if f == nil {
		return nil
	}
	return f.turnstile(client)
}

// peer is the relay of another address of r's session; nil: there is none.
func (t *table) peer(r *relay, addr netip.AddrPort) *relay {
	t.mu.RLock()
	defer t.mu.RUnlock()
	to := t.relays[addr]
	if to == nil || to == r || to.session != r.session {
		return nil
	}
	return to
}

// permits reports whether r's session has another relayed address with this IP address.
func (t *table) permits(r *relay, ip netip.Addr) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, other := range t.sessions[r.session] {
		if other != r && other.addr.Addr() == ip {
			return true
		}
	}
	return false
}

// channels counts the channels that the allocation of an address has bound.
func (t *table) channels(addr netip.AddrPort, more int32) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if r := t.relays[addr]; r != nil {
		r.channels.Add(more)
	}
}

// remove forgets a relay, and tells whose it was; nil: nobody's, or it is gone already.
func (t *table) remove(r *relay) *front {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.relays[r.addr] != r {
		return nil
	}
	delete(t.relays, r.addr)
	t.sessions[r.session] = without(t.sessions[r.session], r)
	if len(t.sessions[r.session]) == 0 {
		delete(t.sessions, r.session)
	}
	if r.front != nil {
		of := site(r.client.Addr())
		if t.networks[of]--; t.networks[of] == 0 {
			delete(t.networks, of)
		}
	}
	return r.front
}

// revoke closes what a session has, and lets it have nothing more until it is allowed again.
func (t *table) revoke(session string) {
	t.mu.Lock()
	t.revoked.add(session)
	open := t.sessions[session]
	t.mu.Unlock()
	for _, r := range open {
		r.end()
	}
}

func (t *table) allow(session string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revoked.remove(session)
}

func (t *table) isRevoked(session string) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.revoked.has(session)
}

// size is how many relays and sessions there are.
func (t *table) size() (relays, sessions int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.relays), len(t.sessions)
}

// without is a list of its own, since others may be going through the old one.
func without(list []*relay, r *relay) []*relay {
	left := make([]*relay, 0, len(list))
	for _, other := range list {
		if other != r {
			left = append(left, other)
		}
	}
	return left
}
