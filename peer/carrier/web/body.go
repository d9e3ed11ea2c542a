package web

import (
	"errors"
	"io"

	"github.com/telepath-iot/telepath/peer/wire"
)

// firstBuffer is what a reader of bodies starts with, in bytes. It grows only
// by what has really come, up to a packet.
const firstBuffer = 2 << 10

var errTooLong = errors.New("longer than a packet")

// readBody reads a body of at most a packet into buf, which it grows as
// needed, and returns what it read.
func readBody(r io.Reader, buf []byte) ([]byte, error) {
	if cap(buf) == 0 {
		buf = make([]byte, 0, firstBuffer)
	}
	buf = buf[:0]
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > wire.MaxPacket:
			return buf, errTooLong
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			// One byte more than a packet, to notice what is longer.
			grown := make([]byte, len(buf), min(2*cap(buf), wire.MaxPacket+1))
			buf = grown[:copy(grown, buf)]
		}
	}
}
