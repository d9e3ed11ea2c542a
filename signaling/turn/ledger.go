package turn

import (
	"net/netip"
	"sync"
	"time"
)

// ledger sees to it that unauthenticated datagrams, whose source may be feigned,
// are answered with fewer bytes than they had, above a small allowance: for each
// address, and in all. What it does not admit is not even looked at.
type ledger struct {
	mu    sync.Mutex
	all   account
	of    map[netip.Prefix]*account // IPv4 addresses, IPv6 networks of 64 bits
	rest  account                   // of all addresses that have none
	swept time.Time
}

// account is what was sent to an address above what came from it.
type account struct {
	owed float64 // bytes, never less than 0: nobody saves up
	at   time.Time
}

// Allowances in bytes, and how many of them come back a second. A STUN Binding
// (20 bytes in, 40 out) takes 20 of them, an Allocate without credentials
// (28 in, about 90 out) some 60; what is authenticated takes none.
const (
	addressAllowance = 8 << 10
	addressPerSecond = 512
	totalAllowance   = 256 << 10
	totalPerSecond   = 32 << 10

	largestReply = 128     // bytes of an answer to who has no allocation
	maxAccounts  = 8 << 10 // addresses; some 100 bytes each
	sweepEvery   = time.Second
)

// settle lets what came back meanwhile, and what came in, count.
func (a *account) settle(now time.Time, in int, perSecond float64) {
	a.owed = max(0, a.owed-now.Sub(a.at).Seconds()*perSecond-float64(in))
	a.at = now
}

// admit reports whether n bytes from an address may be answered.
func (l *ledger) admit(from netip.Addr, n int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.accountLocked(from, now)
	own.settle(now, n, addressPerSecond)
	l.all.settle(now, n, totalPerSecond)
	return own.owed+largestReply <= addressAllowance && l.all.owed+largestReply <= totalAllowance
}

// answered takes n bytes to an address down.
func (l *ledger) answered(to netip.Addr, n int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accountLocked(to, now).owed += float64(n)
	l.all.owed += float64(n)
}

func (l *ledger) accountLocked(addr netip.Addr, now time.Time) *account {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	key, err := addr.Prefix(bits)
	if err != nil { // no address at all
		return &l.rest
	}
	if a := l.of[key]; a != nil {
		return a
	}
	if len(l.of) >= maxAccounts && !l.sweptLocked(now) {
		return &l.rest
	}
	if l.of == nil {
		l.of = make(map[netip.Prefix]*account)
	}
	a := &account{at: now}
	l.of[key] = a
	return a
}

// sweptLocked forgets addresses that owe nothing, and reports whether there is room now.
func (l *ledger) sweptLocked(now time.Time) bool {
	if now.Sub(l.swept) < sweepEvery {
		return false
	}
	l.swept = now
	for key, a := range l.of {
		if a.settle(now, 0, addressPerSecond); a.owed == 0 {
			delete(l.of, key)
		}
	}
	return len(l.of) < maxAccounts
}
