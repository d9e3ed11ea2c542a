package rtc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// firstBuffer is what a channel's reader starts with, in bytes; it grows to a
// packet when something longer comes.
const firstBuffer = 4 << 10

// stall is how long a packet may wait for its turn before its frames go back
// into the queue, to let fresher ones go first.
const stall = 50 * time.Millisecond

// pump starts reading from and writing to the open channels.
func (p *Peer) pump(tasks *sync.WaitGroup, receive func([]byte)) {
	for _, c := range p.channels {
		tasks.Go(func() {
			p.readAll(c, receive)
			p.live.stopOverdue()
		})
		tasks.Go(func() {
			if c.kind.lanes.Has(carrier.LaneLive) {
				p.writeLive(c)
			} else {
				p.write(c)
			}
			if !c.kind.unordered {
				p.goodbye(c)
				close(p.said)
			}
		})
	}
}

// goodbye tells the server, or is the server's word, why the link ends. Between
// viewer and device the end of one path is no news.
func (p *Peer) goodbye(c *channel) {
	if packet := carrier.EndPacket(p.life.Cause()); p.cfg.server && packet != nil {
		_ = c.SetWriteDeadline(time.Now().Add(stall))
		_, _ = c.Write(packet) // the other end sees the end anyway, if not why
	}
}

// readAll reads a channel to its end, which is that of the connection. The last
// word is on the reliable channel: the others ending first is no news.
func (p *Peer) readAll(c *channel, receive func([]byte)) {
	err := p.read(c, receive)
	if err != carrier.ErrClosed || !p.cfg.server || !c.kind.unordered {
		p.life.Stop(err)
	}
}

// read hands the packets of a channel to receive until the connection ends.
func (p *Peer) read(c *channel, receive func([]byte)) error {
	buf := make([]byte, firstBuffer)
	for {
		n, text, err := c.ReadDataChannel(buf)
		switch {
		case errors.Is(err, io.ErrShortBuffer) && len(buf) < wire.MaxPacket:
			buf = make([]byte, wire.MaxPacket) // the message is still there
		case errors.Is(err, io.ErrShortBuffer):
			return fmt.Errorf("the other end sent a packet of more than %d bytes", wire.MaxPacket)
		case err != nil:
			return p.readError(err)
		case text:
			return errors.New("the other end sent a text message: it is not telepath")
		case !c.kind.unordered && p.cfg.server:
			frames, bye := carrier.SplitEnd(buf[:n])
			p.hand(frames, receive)
			if bye != nil {
				return bye
			}
		case c.kind.lanes.Has(carrier.LaneLive):
			p.handLive(buf[:n], receive)
		default:
			if c.kind.lanes.Has(carrier.LaneControl) {
				p.takeReceipts(buf[:n])
			}
			p.hand(buf[:n], receive)
		}
	}
}

// hand counts a packet and delivers it.
func (p *Peer) hand(packet []byte, receive func([]byte)) {
	if len(packet) > 0 {
		p.received.Add(len(packet))
	}
	p.deliver(packet, receive)
}

// deliver calls receive, for one channel at a time.
func (p *Peer) deliver(packet []byte, receive func([]byte)) {
	p.receiving.Lock()
	defer p.receiving.Unlock()
	// What came before the other end's goodbye still counts.
	if cause := p.life.Cause(); (cause == nil || cause == carrier.ErrClosed) && len(packet) > 0 {
		p.acknowledged(packet)
		receive(packet)
	}
}

// write sends what is queued for a channel until the connection ends, and
// what is left then while flush lets it.
func (p *Peer) write(c *channel) {
	for {
		if !p.writeAll(c) {
			return
		}
		if p.life.Ends() && c.tap.Pending().Frames == 0 {
			return
		}
		p.await(c)
	}
}

// writeAll sends what may go now. False: it is over.
func (p *Peer) writeAll(c *channel) bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	for p.take(c, &c.batch) {
		if !p.writeBatch(c, &c.batch) {
			return false
		}
	}
	return true
}

// briefly sends a packet of what waits for the brief channel in the caller's goroutine, where that cannot block, as
// liveWriter.eagerly does. It reports whether nothing is left for the channel's own.
func (p *Peer) briefly() bool {
	if !p.isReady() || p.bounded() || p.life.Ends() {
		return false
	}
	c := p.channels[briefChannel]
	if !c.writing.TryLock() {
		return false
	}
	defer c.writing.Unlock()
	if !c.tap.Take(c.kind.limit, &c.batch) {
		return true
	}
	_ = c.SetWriteDeadline(time.Unix(0, 0))
	if _, err := c.Write(c.batch.Packet); err != nil {
		c.tap.Return(&c.batch)
		return false
	}
	p.sent.Add(len(c.batch.Packet))
	return c.tap.Pending().Frames == 0
}

// writeBatch sends b, waiting for the association's turn. What may be lost is
// given back after a while; what may not keeps its place. False: it is over.
func (p *Peer) writeBatch(c *channel, b *carrier.Batch) bool {
	for {
		_ = c.SetWriteDeadline(time.Now().Add(stall))
		_, err := c.Write(b.Packet)
		switch {
		case err == nil:
			p.sent.Add(len(b.Packet))
			return true
		case !stalled(err):
			c.tap.Lost(b)
			return false
		case c.kind.unordered:
			p.giveBack(c, b)
			return true
		}
	}
}

func stalled(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// flush lets an ending that we want send what is queued, until the other end
// has acknowledged it or carrier.FlushTime is over.
func (p *Peer) flush() {
	if !p.ours() || !p.isReady() {
		return
	}
	for begin := time.Now(); (!closed(p.said) || p.unsent()) && time.Since(begin) < carrier.FlushTime; {
		time.Sleep(flushPoll)
	}
}

// flushPoll is how often flush looks; there is no event for "acknowledged".
const flushPoll = 2 * time.Millisecond

// unsent reports whether something reliable waits in the queue or for its
// acknowledgement.
func (p *Peer) unsent() bool {
	for _, c := range p.channels {
		if c.kind.unordered {
			continue
		}
		buffered, ok := c.ReadWriteCloserDeadliner.(interface{ BufferedAmount() uint64 })
		if c.tap.Pending().Frames > 0 || ok && buffered.BufferedAmount() > 0 {
			return true
		}
	}
	return false
}
