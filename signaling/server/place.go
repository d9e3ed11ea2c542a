package server

import (
	"container/list"
	"net/netip"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// place is what a connection has at the gate, and a link that is none's alone.
type place struct {
	gate *gate
	addr netip.Addr
	came time.Time
	shut func() // closes what has the place; set before it is in a list, called without the gate's lock

	// Guarded by gate.mu.
	proves bool          // its side closes it, unless it proves something
	left   bool          // it was given back
	in     *list.List    // where it stands among those that may have to go; nil: it does not
	at     *list.Element // in there
}

// watch has a connection stand among those that may have to go for any other.
func (p *place) watch(shut func()) {
	p.shut = shut
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.moveLocked(&p.gate.unproven)
}

// yields has a link that needed no token stand among those that go for who shows one. To close the connection beneath it would not
// end it: it comes back on another one.
func (p *place) yields(link carrier.Carrier) {
	p.shut = func() {
		link.Close(wire.CodeByName("too-many"), "others came that have a token")
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.moveLocked(&p.gate.guests)
}

// prove notes that a side closes what has the place, unless it proves something.
func (p *place) prove() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.proves = true
}

// leave gives the place back, unless it was.
func (p *place) leave() {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	p.leaveLocked()
}

func (p *place) leaveLocked() {
	if p.left {
		return
	}
	p.moveLocked(nil)
	p.left = true
	p.gate.total--
	p.gate.leaveLocked(p.addr)
}

func (p *place) moveLocked(to *list.List) {
	if p.in != nil {
		p.in.Remove(p.at)
	}
	if p.in = to; to != nil {
		p.at = to.PushBack(p)
	}
}

func shutAll(gone []*place) {
	for _, p := range gone {
		p.shut()
	}
}
