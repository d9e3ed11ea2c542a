package peer

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer/session"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is the viewer's end of commands (protocol, section 10).

// maxCommands is how many wait for the loop: more can only gather while the machine has no time for it.
const maxCommands = 64

// orders are what waits for the loop to be sent.
type orders struct {
	mu       sync.Mutex
	commands []order     // guarded by mu
	drive    *wire.Drive // guarded by mu; nil: none waits
	driven   bool        // guarded by mu; there was one: of this fence, with this seq
	fence    uint64      // guarded by mu
	seq      uint64      // guarded by mu
}

type order struct {
	body       []byte
	everywhere bool
}

// Command sends a Command's JSON, which is copied, on the best path or on every path there is. It may be called from any
// goroutine, also from callbacks, and never blocks. What finds no path or no room is counted: who says it says it again
// until it is answered (package rpc knows when).
func (c *Conn) Command(body []byte, everywhere bool) {
	c.orders.mu.Lock()
	full := len(c.orders.commands) >= maxCommands
	if !full {
		c.orders.commands = append(c.orders.commands, order{bytes.Clone(body), everywhere})
	}
	c.orders.mu.Unlock()
	if full {
		c.meter.drop(session.QueueFull, 1)
		return
	}
	c.loop.stepNow()
}

// Drive sends d, which is copied, on the two best proved paths; one that waits still is replaced. One whose Seq is not above that
// of the one before, under the same Fence, is dropped: the device would not take it either. It may be called from any goroutine,
// also from callbacks, and never blocks.
func (c *Conn) Drive(d *wire.Drive) {
	own := *d
	own.Setpoints = slices.Clone(d.Setpoints)
	replaced, newer := c.orders.put(&own)
	if replaced {
		c.meter.drop(session.Replaced, 1)
	}
	if !newer {
		return
	}
	if !c.loop.try(c.hurry) {
		c.loop.kick()
	}
}

// hurry sends what waits without a step, as nothing else has changed, and returns when one is due.
func (c *Conn) hurry() (wake time.Duration) {
	if c.paths.lost() { // a step takes the successor
		return c.loop.stepped()
	}
	return c.sendOrders(c.loop.now())
}

// put has d wait, and reports whether a Drive was dropped for that, and whether d is the newest. What was decided one after the
// other comes here from several goroutines, and so perhaps the other way round: an older one must not take the place of a newer
// one, or of its second copy. Fences are not compared: those of a device that has lost its journal begin anew.
func (o *orders) put(d *wire.Drive) (replaced, newer bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.driven && d.Fence == o.fence && d.Seq <= o.seq {
		return true, false
	}
	replaced = o.drive != nil
	o.drive, o.driven, o.fence, o.seq = d, true, d.Fence, d.Seq
	return replaced, true
}

func (o *orders) take() (commands []order, drive *wire.Drive) {
	o.mu.Lock()
	defer o.mu.Unlock()
	commands, drive = o.commands, o.drive
	o.commands, o.drive = nil, nil
	return commands, drive
}

// sendOrders sends what waits, and what is due the second time; it returns when that is. It runs in the loop.
func (c *Conn) sendOrders(now time.Duration) (wake time.Duration) {
	commands, drive := c.orders.take()
	for _, o := range commands {
		send := c.paths.sendBest
		if o.everywhere {
			send = c.paths.sendEverywhere
		}
		if !send(wire.TypeCommand, o.body) {
			c.meter.drop(session.NoPath, 1)
		}
	}
	if drive != nil && !c.paths.sendTwice(now, wire.TypeDrive, wire.AppendDrive(nil, drive)) {
		c.meter.drop(session.NoPath, 1)
	}
	return c.paths.sendSecond(now)
}

func (c *Conn) tick(body []byte) error {
	t, err := wire.ParseTick(body)
	if err == nil && c.cfg.Events.Tick != nil {
		c.cfg.Events.Tick(t)
	}
	return err
}

func (c *Conn) outcome(body []byte) {
	if len(body) > wire.MaxCommand {
		c.meter.drop(session.Limit, 1)
		return
	}
	if c.cfg.Events.Outcome != nil {
		c.cfg.Events.Outcome(body)
	}
}

// noteReach keeps for other goroutines whether there is a path, and how long it is.
func (c *Conn) noteReach() {
	if len(c.paths.use) == 0 {
		c.reached.Store(-1)
		return
	}
	c.reached.Store(int64(c.paths.rtt()))
	c.nearest.Store(int64(c.paths.leastRTT()))
}

// reach reports whether there is a path, and its round trip; 0: it was not measured yet.
func (c *Conn) reach() (roundTrip time.Duration, ok bool) {
	ns := c.reached.Load()
	return time.Duration(max(ns, 0)), ns >= 0
}
