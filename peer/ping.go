package peer

import (
	"context"
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
)

// ErrNoPath is what Ping returns while there is no path to the device.
var ErrNoPath = errors.New("no path to the device now")

// errEnded is what a Conn whose Run has returned answers.
var errEnded = errors.New("peer: the Conn has ended")

// Ping sends a probe to the device on the best path there is and waits for
// the answer, until ctx ends.
func (c *Conn) Ping(ctx context.Context) (Reply, error) {
	reply := make(chan Reply, 1)
	sent := make(chan uint64, 1)
	c.loop.post(func() { sent <- c.ping(reply) })
	var id uint64
	select {
	case id = <-sent:
	case <-c.loop.stopped:
		return Reply{}, errEnded
	}
	if id == 0 {
		return Reply{}, ErrNoPath
	}
	select {
	case r := <-reply:
		return r, nil
	case <-c.loop.stopped:
		return Reply{}, errEnded
	case <-ctx.Done():
		c.loop.post(func() { delete(c.pings, id) })
		return Reply{}, ctx.Err()
	}
}

// ping runs in the loop; 0: there is no path.
func (c *Conn) ping(reply chan<- Reply) uint64 {
	if len(c.paths.use) == 0 {
		return 0
	}
	id := c.paths.probe(c.loop.now(), c.paths.use[0])
	c.pings[id] = reply
	return id
}

func (c *Conn) echoed(id uint64, rung ladder.Rung, roundTrip time.Duration) {
	if reply, ok := c.pings[id]; ok {
		delete(c.pings, id)
		reply <- Reply{rung, roundTrip}
	}
}
