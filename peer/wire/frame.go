package wire

import "iter"

// Priority is a hint for queues in the hop part.
type Priority uint8

// The priorities, by their two bits.
const (
	Normal Priority = iota
	Low
	High
	Urgent
)

// Hop is what a relay may rewrite in a frame (section 3.1).
type Hop struct {
	Conn     uint64 // conn number; 0: none
	Retained bool   // a value kept by the server or the device, no live sample
	Held     uint64 // ms since the keeper got it, if Retained
	Priority Priority
	Store    bool // device to server: keep, forward to nobody
}

const (
	hopConn     = 1 << 0
	hopRetained = 1 << 1
	hopStore    = 1 << 4
	flagExt     = 1 << 7 // of hop and header: an extension follows
)

// Frame is one frame of a packet, opened as far as a relay needs.
type Frame struct {
	Type Type
	Hop  Hop
	Body []byte // aliases the packet
	Last bool   // nothing follows in the packet: a good moment to flush
}

// Frames are those of a packet, in order. An error stands for one that cannot
// be read: it harms nothing but itself, those behind it follow. Only where a
// length is wrong nobody knows where the next one begins, and nothing follows.
func Frames(packet []byte) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for len(packet) > 0 {
			f, rest, err := NextFrame(packet)
			if !yield(f, err) {
				return
			}
			packet = rest
		}
	}
}

// NextFrame reads the frame at the front of packet, for who must know where it
// ends; others range over Frames. An error with a rest concerns this frame
// alone. rest is nil only with an error that ends the reading of the packet.
func NextFrame(packet []byte) (f Frame, rest []byte, err error) {
	length, b, err := Uvarint(packet)
	if err != nil {
		return f, nil, err
	}
	if length == 0 || length > uint64(len(b)) {
		return f, nil, ErrShort
	}
	rest = b[length:]
	r := reader{b: b[:length]}
	f.Type = Type(r.u8())
	flags := r.u8()
	if flags&hopConn != 0 {
		f.Hop.Conn = r.uvarint(MaxInt)
	}
	if flags&hopRetained != 0 {
		f.Hop.Retained = true
		f.Hop.Held = r.uvarint(MaxInt)
	}
	f.Hop.Priority = Priority(flags >> 2 & 3)
	f.Hop.Store = flags&hopStore != 0
	if flags&flagExt != 0 {
		r.skipExt()
	}
	if r.err != nil {
		return Frame{}, rest, r.err
	}
	f.Body, f.Last = r.b, len(rest) == 0
	return f, rest, nil
}

// AppendFrame appends a frame with the given body.
func AppendFrame(b []byte, t Type, hop Hop, body []byte) []byte {
	b = AppendUvarint(b, uint64(2+hop.size()+len(body)))
	b = append(b, byte(t))
	b = hop.append(b)
	return append(b, body...)
}

// FrameSize is the number of bytes that AppendFrame appends.
func FrameSize(hop Hop, body int) int {
	n := 2 + hop.size() + body
	return uvarintLen(uint64(n)) + n
}

// size is the length of the hop part behind its flags.
func (h Hop) size() int {
	n := 0
	if h.Conn != 0 {
		n += uvarintLen(h.Conn)
	}
	if h.Retained {
		n += uvarintLen(h.Held)
	}
	return n
}

func (h Hop) append(b []byte) []byte {
	flags := byte(h.Priority&3) << 2
	if h.Conn != 0 {
		flags |= hopConn
	}
	if h.Retained {
		flags |= hopRetained
	}
	if h.Store {
		flags |= hopStore
	}
	b = append(b, flags)
	if h.Conn != 0 {
		b = AppendUvarint(b, h.Conn)
	}
	if h.Retained {
		b = AppendUvarint(b, h.Held)
	}
	return b
}
