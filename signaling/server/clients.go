package server

import (
	"context"
	"sync"

	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// clients are the links that are open.
type clients struct {
	mu      sync.Mutex
	open    map[*client]bool
	closing bool
	empty   chan struct{} // closed when closing and the last has gone
}

// add reports whether the link may stay.
func (cs *clients) add(c *client) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open == nil {
		cs.open = make(map[*client]bool)
	}
	cs.open[c] = true
	return !cs.closing
}

func (cs *clients) remove(c *client) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.open, c)
	if cs.closing && len(cs.open) == 0 && cs.empty != nil {
		close(cs.empty)
		cs.empty = nil
	}
}

func (cs *clients) all() []*client {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	list := make([]*client, 0, len(cs.open))
	for c := range cs.open {
		list = append(list, c)
	}
	return list
}

// sort is what links are told apart by where they are counted.
type sort struct {
	role auth.Role
	rung ladder.Rung
}

func (cs *clients) count() map[sort]int {
	n := map[sort]int{}
	for _, c := range cs.all() {
		n[sort{c.role, c.carrier.Rung()}]++
	}
	return n
}

// drain closes all links and waits until they are gone or ctx ends.
func (cs *clients) drain(ctx context.Context) {
	empty := cs.close()
	for _, c := range cs.all() {
		c.Close(wire.CodeByName("draining"), "this server is going down: connect again")
	}
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

func (cs *clients) close() <-chan struct{} {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closing = true
	empty := make(chan struct{})
	if len(cs.open) == 0 {
		close(empty)
		return empty
	}
	cs.empty = empty
	return empty
}
