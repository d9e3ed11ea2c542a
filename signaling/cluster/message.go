package cluster

import (
	"fmt"

	"github.com/telepath-iot/telepath/peer/wire"
)

// kind says what a message between servers is.
type kind byte

// The kinds.
const (
	toHome   kind = 'h' // frames of viewers to the device's home
	toViewer kind = 'v' // frames of a device to where it is watched
	leaving  kind = 'l' // the sender watches the device no more
)

// idLength of a server's and of a device's id: hex digits of 16 bytes.
const idLength = 32

// A message is one packet between two servers:
//
//	message = kind:u8  server:32 hex digits  device:32 hex digits  packet
//
// server is the sender.
func appendHead(b []byte, k kind, server, device string) []byte {
	b = append(b, byte(k))
	b = append(b, server...)
	return append(b, device...)
}

func parseMessage(data []byte) (k kind, from key, packet []byte, err error) {
	if len(data) < 1+2*idLength {
		return 0, key{}, nil, fmt.Errorf("message of %d bytes between servers", len(data))
	}
	from = key{server: string(data[1 : 1+idLength]), device: string(data[1+idLength : 1+2*idLength])}
	return kind(data[0]), from, data[1+2*idLength:], nil
}

// eachFrame takes a packet apart. The error is of the last frame that cannot be read.
func eachFrame(packet []byte, f func(wire.Frame)) (broken error) {
	for frame, err := range wire.Frames(packet) {
		if err != nil {
			broken = fmt.Errorf("packet between servers: %w", err)
			continue
		}
		f(frame)
	}
	return broken
}
