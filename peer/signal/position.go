package signal

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/telepath-iot/telepath/peer/wire"
)

// FormatEpoch writes an epoch as 8 hex digits, as signals, the command line and JSON show it.
func FormatEpoch(epoch uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], epoch)
	return hex.EncodeToString(b[:])
}

// FormatPosition writes EPOCH:SEQ.
func FormatPosition(epoch uint32, seq uint64) string {
	return fmt.Sprintf("%08x:%d", epoch, seq)
}

// ParsePosition reads EPOCH:SEQ.
func ParsePosition(text string) (epoch uint32, seq uint64, err error) {
	e, s, found := strings.Cut(text, ":")
	e64, errE := strconv.ParseUint(e, 16, 32)
	seq, errS := strconv.ParseUint(s, 10, 64)
	if !found || errE != nil || errS != nil || seq > wire.MaxInt {
		return 0, 0, fmt.Errorf("%.64q is not a position: want EPOCH:SEQ, such as 0a1b2c3d:1200", text)
	}
	return uint32(e64), seq, nil
}

// HelloBytes are the bytes that a device signs (section 6.1).
func HelloBytes(nonce []byte, name string) []byte {
	b := append([]byte("telepath hello v1\x00"), nonce...)
	return append(b, name...)
}
