package web

import (
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// abandonTime is how long nobody may ask before a link is over (section 6.7).
const abandonTime = 10 * time.Second

// poller makes the answers of a link on rung poll. An answer is kept until
// the next one is asked for, which says that it has arrived.
type poller struct {
	*host
	idle *time.Timer // runs while nobody asks

	mu      sync.Mutex
	asked   uint64        // number of the newest request
	made    bool          // its answer is made: packet
	packet  []byte        // of batch, or the goodbye, or empty
	last    bool          // packet is the goodbye, or what stands for it
	batch   carrier.Batch // what the answer was made of
	writers int           // requests that packet is being written to
	seat    chan struct{} // of the request that is held, closed when another takes its place; nil: none
}

func newPoller(cfg Config) *poller {
	p := &poller{host: newHost(ladder.Poll, cfg)}
	p.poller, p.abort = p, p.finish
	p.idle = time.AfterFunc(abandonTime, func() {
		p.c.life.Stop(carrier.Fail("cut", "nobody asked for packets for "+abandonTime.String(), nil))
	})
	p.begin()
	return p
}

// sit begins a request: n asks for an answer of at most limit bytes, and takes
// the place of the request that is held. Nil: n is out of order.
func (p *poller) sit(n uint64, limit int) (seat chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case n == p.asked+1 && (p.made || n == 1):
		p.acknowledgeLocked()
		p.asked = n
	case n == p.asked:
		p.shortenLocked(limit)
	default:
		return nil
	}
	if p.seat != nil {
		close(p.seat)
	}
	p.idle.Stop()
	p.seat = make(chan struct{})
	return p.seat
}

// acknowledgeLocked: the answer has arrived.
func (p *poller) acknowledgeLocked() {
	if p.made && len(p.batch.Frames) > 0 {
		p.c.sent.Add(len(p.packet))
		p.c.flow.Acknowledge(&p.batch)
	}
	p.forgetLocked()
}

// shortenLocked takes an answer back that does not get through for its length.
func (p *poller) shortenLocked(limit int) {
	if p.made && len(p.packet) > limit && len(p.batch.Frames) > 1 {
		p.c.flow.Return(p.c.tap, &p.batch)
		p.forgetLocked()
	}
}

// forgetLocked makes room for the next answer. Memory that is being written
// somewhere is left to whoever writes it.
func (p *poller) forgetLocked() {
	p.made, p.packet = false, nil
	p.batch.Frames = p.batch.Frames[:0]
	if p.writers > 0 {
		p.batch = carrier.Batch{}
	}
}

// fate is what a request has come to.
type fate int

const (
	waiting    fate = iota
	superseded      // another request took its place
	answered
)

// try makes the answer for who sits on seat, if there is something to say; an
// empty one if it must be. After answered, the caller writes packet and then
// calls written.
func (p *poller) try(seat chan struct{}, limit int, must bool) (packet []byte, _ fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seat != seat {
		return nil, superseded
	}
	if !p.made {
		p.makeLocked(limit, must)
	}
	if !p.made {
		return nil, waiting
	}
	p.writers++
	return p.packet, answered
}

func (p *poller) makeLocked(limit int, must bool) {
	ending := p.c.life.Ends()
	switch {
	case !p.hurried.Load() && p.c.take(limit, &p.batch):
		p.packet, p.made = p.batch.Packet, true
	case ending:
		p.packet, p.made, p.last = carrier.EndPacket(p.c.life.Cause()), true, true
	case must:
		p.made = true
	}
}

// written ends a request whose answer was written, if well is true.
func (p *poller) written(seat chan struct{}, well bool) {
	p.mu.Lock()
	p.writers--
	over := well && p.made && p.last
	p.mu.Unlock()
	p.stand(seat)
	if over {
		p.finish()
	}
}

// stand ends a request.
func (p *poller) stand(seat chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seat == seat {
		p.seat = nil
		p.idle.Reset(abandonTime)
	}
}

// finish ends the link: all was said, or it was not to be.
func (p *poller) finish() {
	p.leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle.Stop()
	p.acknowledgeLocked()
}
