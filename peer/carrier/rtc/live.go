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
	in   *live.In      // owned by the channel's reader
	bell chan struct{} // a receipt came

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

// writeLive sends what is queued for the Live channel, and again what did not
// come, until the connection ends.
func (p *Peer) writeLive(c *channel) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	w := liveWriter{peer: p, channel: c, live: p.live}
	for {
		if p.bounded() {
			if !w.plainly() {
				return
			}
			continue
		}
		for w.next() {
			if !w.write() {
				return
			}
		}
		timer.Reset(w.sleep())
		select {
		case <-c.tap.Ready():
		case <-p.live.bell:
		case <-timer.C:
		case <-p.life.Ending().Done():
			if c.tap.Pending().Frames == 0 {
				return
			}
		}
	}
}

// liveWriter makes and writes packets. It is owned by writeLive.
type liveWriter struct {
	peer    *Peer
	channel *channel
	live    *liveEnds
	batch   carrier.Batch
	fresh   []live.Frame
	packet  []byte
	doubt   bool // as the channel was told last
}

// plainly sends what may go where TCP may carry, which loses nothing, and waits. False: it is over.
func (w *liveWriter) plainly() bool {
	for w.peer.take(w.channel, &w.batch) {
		if !w.peer.writeBatch(w.channel, &w.batch) {
			return false
		}
	}
	if w.peer.life.Ends() && w.channel.tap.Pending().Frames == 0 {
		return false
	}
	w.peer.await(w.channel)
	return true
}

// next makes the next packet, if one is due: what is fresh goes first.
func (w *liveWriter) next() bool {
	w.live.mu.Lock()
	defer w.live.mu.Unlock()
	now, wall := w.live.now(), time.Now()
	w.fresh = w.fresh[:0]
	limit := w.live.out.Limit(now)
	w.setDoubt(w.live.out.Doubtful(now))
	if limit > 0 && w.channel.tap.Take(limit, &w.batch) {
		for _, f := range w.batch.Frames {
			fresh := live.Frame{Bytes: f.Bytes, Key: f.Conn<<16 | uint64(f.Stream)}
			if !f.Deadline.IsZero() {
				fresh.Until = now + f.Deadline.Sub(wall)
			}
			w.fresh = append(w.fresh, fresh)
		}
		w.packet = w.live.out.Pack(now, w.fresh)
		return true
	}
	packet, due := w.live.out.Next(now)
	w.packet = packet
	return due
}

// write sends the packet, waiting for the association's turn. What is fresh is
// given back after a while, so that what is fresher by then goes first. False: it is over.
func (w *liveWriter) write() bool {
	_ = w.channel.SetWriteDeadline(time.Now().Add(stall))
	_, err := w.channel.Write(w.packet)
	if err == nil {
		w.peer.sent.Add(len(w.packet))
		return true
	}
	w.live.mu.Lock()
	w.live.out.Unsent()
	w.live.mu.Unlock()
	switch {
	case !stalled(err):
		if len(w.fresh) > 0 {
			w.channel.tap.Lost(&w.batch)
		}
		return false
	case len(w.fresh) > 0:
		w.channel.tap.Return(&w.batch)
	}
	return true
}

// setDoubt keeps what is sent into the dark from being repeated by SCTP, which
// would have that go before all that is new, in small bursts a second apart.
func (w *liveWriter) setDoubt(doubt bool) {
	if doubt != w.doubt {
		w.doubt = doubt
		w.channel.abandon(doubt)
	}
}

func (w *liveWriter) sleep() time.Duration {
	w.live.mu.Lock()
	defer w.live.mu.Unlock()
	const longest = time.Hour
	return max(0, min(w.live.out.Wake()-w.live.now(), longest))
}

// handLive hands on what a packet of the Live channel brings, and sends the
// receipt that is due. It is called by the channel's reader alone.
func (p *Peer) handLive(packet []byte, receive func([]byte)) {
	now := p.live.now()
	var out [4][]byte
	p.received.Add(len(packet))
	for _, content := range p.live.in.Receive(now, packet, out[:0]) {
		p.deliver(content, receive)
	}
	if r, due := p.live.in.Receipt(now); due {
		var body [3*8 + 2*2*wire.MaxReceiptRuns]byte
		frame := wire.AppendFrame(nil, wire.TypeReceipt, wire.Hop{}, wire.AppendReceipt(body[:0], r))
		p.buffer.Send(carrier.Frame{Control: true, Bytes: frame})
	}
}

// takeReceipts looks for receipts in a packet of the brief channel.
func (p *Peer) takeReceipts(packet []byte) {
	for len(packet) > 0 {
		f, rest, err := wire.NextFrame(packet)
		if err != nil {
			return // whoever gets the packet counts it
		}
		if packet = rest; f.Type != wire.TypeReceipt {
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
