package peer

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/session"
)

// Stats counts what a Host or a Conn has moved and dropped since it was made.
type Stats struct {
	Sent, Received carrier.Traffic   // packets on all paths
	Queued         carrier.Depth     // waiting now, on all paths
	Drops          map[string]uint64 // frames, by the reasons of docs/protocol.md, section 5.3; all of them are there
}

// reasons are those of section 5.3.
var reasons = [...]session.DropReason{
	session.QueueFull, session.Deadline, session.Duplicate, session.Replaced, session.OldEpoch,
	session.UnknownStream, session.Malformed, session.Sealed, session.NoPath, session.Limit, session.Role,
}

// meter gathers Stats. It is safe for concurrent use.
type meter struct {
	drops [len(reasons)]atomic.Uint64

	mu   sync.Mutex
	live []carrier.Carrier // guarded by mu
	past carrier.Stats     // guarded by mu; of carriers that are over
}

// drop counts n frames that were dropped; an empty reason counts nothing.
func (m *meter) drop(reason session.DropReason, n int) {
	if i := slices.Index(reasons[:], reason); i >= 0 {
		m.drops[i].Add(uint64(n))
	}
}

// watch counts what a carrier does from now on, until forget.
func (m *meter) watch(c carrier.Carrier) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live = append(m.live, c)
}

// forget is told of carriers that are over; their counts stay.
func (m *meter) forget(c carrier.Carrier) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.live, c); i >= 0 {
		m.live = slices.Delete(m.live, i, i+1)
		m.past = sum(m.past, c.Stats())
	}
}

func (m *meter) stats() Stats {
	m.mu.Lock()
	total := m.past
	for _, c := range m.live {
		total = sum(total, c.Stats())
	}
	m.mu.Unlock()
	s := Stats{Sent: total.Sent, Received: total.Received, Queued: total.Queued, Drops: map[string]uint64{}}
	for i, reason := range reasons {
		s.Drops[string(reason)] += m.drops[i].Load()
	}
	for reason, n := range total.Drops {
		s.Drops[carrier.DropReason(reason).String()] += n
	}
	return s
}

func sum(a, b carrier.Stats) carrier.Stats {
	a.Sent.Packets += b.Sent.Packets
	a.Sent.Bytes += b.Sent.Bytes
	a.Received.Packets += b.Received.Packets
	a.Received.Bytes += b.Received.Bytes
	a.Queued.Frames += b.Queued.Frames
	a.Queued.Bytes += b.Queued.Bytes
	for i, n := range b.Drops {
		a.Drops[i] += n
	}
	return a
}
