package server

import (
	"net/netip"
	"sync"
)

// Bounds of data-channel connections that are being made. Each costs some 6 ms
// of a processor, and 200 KiB until it is open or given up.
const (
	maxOpenings           = 256
	maxOpeningsPerAddress = 16 // this machine's own, and trusted proxies' clients, have their address in common: only the other bound
)

// outcome is what became of an opening.
type outcome int

const (
	opened outcome = iota
	failed
	outcomes // how many
)

var outcomeNames = [outcomes]string{"opened", "failed"}

// openings counts connections that are being made, and what became of those before.
type openings struct {
	mu    sync.Mutex
	total int
	by    map[netip.Addr]int
	past  [outcomes]uint64
}

// enter gives a place, if there is one left. leave gives it back.
func (o *openings) enter(from netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.total >= maxOpenings || !from.IsLoopback() && o.by[from] >= maxOpeningsPerAddress {
		return false
	}
	if o.by == nil {
		o.by = make(map[netip.Addr]int)
	}
	o.total++
	o.by[from]++
	return true
}

func (o *openings) leave(from netip.Addr, what outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.past[what]++
	o.total--
	if o.by[from]--; o.by[from] == 0 {
		delete(o.by, from)
	}
}

func (o *openings) snapshot() (now int, past [outcomes]uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total, o.past
}
