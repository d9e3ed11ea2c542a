package auth

import (
	"net/netip"
	"sync"
	"time"
)

// Limits on guessing.
const (
	maxWrong     = 5                // wrong proofs of one address …
	wrongWindow  = 10 * time.Minute // … in this time
	maxAddresses = 4096             // remembered at once, about 200 KiB
)

// tries counts wrong proofs per address.
type tries struct {
	mu sync.Mutex
	by map[netip.Prefix]wrong
}

type wrong struct {
	count int
	until time.Time
}

// MayTry reports whether an address has tries left; if not, when it has again.
func (a *Auth) MayTry(addr netip.Addr) (again time.Duration, ok bool) {
	return a.tries.left(network(addr), time.Now())
}

// Wrong counts a wrong proof against an address.
func (a *Auth) Wrong(addr netip.Addr) { a.tries.add(network(addr), time.Now()) }

// network is what one attacker has for sure: an IPv4 address, or an IPv6 /64.
func network(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // the zero Addr yields the zero Prefix: one bucket for all unknown
	return p
}

func (t *tries) left(p netip.Prefix, now time.Time) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.by[p]
	if w.count < maxWrong || !now.Before(w.until) {
		return 0, true
	}
	return w.until.Sub(now), false
}

func (t *tries) add(p netip.Prefix, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = make(map[netip.Prefix]wrong)
	}
	w := t.by[p]
	if !now.Before(w.until) {
		w = wrong{}
	}
	t.makeRoomLocked()
	t.by[p] = wrong{count: w.count + 1, until: now.Add(wrongWindow)}
}

// makeRoomLocked forgets anybody: a code's 80 bits, not this table, are what
// keeps many addresses from guessing.
func (t *tries) makeRoomLocked() {
	if len(t.by) < maxAddresses {
		return
	}
	for p := range t.by {
		delete(t.by, p)
		return
	}
}
