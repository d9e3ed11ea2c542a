package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Sizes in bytes, and what tells frames apart (RFC 8489, section 5; RFC 8656, section 12.4).
const (
	stunHeader    = 20
	cookieEnd     = 8 // of a STUN header: type, length, magic cookie
	channelHeader = 4
	alignment     = 4 // of ChannelData on a stream, and of STUN's attributes anywhere

	magicCookie     = 0x2112A442
	maxSTUNByte     = 0x03
	minChannelByte  = 0x40
	maxChannelByte  = 0x7F
	lengthAt        = 2
	transactionAt   = cookieEnd
	transactionSize = stunHeader - transactionAt
)

// maxFrame is the longest frame that is handed on, in bytes: a datagram of
// Ethernet's 1,500 with what TURN puts around it. WebRTC's own end at 1,280.
const maxFrame = 1600

var (
	errMalformed = errors.New("neither STUN nor ChannelData")
	errTooLong   = fmt.Errorf("a frame of more than %d bytes", maxFrame)
)

// frameSize is the size of the frame whose first channelHeader bytes are head,
// and how many bytes of padding follow it on a stream.
func frameSize(head []byte) (size, padding int, err error) {
	length := int(binary.BigEndian.Uint16(head[lengthAt:]))
	switch {
	case head[0] <= maxSTUNByte && length%alignment == 0:
		return stunHeader + length, 0, nil
	case head[0] >= minChannelByte && head[0] <= maxChannelByte:
		return channelHeader + length, (alignment - length%alignment) % alignment, nil
	}
	return 0, 0, errMalformed
}

// readFrame reads one frame of a stream into p, without its padding. Behind a
// frame that is too long (errTooLong) the next one can be read; any other error
// is the stream's end.
func readFrame(r *bufio.Reader, p []byte) (int, error) {
	head, err := r.Peek(channelHeader)
	if err != nil {
		return 0, err
	}
	size, padding, err := frameSize(head)
	if err != nil {
		return 0, err
	}
	if head[0] <= maxSTUNByte {
		if err := checkCookie(r); err != nil {
			return 0, err
		}
	}
	if size > min(len(p), maxFrame) {
		if _, err := r.Discard(size + padding); err != nil {
			return 0, err
		}
		return 0, errTooLong
	}
	if _, err := io.ReadFull(r, p[:size]); err != nil {
		return 0, err
	}
	_, err = r.Discard(padding)
	return size, err
}

func checkCookie(r *bufio.Reader) error {
	head, err := r.Peek(cookieEnd)
	if err != nil {
		return err
	}
	if binary.BigEndian.Uint32(head[channelHeader:]) != magicCookie {
		return errMalformed
	}
	return nil
}
