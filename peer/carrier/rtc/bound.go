package rtc

import (
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// This file bounds what is under way where TCP carries the data channels, or
// may do so at the other end's hop (protocol section 6.9): its buffers and those
// of a proxy take whatever SCTP gives them, and SCTP gives them 256 KiB.

// unanswered is how long nothing may be acknowledged while something waits:
// as long as ICE looks for a path.
const unanswered = iceChecking

// bounded reports whether TCP may carry: it never does on a pair of addresses
// that both ends have over UDP themselves.
func (p *Peer) bounded() bool {
	switch p.Rung() {
	case ladder.UDP, ladder.RelayUDP:
		return false
	}
	return true
}

// take fills b with what may be sent on c now. At the end all of it may.
func (p *Peer) take(c *channel, b *carrier.Batch) bool {
	if !p.bounded() || p.life.Ends() {
		return c.tap.Take(c.kind.limit, b)
	}
	if !c.kind.unordered && !p.turns.mayBulk(p.channels[liveChannel].tap.Waits()) {
		return false
	}
	if !p.flow.Take(c.tap, c.kind.limit, b) {
		return false
	}
	switch c {
	case p.channels[reliableChannel]:
		p.turns.bulkWent(len(b.Packet))
	case p.channels[liveChannel]:
		p.turns.liveWent(len(b.Packet))
		if bulk := p.channels[reliableChannel].tap; bulk.Waits() {
			bulk.Wake()
		}
	}
	return true
}

// giveBack is for a batch of take that was not sent.
func (p *Peer) giveBack(c *channel, b *carrier.Batch) {
	if p.bounded() {
		p.flow.Return(c.tap, b)
	} else {
		c.tap.Return(b)
	}
}

// await returns when there may be something to take, or the connection ends.
func (p *Peer) await(c *channel) {
	if p.bounded() {
		if err := p.flow.Await(c.tap, p.life.Ending().Done(), unanswered); err != nil {
			p.life.Stop(err)
		}
		return
	}
	select {
	case <-c.tap.Ready():
	case <-p.life.Ending().Done():
	}
}

// acknowledged looks for answers to our marks in a packet that came.
func (p *Peer) acknowledged(packet []byte) {
	if !p.bounded() || !p.flow.Heard(time.Now(), packet) {
		return
	}
	for _, c := range p.channels {
		c.tap.Wake()
	}
}

// turns shares a narrow way between fresh samples and what may not be lost. On
// links one packet holds both, and the queue shares it out; here each has a
// channel, and who asks first would get all.
type turns struct {
	mu   sync.Mutex
	owed int // bytes of Live that go before the next packet of bulk, if they are there; guarded by mu
}

// liveTurns: of what a narrow way carries bulk has one part in four, as on links.
const liveTurns = 3

// mayBulk reports whether bulk may go now. It waits for nobody who is not there.
func (t *turns) mayBulk(liveWaits bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !liveWaits {
		t.owed = 0
	}
	return t.owed <= 0
}

func (t *turns) bulkWent(bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owed += liveTurns * bytes
}

func (t *turns) liveWent(bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owed = max(t.owed-bytes, 0)
}
