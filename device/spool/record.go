package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/telepath-iot/telepath/peer/wire"
)

// The kinds of records.
const (
	kindBatch  = 1
	kindStream = 2
	kindGap    = 3
	kindFooter = 4
	kindEnd    = 5
	kindFinal  = 6
)

const (
	recordHead = 8                    // bytes before kind and body
	maxRecord  = wire.MaxData + 1<<10 // bytes of kind and body; a stream's meta is smaller
	maxFooter  = 2 << 20              // bytes of kind and body of a footer: 256 streams of several runs
)

var (
	// errCut: the bytes end within a record. There may be more of it later.
	errCut = errors.New("spool: a record is cut off")
	// errCorrupt: these bytes are no record.
	errCorrupt = errors.New("spool: a record is corrupt")
)

// crcTable is that of CRC-32C, for which processors have an instruction.
var crcTable = crc32.MakeTable(crc32.Castagnoli)

// beginRecord appends the head and kind of a record; endRecord fills in the
// rest when its body is there.
func beginRecord(b []byte, kind byte) []byte {
	return append(append(b, make([]byte, recordHead)...), kind)
}

// endRecord completes the record that begins at offset at.
func endRecord(b []byte, at int) []byte {
	content := b[at+recordHead:]
	binary.BigEndian.PutUint32(b[at:], uint32(len(content)))
	binary.BigEndian.PutUint32(b[at+4:], crc32.Checksum(content, crcTable))
	return b
}

// nextRecord reads the record at the front of b; body aliases it. size is how
// many bytes it takes, or, with errCut, how many it would take if that is known.
func nextRecord(b []byte, most int) (kind byte, body []byte, size int, err error) {
	if len(b) < recordHead {
		return 0, nil, recordHead, errCut
	}
	length := int64(binary.BigEndian.Uint32(b))
	if length == 0 || length > int64(most) {
		return 0, nil, 0, errCorrupt
	}
	size = recordHead + int(length)
	if len(b) < size {
		return 0, nil, size, errCut
	}
	content := b[recordHead:size]
	if crc32.Checksum(content, crcTable) != binary.BigEndian.Uint32(b[4:]) {
		return 0, nil, 0, errCorrupt
	}
	return content[0], content[1:], size, nil
}
