package telemetry

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/telepath-iot/telepath/peer/wire"
)

// encoding is how numbers are written: bits 3–4 of the form.
type encoding uint8

const (
	doubles  encoding = iota // binary64
	singles                  // binary32, when every value is exactly one
	integers                 // first value and differences, as svarints
)

// smallest chooses the encoding with the fewest bytes, among equals the lowest.
func smallest(numbers []float64) (encoding, error) {
	isSingle, isInteger := true, true
	size, last := 0, int64(0)
	for _, x := range numbers {
		if !finite(x) {
			return 0, ErrNotFinite
		}
		isSingle = isSingle && float64(float32(x)) == x
		if isInteger = isInteger && whole(x); isInteger {
			difference := int64(x) - last
			isInteger = -maxSigned <= difference && difference <= maxSigned
			size += svarintLen(difference)
			last = int64(x)
		}
	}
	best, least := doubles, 8*len(numbers)
	if isSingle {
		best, least = singles, 4*len(numbers)
	}
	if isInteger && size < least {
		best = integers
	}
	return best, nil
}

// whole reports whether an svarint can hold x: the negative zero is no integer.
func whole(x float64) bool {
	return math.Trunc(x) == x && math.Abs(x) <= maxSigned && (x != 0 || !math.Signbit(x))
}

func svarintLen(v int64) int {
	zigzag := uint64(v<<1) ^ uint64(v>>63)
	return max(1, (bits.Len64(zigzag)+6)/7)
}

func appendNumbers(dst []byte, enc encoding, numbers []float64) []byte {
	last := int64(0)
	for _, x := range numbers {
		switch enc {
		case singles:
			dst = binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(x)))
		case integers:
			dst = wire.AppendSvarint(dst, int64(x)-last)
			last = int64(x)
		default:
			dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(x))
		}
	}
	return dst
}

func decodeNumbers(numbers []float64, enc encoding, b []byte) error {
	switch enc {
	case singles:
		return decodeSingles(numbers, b)
	case integers:
		return decodeIntegers(numbers, b)
	default:
		return decodeDoubles(numbers, b)
	}
}

func decodeDoubles(numbers []float64, b []byte) error {
	if len(b) < 8*len(numbers) {
		return wire.ErrShort
	}
	for i := range numbers {
		x := math.Float64frombits(binary.BigEndian.Uint64(b[8*i:]))
		if !finite(x) {
			return ErrNotFinite
		}
		numbers[i] = x
	}
	return nil
}

func decodeSingles(numbers []float64, b []byte) error {
	if len(b) < 4*len(numbers) {
		return wire.ErrShort
	}
	for i := range numbers {
		x := float64(math.Float32frombits(binary.BigEndian.Uint32(b[4*i:])))
		if !finite(x) {
			return ErrNotFinite
		}
		numbers[i] = x
	}
	return nil
}

func decodeIntegers(numbers []float64, b []byte) error {
	value := int64(0)
	for i := range numbers {
		difference, rest, err := wire.Svarint(b)
		if err != nil {
			return err
		}
		if value += difference; value < -maxSigned || value > maxSigned {
			return wire.ErrRange
		}
		numbers[i], b = float64(value), rest
	}
	return nil
}
