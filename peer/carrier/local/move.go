package local

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// serve moves packets until the carrier ends, and says goodbye.
func (c *Carrier) serve(receive func(packet []byte)) {
	defer c.behead()
	context.AfterFunc(c.life.Ending(), func() { time.AfterFunc(carrier.FlushTime, c.behead) })
	var writing sync.WaitGroup
	writing.Go(func() {
		c.write()
		c.goodbye()
	})
	c.read(receive)
	writing.Wait()
}

// write sends until the carrier ends, and then what is queued.
func (c *Carrier) write() {
	var b carrier.Batch
	for {
		for c.tap.Take(coalesce, &b) {
			if !c.carry(packet{bytes: bytes.Clone(b.Packet)}) {
				c.tap.Lost(&b)
				return
			}
			c.sent.Add(len(b.Packet))
		}
		select {
		case <-c.tap.Ready():
		case <-c.life.Ending().Done():
			if c.tap.Pending().Frames == 0 {
				return
			}
		}
	}
}

// carry puts a packet on its way. False: it is over.
func (c *Carrier) carry(p packet) bool {
	select {
	case c.other.in <- p:
		return true
	case <-c.other.life.Over(): // the reader finds out, behind what came before
		return false
	case <-c.late.Done():
		return false
	}
}

// goodbye is what the other end learns of our ending.
func (c *Carrier) goodbye() {
	last := carrier.ErrClosed
	if cause, ok := c.life.Cause().(*carrier.CloseError); ok {
		if cause.Remote {
			return
		}
		last = &carrier.CloseError{Code: cause.Code, Reason: cause.Reason, Remote: true}
	}
	c.carry(packet{last: last})
}

// read hands over what arrives until this end is over.
func (c *Carrier) read(receive func(packet []byte)) {
	for {
		select {
		case <-c.life.Ending().Done():
			return
		case p := <-c.in:
			c.take(p, receive)
		case <-c.other.life.Over():
			select {
			case p := <-c.in: // what came before
				c.take(p, receive)
			default:
				c.life.Stop(errGone)
			}
		}
	}
}

func (c *Carrier) take(p packet, receive func(packet []byte)) {
	switch {
	case p.last != nil:
		c.life.Stop(p.last)
	case !c.life.Ends():
		c.received.Add(len(p.bytes))
		receive(p.bytes)
	}
}

var _ carrier.Carrier = (*Carrier)(nil)
