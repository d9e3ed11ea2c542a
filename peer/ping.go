package peer

import (
	"context"
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/ladder"
)

// ErrNoPath is what Ping returns while there is no path to the device.
var ErrNoPath = errors.New("no path to the device now")

// ErrEnded is what a Conn whose Run has returned answers.
var ErrEnded = errors.New("peer: the Conn has ended")

// maxPings is how many may wait at a time: as many as there are probes whose answers count.
const maxPings = maxProbes

var errPings = errors.New("peer: too many pings wait for their answers")

// Ping sends a probe to the device on the path that carries and waits for the
// answer, until ctx ends. It is not for callbacks: it would wait for itself.
func (c *Conn) Ping(ctx context.Context) (Reply, error) {
	reply := make(chan Reply, 1)
	var id uint64
	var err error
	if !c.loop.ask(ctx, func() { id, err = c.ping(reply) }) {
		return Reply{}, c.whyNot(ctx)
	}
	if err != nil {
		return Reply{}, err
	}
	select {
	case r := <-reply:
		return r, nil
	case <-c.loop.stopped:
		return Reply{}, ErrEnded
	case <-ctx.Done():
		c.loop.post(func() { delete(c.pings, id) })
		return Reply{}, ctx.Err()
	}
}

// whyNot is why the loop did not do what it was asked.
func (c *Conn) whyNot(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrEnded
}

// ping runs in the loop.
func (c *Conn) ping(reply chan<- Reply) (id uint64, err error) {
	g := c.paths.carrying()
	switch {
	case g == nil:
		return 0, ErrNoPath
	case len(c.pings) >= maxPings:
		return 0, errPings
	}
	id = c.paths.probe(c.loop.now(), g)
	c.pings[id] = reply
	return id, nil
}

func (c *Conn) echoed(id uint64, rung ladder.Rung, roundTrip time.Duration) {
	if reply, ok := c.pings[id]; ok {
		delete(c.pings, id)
		reply <- Reply{rung, roundTrip}
	}
}
