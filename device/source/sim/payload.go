package sim

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// A payload:
//
//	counter:u64  time:u64 (µs)  checksum:u32  noise:rest
//
// big endian. The checksum is CRC-32C of everything else; the noise is different in every payload and cannot be compressed.
const headSize = 20

// MinSize and MaxSize bound a payload, in bytes. The upper one is the protocol's for a value.
const (
	MinSize = headSize
	MaxSize = 8192
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrPayload is what Check says of bytes that no simulation made, or that were damaged.
var ErrPayload = errors.New("sim: damaged payload")

// AppendPayload appends a payload of size bytes, which is at least MinSize.
func AppendPayload(dst []byte, size int, counter uint64, t int64) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, counter)
	dst = binary.BigEndian.AppendUint64(dst, uint64(t))
	dst = append(dst, 0, 0, 0, 0)
	dst = appendNoise(dst, size-headSize, counter^uint64(t))
	p := dst[start:]
	binary.BigEndian.PutUint32(p[16:], checksum(p))
	return dst
}

// Check verifies a payload and returns its number and its time in µs.
func Check(p []byte) (counter uint64, t int64, err error) {
	if len(p) < MinSize || binary.BigEndian.Uint32(p[16:]) != checksum(p) {
		return 0, 0, ErrPayload
	}
	return binary.BigEndian.Uint64(p), int64(binary.BigEndian.Uint64(p[8:])), nil
}

func checksum(p []byte) uint32 {
	return crc32.Update(crc32.Checksum(p[:16], castagnoli), castagnoli, p[headSize:])
}

// appendNoise appends n bytes of the SplitMix64 sequence.
func appendNoise(dst []byte, n int, seed uint64) []byte {
	for n > 0 {
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		var word [8]byte
		binary.BigEndian.PutUint64(word[:], z^z>>31)
		dst = append(dst, word[:min(n, 8)]...)
		n -= 8
	}
	return dst
}
