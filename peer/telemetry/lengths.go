package telemetry

import (
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/wire"
)

// appendBools appends eight truths a byte, the first in bit 0.
func appendBools(dst []byte, bools []bool) []byte {
	for i, on := range bools {
		if i%8 == 0 {
			dst = append(dst, 0)
		}
		if on {
			dst[len(dst)-1] |= 1 << (i % 8)
		}
	}
	return dst
}

func decodeBools(bools []bool, b []byte, count int) ([]bool, error) {
	if len(b) < (count+7)/8 {
		return bools, wire.ErrShort
	}
	for i := range count {
		bools = append(bools, b[i/8]>>(i%8)&1 != 0)
	}
	return bools, nil
}

// appendLengths appends texts or bytes, each behind its length.
func appendLengths[T string | []byte](dst []byte, values []T) []byte {
	for _, v := range values {
		dst = wire.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

func decodeTexts(texts []string, b []byte, count int) ([]string, error) {
	for range count {
		text, rest, err := takeLength(b)
		if err != nil {
			return texts, err
		}
		if !utf8.Valid(text) {
			return texts, ErrUTF8
		}
		texts, b = append(texts, string(text)), rest
	}
	return texts, nil
}

func decodeBlobs(blobs [][]byte, b []byte, count int) ([][]byte, error) {
	for range count {
		blob, rest, err := takeLength(b)
		if err != nil {
			return blobs, err
		}
		blobs, b = append(blobs, blob), rest
	}
	return blobs, nil
}

// takeLength takes a length and that many bytes from the front of b.
func takeLength(b []byte) (value, rest []byte, err error) {
	n, b, err := wire.Uvarint(b)
	switch {
	case err != nil:
		return nil, nil, err
	case n > wire.MaxText:
		return nil, nil, ErrLong
	case n > uint64(len(b)):
		return nil, nil, wire.ErrShort
	}
	return b[:n:n], b[n:], nil
}
