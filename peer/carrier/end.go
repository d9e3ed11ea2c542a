package carrier

import (
	"bytes"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// EndPacket is the packet that tells the other end why a link ends, on rungs
// that have no other place for it (protocol section 6.7). Nil:
// nothing can be said, or need be.
func EndPacket(cause error) []byte {
	m := signal.Message{Type: signal.End}
	switch cause := cause.(type) {
	case *CloseError:
		if cause.Remote {
			return nil
		}
		m.Code, m.Reason = cause.Code.Name, cause.Reason
	case Left:
	default:
		return nil
	}
	body, err := m.Append(nil)
	if err != nil { // a code and a reason always encode
		return nil
	}
	return wire.AppendFrame(nil, wire.TypeSignal, wire.Hop{}, body)
}

// SplitEnd separates the signal `end` from the frames before it. bye is nil
// if there is none.
func SplitEnd(packet []byte) (frames []byte, bye error) {
	for rest := packet; len(rest) > 0; {
		f, next, err := wire.NextFrame(rest)
		if next == nil { // it breaks off: receive will say so
			return packet, nil
		}
		if err == nil && len(next) == 0 {
			if bye = parseEnd(f); bye != nil {
				return packet[:len(packet)-len(rest)], bye
			}
		}
		rest = next
	}
	return packet, nil
}

// parseEnd reads the signal `end`, nil if f is none.
func parseEnd(f wire.Frame) error {
	if f.Type != wire.TypeSignal || f.Hop.Conn != 0 || !bytes.Contains(f.Body, []byte(`"`+signal.End+`"`)) {
		return nil
	}
	m, err := signal.Parse(f.Body)
	switch {
	case err != nil || m.Type != signal.End:
		return nil
	case m.Code == "":
		return ErrClosed
	}
	return &CloseError{Code: wire.CodeByName(m.Code), Reason: m.Reason, Remote: true}
}
