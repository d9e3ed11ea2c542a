package cluster

import (
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/room"
)

// Home implements room.Peers.
func (c *Cluster) Home(server, device string) room.Link {
	return c.newTrunk(toHome, key{server, device})
}

// receive takes one message from another server.
func (c *Cluster) receive(r *room.Room, data []byte) {
	k, from, packet, err := parseMessage(data)
	if err != nil {
		c.log.Warn("left out", "err", err)
		return
	}
	switch k {
	case toViewer:
		if s := r.Shadow(from.server, from.device); s != nil {
			err = eachFrame(packet, func(f wire.Frame) { c.note(s.Handle(f, time.Now())) })
		}
	case toHome:
		err = c.guest(r, from).handle(c, packet)
	case leaving:
		c.leave(func(k key) bool { return k == from })
	}
	if err != nil {
		c.log.Warn("left out", "err", err)
	}
}

// note: what is wrong with a frame was for the server to say whose client sent it.
func (c *Cluster) note(no *room.Refusal) {
	if no != nil {
		c.log.Debug("a frame from another server was refused", "reason", no.Reason)
	}
}

// guest finds or makes another server's view of one of our devices.
func (c *Cluster) guest(r *room.Room, from key) *guest {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.viewers[from]
	if g == nil {
		g = &guest{}
		if !c.closed {
			g.trunk = c.newTrunk(toViewer, from)
			g.viewer = r.EnterTrunk(g.trunk)
			c.viewers[from] = g
		}
	}
	return g
}

func (g *guest) handle(c *Cluster, packet []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.viewer == nil {
		return nil
	}
	return eachFrame(packet, func(f wire.Frame) { c.note(g.viewer.Handle(f, time.Now())) })
}

// leave ends the guests that which chooses.
func (c *Cluster) leave(which func(key) bool) {
	var gone []*guest
	c.mu.Lock()
	for k, g := range c.viewers {
		if which(k) {
			delete(c.viewers, k)
			gone = append(gone, g)
		}
	}
	c.mu.Unlock()
	for _, g := range gone {
		g.mu.Lock()
		g.viewer.Leave()
		g.viewer = nil
		g.mu.Unlock()
		g.trunk.Close(wire.Code{}, "")
	}
}

func (c *Cluster) leaveAll() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.leave(func(key) bool { return true })
}
