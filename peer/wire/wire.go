// Package wire is telepath's byte format: packets of frames, and what is in
// them. docs/protocol.md is normative; sections are cited from there.
//
//	packet = frame*
//	frame  = length:uvarint  type:u8  hop  body
//
// Parse functions take bytes and return values that alias them; append
// functions take and return a slice, as package binary's do. Nothing here
// allocates by a length that came from the network, has a clock or does I/O.
//
// Bytes behind the last known field are ignored, frames of unknown types are
// for the caller to skip: that is how later versions add to the format.
package wire

import "errors"

// Limits of section 3.6, in bytes unless named otherwise.
const (
	MaxPacket     = 65536
	MaxSignal     = 60000
	MaxData       = 16384
	MaxLiveData   = 1100 // on a data channel: one Live frame in one IP packet
	MaxSDP        = 16384
	MaxCandidate  = 1024
	MaxOpenHeader = 4096
	MaxStreams    = 256 // of a device
	MaxStreamID   = 65535
	HistoryStream = 65535 // of frames of class History: no device's own
	MaxStreamName = 128
	MaxDeviceName = 64
	MaxText       = 8192 // one text or bytes value
	MaxCount      = 1024 // samples in a batch
	MaxAckEntries = 256
	MaxAckRanges  = 32
	MaxCommand    = 16384 // of a Command's or an Outcome's JSON
	MaxDrive      = 512   // a Drive's body: MaxAxes setpoints, and room for what a later version adds
	FullProbe     = 1100  // length of a carrier's first probe frame and its echo
)

// Type says what a frame is (section 3).
type Type uint8

// The frame types. Others are skipped.
const (
	TypeData   Type = 1
	TypeAck    Type = 2
	TypeGap    Type = 3
	TypeProbe  Type = 4
	TypeEcho   Type = 5
	TypeSignal Type = 6

	TypeSerial  Type = 7
	TypeReceipt Type = 8
	TypeParity  Type = 9

	TypeTick    Type = 10
	TypeDrive   Type = 11
	TypeCommand Type = 12
	TypeOutcome Type = 13
)

// Class is a delivery class (section 5). It alone decides order, loss, queueing and replay.
type Class uint8

// The delivery classes, in the order of their numbers on the wire.
const (
	Signal Class = iota
	Call
	Event
	Setpoint
	Live
	History
	classes
)

var classNames = [classes]string{"signal", "call", "event", "setpoint", "live", "history"}

// String returns the class's name as command lines, JSON and metrics show it.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return "unknown"
}

// ParseClass is the inverse of String.
func ParseClass(name string) (Class, bool) {
	for c, n := range classNames {
		if n == name {
			return Class(c), true
		}
	}
	return 0, false
}

// Errors of all parsers. A caller counts them as the drop reason "malformed".
var (
	ErrShort   = errors.New("wire: ends too early")
	ErrRange   = errors.New("wire: value out of range")
	ErrVersion = errors.New("wire: header of another version")
)
