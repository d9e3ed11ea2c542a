package server

import (
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// counts are totals over links that are over, and of refusals.
type counts struct {
	mu       sync.Mutex
	refusals map[string]uint64 // by code
	past     carrier.Stats     // of links that are over; nothing queued
}

func (c *counts) refused(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusals == nil {
		c.refusals = make(map[string]uint64)
	}
	c.refusals[code]++
}

// ended adds what a link did in its life.
func (c *counts) ended(s carrier.Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Queued = carrier.Depth{}
	c.past = sum(c.past, s)
}

// snapshot is all there is to count: past and open links.
func (c *counts) snapshot(open []*client) (refusals map[string]uint64, links carrier.Stats) {
	c.mu.Lock()
	refusals = make(map[string]uint64, len(c.refusals))
	for code, n := range c.refusals {
		refusals[code] = n
	}
	links = c.past
	c.mu.Unlock()
	for _, cl := range open {
		links = sum(links, cl.carrier.Stats())
	}
	return refusals, links
}

func sum(a, b carrier.Stats) carrier.Stats {
	for i := range a.Drops {
		a.Drops[i] += b.Drops[i]
	}
	a.Queued.Frames += b.Queued.Frames
	a.Queued.Bytes += b.Queued.Bytes
	a.Sent.Packets += b.Sent.Packets
	a.Sent.Bytes += b.Sent.Bytes
	a.Received.Packets += b.Received.Packets
	a.Received.Bytes += b.Received.Bytes
	return a
}
