package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	// maxQueued is how many bytes may wait for all links together. The queue of one is bounded by itself (some 18 MiB for a viewer's), but
	// there may be thousands, and who reads slowly on purpose fills them.
	maxQueued = 256 << 20
	// shedEvery is how often that is looked at: meanwhile this machine makes some tens of MiB more.
	shedEvery = 250 * time.Millisecond
	// stuckTime is after how long without anything sent a link is not read. Who reads goes only where four times as much waits: what
	// many are sent at once, such as a long list of devices, counts for each of them here and is in memory once.
	stuckTime = 2 * time.Second
)

// keepShedding bounds what waits for all links together: those go for which most waits.
func (s *Server) keepShedding(ctx context.Context) error {
	look := time.NewTicker(shedEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			s.shed()
		}
	}
}

func (s *Server) shed() {
	type load struct {
		client *client
		bytes  int
		stuck  bool
	}
	var loads []load
	total, now := 0, time.Now()
	for _, c := range s.clients.all() {
		if bytes, stuck := c.waiting(now); bytes > 0 && !c.shed.Load() {
			loads, total = append(loads, load{c, bytes, stuck}), total+bytes
		}
	}
	slices.SortFunc(loads, func(a, b load) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, l := range loads {
		if total <= s.maxQueued {
			return
		}
		if !l.stuck && total <= 4*s.maxQueued {
			continue
		}
		total -= l.bytes
		l.client.shed.Store(true)
		s.counts.refused("too-many")
		s.cfg.Log.Warn("too much waits for all links; one with most is closed", "role", l.client.role, "from", l.client.from, "bytes", l.bytes)
		l.client.Close(wire.CodeByName("too-many"), "more waits for this link than the server has room for: it is not being read")
	}
}

// waiting is what waits for the link, in bytes, and whether nothing has been sent on it for long. It is called by keepShedding alone.
func (c *client) waiting(now time.Time) (bytes int, stuck bool) {
	stats := c.carrier.Stats()
	if stats.Queued.Bytes == 0 || stats.Sent.Bytes != c.sentThen || c.movedAt.IsZero() {
		c.sentThen, c.movedAt = stats.Sent.Bytes, now
	}
	return stats.Queued.Bytes, now.Sub(c.movedAt) >= stuckTime
}
