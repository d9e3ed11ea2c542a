package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/coder/websocket"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// firstBuffer is what a reader starts with, in bytes. It grows only by what
// has really come, up to a packet: a thousand idle viewers cost little.
const firstBuffer = 2 << 10

// read hands packets to receive until the connection is over, and says why.
// Once the carrier is ending it only waits for the other end's goodbye.
func (c *Carrier) read(receive func(packet []byte)) error {
	buf := make([]byte, firstBuffer)
	for {
		kind, message, err := c.conn.Reader(context.Background())
		if err != nil {
			return closeReason(err)
		}
		var n int
		buf, n, err = readMessage(message, buf)
		switch {
		case errors.Is(err, errTooLong):
			c.Close(wire.CodeByName("too-large"), fmt.Sprintf("a packet has more than %d bytes", wire.MaxPacket))
			_, err = io.Copy(io.Discard, message)
		case err == nil && kind != websocket.MessageBinary:
			c.Close(wire.CodeByName("malformed"), "a text message came; packets are binary messages")
		}
		if err != nil {
			return closeReason(err)
		}
		if !c.life.Ends() {
			c.received.Add(n)
			if c.flow.Heard(time.Now(), buf[:n]) {
				c.tap.Wake()
			}
			receive(buf[:n])
		}
	}
}

var errTooLong = errors.New("longer than a packet")

// readMessage reads a message into buf, which it grows as needed, and returns
// buf and the message's length.
func readMessage(r io.Reader, buf []byte) ([]byte, int, error) {
	n := 0
	for {
		m, err := r.Read(buf[n:])
		n += m
		switch {
		case n > wire.MaxPacket:
			return buf, n, errTooLong
		case errors.Is(err, io.EOF):
			return buf, n, nil
		case err != nil:
			return buf, n, err
		case n == len(buf):
			// One byte more than a packet, to notice what is longer.
			buf = append(buf, make([]byte, min(len(buf), wire.MaxPacket+1-len(buf)))...)
		}
	}
}

// closeReason translates what ended the connection.
func closeReason(err error) error {
	var closed websocket.CloseError
	switch {
	case errors.As(err, &closed):
		if code, ok := wire.CodeByClose(int(closed.Code)); ok {
			return &carrier.CloseError{Code: code, Reason: closed.Reason, Remote: true}
		}
		if closed.Code == websocket.StatusNormalClosure || closed.Code == websocket.StatusGoingAway {
			return carrier.ErrClosed
		}
		return fmt.Errorf("closed by the other end with status %d: %s", closed.Code, closed.Reason)
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("the connection was cut: %w", err)
	default:
		return fmt.Errorf("read from the connection: %w", err)
	}
}
