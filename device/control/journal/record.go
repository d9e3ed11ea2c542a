package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"

	"github.com/telepath-iot/telepath/peer/wire"
)

const (
	head       = "telejnl1"
	recordHead = 8                       // bytes before the body
	maxRecord  = 2*wire.MaxCommand + 512 // bytes of a body: a result, in base64, and what is said of it
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

var (
	errCut     = errors.New("journal: a record is cut off")
	errCorrupt = errors.New("journal: a record is corrupt")
)

func appendRecord(b []byte, r Record) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return b, err
	}
	if len(body) > maxRecord {
		return b, errCorrupt
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crcTable))
	return append(b, body...), nil
}

// parseRecord reads the record that b begins with, and says how long it is.
func parseRecord(b []byte) (r Record, size int, err error) {
	if len(b) < recordHead {
		return r, 0, errCut
	}
	n := binary.BigEndian.Uint32(b)
	if n < 2 || n > maxRecord {
		return r, 0, errCorrupt
	}
	size = recordHead + int(n)
	if len(b) < size {
		return r, 0, errCut
	}
	body := b[recordHead:size]
	if crc32.Checksum(body, crcTable) != binary.BigEndian.Uint32(b[4:]) || json.Unmarshal(body, &r) != nil {
		return Record{}, 0, errCorrupt
	}
	return r, size, nil
}

// parseFile reads the records of a file. Damaged: there is something behind what could not be read.
func parseFile(b []byte) (records []Record, whole, damaged bool) {
	if len(b) < len(head) || string(b[:len(head)]) != head {
		return nil, false, false
	}
	bad := false
	for at := len(head); at < len(b); {
		r, size, err := parseRecord(b[at:])
		if err != nil {
			bad = true
			at++ // whether there is one further on
			continue
		}
		damaged = damaged || bad
		whole = whole || r.Whole
		records = append(records, r)
		at += size
	}
	return records, whole, damaged
}
