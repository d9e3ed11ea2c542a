package peer

import (
	"errors"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// maxWills bounds the wills of a device together, in bytes: they all ride in
// one hello, which is a signal of at most wire.MaxSignal bytes in base64.
const maxWills = 32 << 10

var errWill = errors.New("peer: the last wills of a device have at most 32 KiB together, and 16 kB each")

// SetWill sets what the server publishes on the stream when the device is cut
// off; nil: nothing. It copies payload, and counts from the next link on.
func (h *Host) SetWill(s *Stream, payload []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	total := len(payload)
	for _, other := range h.streams {
		if other != s {
			total += len(other.lastWill())
		}
	}
	if len(payload) > maxPayload || total > maxWills {
		return errWill
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.will = append([]byte(nil), payload...)
	return nil
}

func (s *Stream) lastWill() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.will
}

// wills are the streams' wills for a hello. Each has an epoch of its own,
// anew for each link: a second cut is another one to who saw the first.
func (h *Host) wills() (wills []signal.Will) {
	for _, s := range h.known {
		payload := s.lastWill()
		if len(payload) == 0 {
			continue
		}
		header := wire.Header{Class: wire.Event, Stream: s.id, Epoch: randomEpoch(), Seq: 1, Count: 1, Will: true}
		frame := []byte{byte(wire.TypeData), 0} // type, hop part: a frame without its length
		wills = append(wills, signal.Will{Frame: append(wire.AppendHeader(frame, header), payload...)})
	}
	return wills
}
