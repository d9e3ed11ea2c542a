package web

import (
	"slices"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// mostUps is how many packets a client has under way at a time, beside one of nothing but control frames: one each quarter of a
// round trip, so that a fresh sample waits for an eighth on average.
const mostUps = 4

// uploads are the packets that a client has under way. Each has a number, a goroutine and, over HTTP/1.1, a connection of its own:
// a loss holds up one of them.
type uploads struct {
	ups   uint64       // number of the newest one
	ahead uint64       // how far beyond the last one before which none is missing the server takes others
	body  int          // most bytes that a body may have to get through
	known int          // bytes of a body that do get through
	under []*upload    // under way, oldest first
	held  *upload      // taken, and waits until nothing is under way
	spare []*upload    // for their memory
	done  chan *upload // what is under way no more
	posts posts
}

func newUploads(body int) uploads {
	if body == 0 {
		body = wire.MaxPacket
	}
	return uploads{ahead: 1, body: max(body, minPacket), known: minPacket, done: make(chan *upload, maxPosts)}
}

// write sends what is queued until the carrier is ending, says goodbye where
// that is ours to say, and cuts what the reader waits for.
func (e *client) write() {
	defer e.abandon()
	if err := e.writeQueued(); err != nil {
		e.awaitReader(err)
	}
	bye := carrier.EndPacket(e.c.life.Cause())
	if bye == nil || e.flush() != nil {
		return
	}
	e.ups++
	_ = e.up(e.ups, false, bye) // the other end will notice, if later
}

// abandon cuts all requests, and waits for those who made them.
func (e *client) abandon() {
	e.cut()
	for len(e.under) > 0 {
		_ = e.finish(<-e.done)
	}
	if e.held != nil {
		e.c.tap.Lost(&e.held.batch)
	}
	e.posts.wait()
}

func (e *client) writeQueued() error {
	for !e.c.life.Ends() {
		if e.startOne() {
			continue
		}
		select {
		case <-e.c.tap.Ready():
		case u := <-e.done:
			if err := e.finish(u); err != nil {
				return err
			}
		case <-e.c.life.Ending().Done():
		}
	}
	return nil
}

// flush sends what is queued and waits for what is under way, for as long as carrier.FlushTime.
func (e *client) flush() error {
	late := time.After(carrier.FlushTime)
	for {
		if e.startOne() {
			continue
		}
		if len(e.under) == 0 {
			return nil
		}
		select {
		case u := <-e.done:
			if err := e.finish(u); err != nil {
				return err
			}
		case <-e.c.tap.Ready():
		case <-late:
			return nil
		}
	}
}

// awaitReader gives the reader a moment to find out why a request failed: the
// other end's reason may be among what it has not read yet.
func (e *client) awaitReader(err error) {
	moment := time.NewTimer(closeTime)
	defer moment.Stop()
	select {
	case <-e.c.life.Ending().Done():
	case <-moment.C:
		e.c.life.Stop(err)
	}
}

// startOne sends one packet on its way, if there is one and it may go.
func (e *client) startOne() bool {
	if !e.mayStart() {
		return false
	}
	u := e.held
	if u == nil {
		if u = e.take(); u == nil {
			return false
		}
		if u.alone && len(e.under) > 0 {
			e.held = u
			return false
		}
	}
	e.held = nil
	e.ups++
	u.n, u.limit = e.ups, e.body
	e.under = append(e.under, u)
	go func() {
		u.err = e.send(u)
		e.done <- u
	}()
	return true
}

// mayStart reports whether there may be one packet more under way.
func (e *client) mayStart() bool {
	switch {
	case len(e.under) == 0:
		return true
	case e.held != nil || e.under[0].alone || len(e.under) == maxPosts || e.posts.full() || e.ups >= e.under[0].n-1+e.ahead:
		return false
	}
	full := e.c.flow.Full()
	return e.c.tap.Waits() && !full || e.mayStartControl(full)
}

// mayStartControl reports whether a packet of nothing but control frames may go: where others follow one another they go with the
// next of those.
func (e *client) mayStartControl(full bool) bool {
	return (full || len(e.under) < 2) && !slices.ContainsFunc(e.under, func(u *upload) bool { return u.control })
}

// take is the next packet, nil if there is none.
func (e *client) take() *upload {
	u := new(upload)
	if last := len(e.spare) - 1; last >= 0 {
		u, e.spare = e.spare[last], e.spare[:last]
	}
	if !e.c.take(e.body, &u.batch) {
		e.spare = append(e.spare, u)
		return nil
	}
	u.is(u.batch.Lanes(), len(u.batch.Packet) > e.known)
	return u
}

// finish takes note of what is under way no more, and of why it failed.
func (e *client) finish(u *upload) error {
	e.under = slices.DeleteFunc(e.under, func(one *upload) bool { return one == u })
	if u.err != nil {
		e.c.tap.Lost(&u.batch)
		return u.err
	}
	if u.limit < e.body {
		e.body = u.limit
		e.onCapped(e.body)
	}
	e.known = max(e.known, len(u.batch.Packet))
	e.c.flow.Acknowledge(&u.batch)
	e.c.sent.Add(len(u.batch.Packet))
	if u.left {
		u.batch = carrier.Batch{} // its memory is left to who still sends it
	}
	e.spare = append(e.spare, u)
	return nil
}
