package cluster

import (
	"bytes"
	"strings"
	"testing"

	"github.com/telepath-iot/telepath/peer/wire"
)

// FuzzMessage checks that whatever comes on the bus is taken apart or refused, and that what was read is what is written.
func FuzzMessage(f *testing.F) {
	f.Add(append(appendHead(nil, toHome, strings.Repeat("a", idLength), strings.Repeat("b", idLength)), 2, 6, 0))
	f.Add(appendHead(nil, leaving, strings.Repeat("a", idLength), strings.Repeat("b", idLength-1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, from, packet, err := parseMessage(data)
		if err != nil {
			return
		}
		if written := append(appendHead(nil, k, from.server, from.device), packet...); !bytes.Equal(written, data) {
			t.Errorf("%x became %x", data, written)
		}
		size := 0
		if err := eachFrame(packet, func(frame wire.Frame) { size += len(frame.Body) }); err == nil && size > len(packet) {
			t.Errorf("frames of %d bytes in a packet of %d", size, len(packet))
		}
	})
}
