package room

import (
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/relay"
)

// Conn is one viewer's relation to one device, as long as the viewer's link
// lasts. It is there also while the device is away.
type Conn struct {
	// Set once.
	id     string // UUID, by the viewer
	viewer *Viewer
	number uint64 // on the viewer's link
	device *Device
	opens  *rate.Limiter

	want     atomic.Pointer[[]string]
	commands atomic.Bool             // its viewer's role may command
	bound    atomic.Pointer[binding] // nil: the device is away, or has not been asked yet
}

func (c *Conn) unbind(b *binding) { c.bound.CompareAndSwap(b, nil) }

// end takes the Conn out and tells its device why: signal.Close or signal.Away.
func (c *Conn) end(why string) {
	r := c.viewer.room
	r.mu.Lock()
	delete(c.device.watching, c)
	r.mu.Unlock()
	if why == signal.Close && r.cfg.TURN != nil {
		r.cfg.TURN.Revoke(c.id)
	}
	if b := c.bound.Load(); b != nil {
		b.session.unbind(b)
		mention(b, signal.Message{Type: why})
	}
}

// publishWill sends a will if the viewer wants its stream.
func (c *Conn) publishWill(w will, now time.Time) {
	if !c.device.description.wanted(*c.want.Load())(w.header.Stream) {
		return
	}
	f := relay.LabelData(w.header, now).Build(wire.TypeData, wire.Hop{Conn: c.number}, w.body)
	deliver(c.viewer.link, f)
}

// greet tells the viewer what the server knows: presence, what its open does not
// have of the description, and the values it keeps; and which TURN servers it may use.
func (c *Conn) greet(presence signal.Device, servers []signal.Server, open signal.Message) {
	link := c.viewer.link
	Tell(link, c.number, signal.Message{Type: signal.Opened, ID: c.id, Device: object(presence), Servers: servers})
	if has := c.device.description.wholeIn(open.Epoch); has == 0 || open.Revision < has {
		for _, m := range c.device.description.messages() {
			Tell(link, c.number, m)
		}
	}
	want := c.device.description.wanted(*c.want.Load())
	for _, f := range c.device.retained.Frames(c.number, want, time.Now()) {
		deliver(link, f)
	}
}
