package port

import "encoding/binary"

// What datagrams begin with (RFC 7983, section 7; RFC 8489; RFC 8656, section 12).
const (
	dtlsFirst, dtlsLast       = 20, 63
	channelFirst, channelLast = 64, 127
	dtlsHeader                = 13 // bytes of a record's
	channelHeader             = 4  // number, length
	attributeHeader           = 4  // type, length
	binding                   = 0x0001
	methodBits                = 0x3EEF // of a message's type; the others are its class
	classBits                 = 0x0110
	request                   = 0x0000
	username                  = 0x0006 // the attribute
)

// sideOfDatagram says whose datagram b is; false: nobody's.
func sideOfDatagram(b []byte) (Side, bool) {
	if len(b) == 0 {
		return 0, false
	}
	switch first := b[0]; {
	case first <= highestType:
		return sideOfSTUN(b)
	case first >= dtlsFirst && first <= dtlsLast:
		return ICE, len(b) > dtlsHeader
	case first >= channelFirst && first <= channelLast:
		return TURN, len(b) >= channelHeader && len(b)-channelHeader >= int(binary.BigEndian.Uint16(b[2:]))
	}
	return 0, false
}

// sideOfSTUN: peers of ICE tell in USERNAME whom they mean (RFC 8445, section
// 7.2.2), and answer and keep alive by Binding; what is left is for TURN.
func sideOfSTUN(b []byte) (Side, bool) {
	if len(b) < stunHeader || !mayBeSTUN(b) || len(b) != stunHeader+int(binary.BigEndian.Uint16(b[2:])) {
		return 0, false
	}
	kind := binary.BigEndian.Uint16(b)
	if kind&methodBits == binding && (kind&classBits != request || hasAttribute(b[stunHeader:], username)) {
		return ICE, true
	}
	return TURN, true
}

// hasAttribute looks for an attribute in the part of a message that holds them.
func hasAttribute(b []byte, kind uint16) bool {
	for len(b) >= attributeHeader {
		if binary.BigEndian.Uint16(b) == kind {
			return true
		}
		length := int(binary.BigEndian.Uint16(b[2:]))
		padded := attributeHeader + (length+lengthUnit-1)/lengthUnit*lengthUnit
		if padded > len(b) {
			return false
		}
		b = b[padded:]
	}
	return false
}
