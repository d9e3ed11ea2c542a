package relay

import (
	"cmp"
	"slices"
	"sync"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Leg is one Conn's way out of a Table.
type Leg struct {
	To   Sender
	Conn uint64 // its number on To
	// Trunk marks a link to another server, which copies for its own viewers:
	// all legs with the same To get one frame between them, without a number.
	Trunk bool
}

// Table says which legs get a device's shared frames, stream by stream. It is
// safe for concurrent use. The zero Table is empty.
type Table struct {
	mu     sync.Mutex
	routes map[uint32][]*Leg // by stream; sorted so that Publish can reuse what it built last
}

// Route sets whether leg gets the shared frames of streams from now on.
func (t *Table) Route(leg *Leg, on bool, streams []uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.routes == nil {
		t.routes = make(map[uint32][]*Leg)
	}
	for _, stream := range streams {
		legs := slices.DeleteFunc(t.routes[stream], func(l *Leg) bool { return l == leg })
		if on {
			legs = insert(legs, leg)
		}
		t.setLocked(stream, legs)
	}
}

// Remove takes leg out of all streams.
func (t *Table) Remove(leg *Leg) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for stream, legs := range t.routes {
		t.setLocked(stream, slices.DeleteFunc(legs, func(l *Leg) bool { return l == leg }))
	}
}

// Routed lists the streams that leg gets.
func (t *Table) Routed(leg *Leg) (streams []uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for stream, legs := range t.routes {
		if slices.Contains(legs, leg) {
			streams = append(streams, stream)
		}
	}
	return streams
}

func (t *Table) setLocked(stream uint32, legs []*Leg) {
	if len(legs) == 0 {
		delete(t.routes, stream)
		return
	}
	t.routes[stream] = legs
}

// insert keeps legs sorted by number, and those of one trunk side by side.
func insert(legs []*Leg, leg *Leg) []*Leg {
	if leg.Trunk {
		same := slices.IndexFunc(legs, func(l *Leg) bool { return l.Trunk && l.To == leg.To })
		return slices.Insert(legs, max(same, 0), leg)
	}
	at, _ := slices.BinarySearchFunc(legs, leg, func(a, b *Leg) int {
		if a.Trunk { // trunks stand in front
			return -1
		}
		return cmp.Compare(a.Conn, b.Conn)
	})
	return slices.Insert(legs, at, leg)
}

// scratch lends Publish room for a copy of the legs, so that it sends without
// holding the lock and without allocating.
var scratch = sync.Pool{New: func() any { return new([]*Leg) }}

// Publish copies a shared frame to all legs routed to its stream and returns
// to how many it sent.
func (t *Table) Publish(f wire.Frame, l Label) int {
	room := scratch.Get().(*[]*Leg)
	legs := t.copyLegs((*room)[:0], l.Stream)
	p := publication{frame: f, label: l, eager: f.Last && len(legs) <= eagerLegs}
	for _, leg := range legs {
		p.send(leg)
	}
	sent := len(legs)
	clear(legs)
	*room = legs
	scratch.Put(room)
	return sent
}

func (t *Table) copyLegs(to []*Leg, stream uint32) []*Leg {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(to, t.routes[stream]...)
}

// publication is one Publish under way: it keeps what it built last.
type publication struct {
	frame wire.Frame
	label Label
	built carrier.Frame
	conn  uint64
	trunk Sender // the last trunk served
	eager bool
}

// eagerLegs is up to how many legs are written to in the goroutine that reads
// from the device. Each costs a system call; beyond a few of them their
// writers, which work side by side, are done sooner.
const eagerLegs = 4

func (p *publication) send(leg *Leg) {
	conn := leg.Conn
	if leg.Trunk {
		if p.trunk == leg.To {
			return
		}
		p.trunk, conn = leg.To, 0
	}
	if p.built.Bytes == nil || p.conn != conn {
		hop := p.frame.Hop
		hop.Conn, hop.Store = conn, false
		p.built, p.conn = p.label.Build(p.frame.Type, hop, p.frame.Body), conn
		p.built.Eager = p.eager
	}
	leg.To.Send(p.built)
}
