package peertest

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// inFlight is how many packets a way holds: more wait at the sender, as they
// would for a socket's buffer.
const inFlight = 64

// coalesce is how many bytes of frames go into one packet.
const coalesce = 4 << 10

// packetTime is how long a packet takes at most where there is a Rate.
const packetTime = 50 * time.Millisecond

// way is a lane group towards one end.
type way struct {
	packets chan packet
	lossy   bool
}

// packet is under way.
type packet struct {
	bytes []byte
	at    time.Time // when it is to arrive
	last  error     // not nil: the other end's goodbye
}

// write sends what is queued for a way, also while ending by our own wish.
func (c *Carrier) write(i int) {
	tap := c.buffer.Tap(i)
	var b carrier.Batch
	for {
		for tap.Take(c.medium.cfg.packet(), &b) {
			if !c.carry(i, packet{bytes: slices.Clone(b.Packet)}) {
				tap.Lost(&b)
				return
			}
			c.sent.Add(len(b.Packet))
		}
		select {
		case <-tap.Ready():
		case <-c.life.Ending().Done():
			if tap.Pending().Frames == 0 {
				return
			}
		}
	}
}

// packet is how many bytes of frames go into one packet.
func (c Config) packet() int {
	if c.Rate == 0 {
		return coalesce
	}
	return min(coalesce, int(int64(c.Rate)*int64(packetTime)/int64(time.Second)))
}

// transmission is how long it takes to send so many bytes.
func (c Config) transmission(bytes int) time.Duration {
	if c.Rate == 0 {
		return 0
	}
	return time.Duration(int64(bytes) * int64(time.Second) / int64(c.Rate))
}

// carry puts a packet on its way. False: it is over.
func (c *Carrier) carry(i int, p packet) bool {
	to := c.other.ways[i]
	time.Sleep(c.medium.cfg.transmission(len(p.bytes)))
	if to.lossy && c.medium.loses() {
		return true
	}
	p.at = time.Now().Add(c.medium.cfg.Delay)
	for {
		cut, healed := c.medium.isCut()
		if !cut {
			break
		}
		select {
		case <-healed:
		case <-c.late.Done():
			return false
		}
	}
	select {
	case to.packets <- p:
		return true
	case <-c.other.life.Over(): // the reader finds out, behind what is under way
		return false
	case <-c.late.Done():
		return false
	}
}

// read hands over what arrives until this end is over.
func (c *Carrier) read(w *way, receive func([]byte)) {
	gone := c.other.life.Over()
	if w.lossy {
		gone = nil // a goodbye comes on the other way
	}
	for {
		var p packet
		select {
		case p = <-w.packets:
		case <-c.life.Ending().Done():
			return
		case <-gone:
			select {
			case p = <-w.packets:
			default:
				p = packet{at: time.Now().Add(c.medium.cfg.Delay), last: errReset}
			}
		}
		if !c.await(w, p) {
			continue
		}
		if p.last != nil {
			c.life.Stop(p.last)
			return
		}
		c.hand(p.bytes, receive)
	}
}

// await waits until a packet has come; false: it was cut off on its way.
func (c *Carrier) await(w *way, p packet) bool {
	time.Sleep(time.Until(p.at))
	for {
		cut, healed := c.medium.isCut()
		switch {
		case !cut:
			return !c.life.Ends()
		case w.lossy:
			return false
		}
		select {
		case <-healed:
		case <-c.life.Ending().Done():
			return false
		}
	}
}

func (c *Carrier) hand(bytes []byte, receive func([]byte)) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	if !c.life.Ends() {
		c.received.Add(len(bytes))
		receive(bytes)
	}
}
