package rtc

import (
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/live"
	"github.com/telepath-iot/telepath/peer/wire"
)

// liveEnds are both ends of a connection's Live channel (protocol section 7.5).
type liveEnds struct {
	born time.Time
	bell chan struct{} // a receipt came
	w    liveWriter

	hearing sync.Mutex
	in      *live.In    // guarded by hearing; what it yields is the channel's reader's
	overdue *time.Timer // guarded by hearing: when a packet is; nil: none ever was. It rests while what came is handed on

	mu  sync.Mutex
	out *live.Out // guarded by mu
}

func newLive() *liveEnds {
	return &liveEnds{born: time.Now(), in: live.NewIn(), out: live.NewOut(), bell: make(chan struct{}, 1)}
}

func (l *liveEnds) now() time.Duration { return time.Since(l.born) }

// late is the number of frames that were taken to be sent, and would have come past their deadline.
func (l *liveEnds) late() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Stats().Late
}

// handLive hands on what a packet of the Live channel brings, and sends the
// receipt that is due. It is called by the channel's reader alone.
func (p *Peer) handLive(packet []byte, receive func([]byte)) {
	now := p.live.now()
	var out [4][]byte
	p.received.Add(len(packet))
	for _, content := range p.live.hear(now, packet, out[:0]) {
		p.deliver(content, receive)
	}
	p.sendReceipt(now)
}

// hear takes a packet. No packet is overdue until it is handed on: others wait behind it.
func (l *liveEnds) hear(now time.Duration, packet []byte, out [][]byte) [][]byte {
	l.hearing.Lock()
	defer l.hearing.Unlock()
	l.stopOverdueLocked()
	return l.in.Receive(now, packet, out)
}

// sendReceipt sends the receipt that is due at now, and comes back when a packet is overdue.
func (p *Peer) sendReceipt(now time.Duration) {
	l := p.live
	l.hearing.Lock()
	defer l.hearing.Unlock()
	if r, due := l.in.Receipt(now); due {
		var body [3*8 + 2*2*wire.MaxReceiptRuns]byte
		frame := wire.AppendFrame(nil, wire.TypeReceipt, wire.Hop{}, wire.AppendReceipt(body[:0], r))
		p.buffer.Send(carrier.Frame{Control: true, Bytes: frame})
	}
	at := l.in.Wake()
	switch {
	case at == live.Never:
		l.stopOverdueLocked()
	case l.overdue == nil:
		l.overdue = time.AfterFunc(at-l.now(), func() { p.sendReceipt(l.now()) })
	default:
		l.overdue.Reset(at - l.now())
	}
}

// stopOverdue is for when no packet comes any more.
func (l *liveEnds) stopOverdue() {
	l.hearing.Lock()
	defer l.hearing.Unlock()
	l.stopOverdueLocked()
}

func (l *liveEnds) stopOverdueLocked() {
	if l.overdue != nil {
		l.overdue.Stop()
	}
}

// takeReceipts looks for receipts in a packet of the brief channel.
func (p *Peer) takeReceipts(packet []byte) {
	for f, err := range wire.Frames(packet) {
		if err != nil || f.Type != wire.TypeReceipt { // whoever gets the packet counts what is broken
			continue
		}
		if r, err := wire.ParseReceipt(f.Body); err == nil {
			p.live.mu.Lock()
			p.live.out.Receipt(p.live.now(), r)
			p.live.mu.Unlock()
			p.ring()
		}
	}
}

func (p *Peer) ring() {
	select {
	case p.live.bell <- struct{}{}:
	default:
	}
}
