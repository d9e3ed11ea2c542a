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

// tries counts proofs per address that were wrong, or are being looked at: so
// many at once cannot be more than so many one after the other.
type tries struct {
	mu sync.Mutex
	by map[netip.Prefix]wrong
}

type wrong struct {
	count int
	until time.Time
}

// Try takes one of an address's tries, before its proof is looked at; if it has
// none left, again says when it has.
func (a *Auth) Try(addr netip.Addr) (again time.Duration, ok bool) {
	return a.tries.take(network(addr), time.Now())
}

// Right gives the try back: the proof was right.
func (a *Auth) Right(addr netip.Addr) { a.tries.giveBack(network(addr)) }

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

func (t *tries) take(p netip.Prefix, now time.Time) (again time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = make(map[netip.Prefix]wrong)
	}
	w, known := t.by[p]
	switch {
	case !known:
		t.makeRoomLocked()
	case !now.Before(w.until):
		w = wrong{}
	case w.count >= maxWrong:
		return w.until.Sub(now), false
	}
	t.by[p] = wrong{count: w.count + 1, until: now.Add(wrongWindow)}
	return 0, true
}

func (t *tries) giveBack(p netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.by[p]
	if w.count <= 1 { // or forgotten meanwhile
		delete(t.by, p)
		return
	}
	w.count--
	t.by[p] = w
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
