package web

import (
	"errors"
	"io"
)

// What the bodies of a link's requests may have in memory at a time, in bytes. A packet has some 16 KiB, but for those that go alone:
// a client has less than that even where it has left as many requests behind as it may.
const (
	maxHeld  = maxUps * coalesce
	maxEarly = maxHeld * 3 / 4 // those that wait for one before them: it finds room
)

var errTooMuch = errors.New("more than a link may have waiting")

// heldBody is a request's body that is read as far as its link may hold it. Nobody has paid for what waits: without a bound of its own
// it would be as much as there may be requests.
type heldBody struct {
	body  io.Reader
	h     *host
	early bool
	bytes int64
}

// waits reports whether a packet will wait for one before it, as far as is known.
func (h *host) waits(u up) bool { return !u.ahead && u.n > h.all.Load()+1 }

// Read implements io.Reader.
func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.bytes += int64(n)
	if b.h.c.held.Add(int64(n)) > maxHeld {
		err = errTooMuch
	}
	if b.early && b.h.early.Add(int64(n)) > maxEarly {
		err = errTooMuch
	}
	return n, err
}

// release counts the body no more.
func (b *heldBody) release() {
	b.h.c.held.Add(-b.bytes)
	if b.early {
		b.h.early.Add(-b.bytes)
	}
}
