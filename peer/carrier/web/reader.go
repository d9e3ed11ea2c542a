package web

import (
	"encoding/base64"
	"errors"
	"io"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/wire"
)

// firstByteTime is how long an event stream may stay empty behind its
// headers. A server begins with a comment, at once.
const firstByteTime = 2 * time.Second

// read hands packets to receive until the link is over, and says why.
func (e *client) read(receive func(packet []byte)) error {
	if e.c.rung == ladder.SSE {
		return e.readStream(receive)
	}
	return e.readPolls(receive)
}

// readStream is read for rung sse.
func (e *client) readStream(receive func(packet []byte)) error {
	in := newEvents(e.stream)
	silent := time.AfterFunc(firstByteTime, func() {
		e.c.life.Stop(carrier.Fail("stream-buffered", "", nil))
		e.cut()
	})
	_, err := in.r.Peek(1)
	silent.Stop()
	for err == nil {
		var packet []byte
		if packet, err = in.next(); err == nil {
			e.c.deliver(packet, receive)
		}
	}
	return e.streamError(err)
}

// streamError is why no more packets come. A stream that makes no sense is
// ended by us, and the other end told.
func (e *client) streamError(err error) error {
	var corrupt base64.CorruptInputError
	switch {
	case errors.Is(err, errLongLine):
		return &carrier.CloseError{Code: wire.CodeByName("too-large"), Reason: err.Error()}
	case errors.As(err, &corrupt):
		return &carrier.CloseError{Code: wire.CodeByName("malformed"), Reason: err.Error()}
	case errors.Is(err, io.EOF):
		return carrier.Fail("cut", "the event stream ended", err)
	}
	return carrier.Fail("cut", err.Error(), err)
}

// readPolls is read for rung poll: each request says that the answer to the
// one before was taken.
func (e *client) readPolls(receive func(packet []byte)) error {
	packet := e.first
	for {
		e.c.deliver(packet, receive)
		if e.c.life.Ends() && carrier.EndPacket(e.c.life.Cause()) == nil {
			return e.c.life.Cause() // the other end is over
		}
		e.polls++
		err := e.persist(&e.answer, func() (err error) {
			packet, err = e.poll(nil, packet)
			return err
		})
		if err != nil {
			return err
		}
	}
}
