package web

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Event streams as the WHATWG's HTML standard has them (section 9.2), of
// which packets need one field and comments.

// comment is an event stream's line that says nothing: something has come
// through.
const comment = ":\n\n"

var dataField = []byte("data:")

// appendEvent appends a packet as an event.
func appendEvent(b, packet []byte) []byte {
	b = append(append(b, dataField...), ' ')
	b = base64.RawURLEncoding.AppendEncode(b, packet)
	return append(b, '\n', '\n')
}

// maxLine is the longest line that can hold a packet.
var maxLine = len("data: \r\n") + base64.RawURLEncoding.EncodedLen(wire.MaxPacket)

var errLongLine = errors.New("a line of the event stream is longer than a packet can be")

// events takes an event stream apart. Its memory grows by what has come, up
// to the largest packet.
type events struct {
	r      *bufio.Reader
	long   []byte // the line, if it did not fit r's buffer
	packet []byte
}

// streamBuffer is what an event stream's reader starts with, in bytes: one
// packet of coalesced frames, encoded, mostly fits.
const streamBuffer = 4 << 10

func newEvents(r io.Reader) *events { return &events{r: bufio.NewReaderSize(r, streamBuffer)} }

// next returns the next packet, which is valid until it is called again.
func (e *events) next() ([]byte, error) {
	for {
		line, err := e.line()
		if err != nil {
			return nil, err
		}
		text, isData := bytes.CutPrefix(line, dataField)
		if text = bytes.TrimPrefix(text, []byte(" ")); !isData || len(text) == 0 {
			continue // a comment, the end of an event, a field of a later version
		}
		return e.decode(text)
	}
}

func (e *events) decode(text []byte) ([]byte, error) {
	var err error
	if e.packet, err = base64.RawURLEncoding.AppendDecode(e.packet[:0], text); err != nil {
		return nil, fmt.Errorf("an event is not base64url: %w", err)
	}
	if len(e.packet) > wire.MaxPacket {
		return nil, errLongLine
	}
	return e.packet, nil
}

// line returns the next line without its end.
func (e *events) line() ([]byte, error) {
	line, err := e.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = e.longLine(line)
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

// longLine collects a line that begins with part.
func (e *events) longLine(part []byte) ([]byte, error) {
	e.long = append(e.long[:0], part...)
	for {
		part, err := e.r.ReadSlice('\n')
		if len(e.long)+len(part) > maxLine {
			return nil, errLongLine
		}
		e.long = append(e.long, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return e.long, err
		}
	}
}
