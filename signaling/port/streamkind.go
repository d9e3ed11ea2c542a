package port

import "encoding/binary"

// kind is what a connection turns out to be.
type kind int

const (
	undecided kind = iota // more bytes are needed
	isHTTP
	isTLS
	isTURN
	isICE
	unknown // nobody's
)

// Positions and values of RFC 8489, section 5; RFC 4571, section 2; RFC 8446, section 5.1.
const (
	magicCookie  = 0x2112A442
	cookieAt     = 4 // bytes, behind type and length
	cookieEnd    = cookieAt + 4
	stunHeader   = 20 // bytes that a message's length does not count
	highestType  = 3  // of a STUN message's first byte
	lengthUnit   = 4  // a STUN message's length is a multiple of it
	framing      = 2  // bytes of length in front of each message of ICE-TCP
	highestFrame = 7  // of a frame's first byte: a first message has less than 2 KiB
	tlsHandshake = 0x16
	headBytes    = framing + cookieEnd // enough to tell all kinds apart
)

// kindOfStream says what a connection that begins with b is. Whoever has seen
// headBytes of it gets an answer; for HTTP and TLS one is enough.
func kindOfStream(b []byte) kind {
	switch {
	case len(b) == 0:
		return undecided
	case b[0] == tlsHandshake:
		return isTLS
	case isLetter(b[0]):
		return isHTTP
	case mayBeSTUN(b) && len(b) >= cookieEnd:
		return isTURN
	case mayBeFramed(b) && len(b) >= headBytes:
		return isICE
	case mayBeSTUN(b) || mayBeFramed(b):
		return undecided
	}
	return unknown
}

// isLetter: methods of HTTP consist of letters.
func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

// mayBeSTUN reports whether b is a message of STUN as far as it goes.
func mayBeSTUN(b []byte) bool {
	if len(b) > 0 && b[0] > highestType || len(b) > 3 && b[3]%lengthUnit != 0 {
		return false
	}
	cookie := binary.BigEndian.AppendUint32(make([]byte, 0, 4), magicCookie)
	for i := cookieAt; i < min(len(b), cookieEnd); i++ {
		if b[i] != cookie[i-cookieAt] {
			return false
		}
	}
	return true
}

// mayBeFramed reports whether b is, as far as it goes, a message of STUN behind its length.
func mayBeFramed(b []byte) bool {
	if len(b) < framing {
		return len(b) == 0 || b[0] <= highestFrame
	}
	length, message := int(binary.BigEndian.Uint16(b)), b[framing:]
	if b[0] > highestFrame || length < stunHeader || length%lengthUnit != 0 || !mayBeSTUN(message) {
		return false
	}
	return len(message) < cookieAt || length == stunHeader+int(binary.BigEndian.Uint16(message[2:]))
}
