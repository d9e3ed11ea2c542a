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
	}
	var loads []load
	total := 0
	for _, c := range s.clients.all() {
		if bytes := c.carrier.Stats().Queued.Bytes; bytes > 0 && !c.shed.Load() {
			loads, total = append(loads, load{c, bytes}), total+bytes
		}
	}
	if total <= s.maxQueued {
		return
	}
	slices.SortFunc(loads, func(a, b load) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, l := range loads {
		if total <= s.maxQueued {
			return
		}
		total -= l.bytes
		l.client.shed.Store(true)
		s.counts.refused("too-many")
		s.cfg.Log.Warn("too much waits for all links; one with most is closed", "role", l.client.role, "from", l.client.from, "bytes", l.bytes)
		l.client.Close(wire.CodeByName("too-many"), "more waits for this link than the server has room for: it is not being read")
	}
}
