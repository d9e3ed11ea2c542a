package telemetry

import (
	"slices"

	"github.com/telepath-iot/telepath/peer/wire"
)

// The bits of a payload's first byte. The two highest are for later versions,
// which readers ignore.
const (
	formKind     = 7 // mask
	formEncoding = 3 // mask, behind the shift
	formShift    = 3
	formRegular  = 1 << 5
)

// Append appends the payload of a batch, in the smallest form. Times before
// 1970 count as 1970. An error says which rule the batch breaks; dst is
// returned as it was then.
func Append(dst []byte, b *Batch) ([]byte, error) {
	if n := b.Len(); n == 0 || n > wire.MaxCount || n != b.values() {
		return dst, ErrCount
	}
	if b.Kind >= kinds {
		return dst, ErrForm
	}
	encoding, err := b.check()
	if err != nil {
		return dst, err
	}
	form := byte(b.Kind) | byte(encoding)<<formShift
	payload, err := appendTimes(append(dst, form), len(dst), b.T)
	if err != nil {
		return dst, err
	}
	switch b.Kind {
	case Bool:
		payload = appendBools(payload, b.Bools)
	case Text:
		payload = appendLengths(payload, b.Texts)
	case Bytes:
		payload = appendLengths(payload, b.Blobs)
	default:
		payload = appendNumbers(payload, encoding, b.Numbers)
	}
	return payload, nil
}

// check looks at every value and chooses the encoding.
func (b *Batch) check() (encoding, error) {
	if b.Kind == Number {
		return smallest(b.Numbers)
	}
	for i := range b.Len() {
		if err := b.Value(i).Check(); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// Decode reads a payload of count samples into b, whose columns it reuses.
// Texts are copies; Blobs alias the payload. After an error b is empty.
func Decode(b *Batch, payload []byte, count int) error {
	if count < 1 || count > wire.MaxCount {
		b.Reset(Number)
		return ErrCount
	}
	if len(payload) == 0 {
		b.Reset(Number)
		return wire.ErrShort
	}
	form := payload[0]
	kind, enc := Kind(form&formKind), encoding(form>>formShift&formEncoding)
	b.Reset(kind)
	if !known(kind, enc) {
		return ErrForm
	}
	b.T = slices.Grow(b.T, count)[:count]
	rest, err := decodeTimes(b.T, payload[1:], form&formRegular != 0)
	if err == nil {
		err = b.decodeValues(enc, rest, count)
	}
	if err != nil {
		b.Reset(kind)
	}
	return err
}

func known(kind Kind, enc encoding) bool {
	if kind == Number {
		return enc <= integers
	}
	return kind < kinds && enc == 0
}

func (b *Batch) decodeValues(enc encoding, rest []byte, count int) (err error) {
	switch b.Kind {
	case Bool:
		b.Bools, err = decodeBools(b.Bools, rest, count)
	case Text:
		b.Texts, err = decodeTexts(b.Texts, rest, count)
	case Bytes:
		b.Blobs, err = decodeBlobs(b.Blobs, rest, count)
	default:
		b.Numbers = slices.Grow(b.Numbers, count)[:count]
		err = decodeNumbers(b.Numbers, enc, rest)
	}
	return err
}
