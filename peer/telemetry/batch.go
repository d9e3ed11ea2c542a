package telemetry

import (
	"errors"
	"fmt"

	"github.com/telepath-iot/telepath/peer/wire"
)

// What is wrong with samples or a payload, beside wire.ErrShort and
// wire.ErrRange. Who receives such a payload counts it as "malformed".
var (
	ErrForm      = errors.New("telemetry: unknown kind or encoding")
	ErrNotFinite = errors.New("telemetry: the number is not finite")
	ErrUTF8      = errors.New("telemetry: the text is not valid UTF-8")
	ErrLong      = fmt.Errorf("telemetry: the text or the bytes are longer than %d", wire.MaxText)
	ErrKind      = errors.New("telemetry: the value is of another kind than its batch")
	ErrCount     = fmt.Errorf("telemetry: a batch has 1 to %d samples", wire.MaxCount)
)

// Batch is samples of one kind in columns. Of Numbers, Bools, Texts and Blobs
// only the one of its kind is filled, as long as T.
type Batch struct {
	Kind    Kind
	T       []int64 // when each sample was taken: µs since the Unix epoch on the device's clock
	Numbers []float64
	Bools   []bool
	Texts   []string
	Blobs   [][]byte
}

// Len is the number of samples.
func (b *Batch) Len() int { return len(b.T) }

// Reset empties the batch for samples of a kind; it keeps the memory of the
// columns, but no text and no bytes.
func (b *Batch) Reset(kind Kind) {
	clear(b.Texts)
	clear(b.Blobs)
	b.Kind = kind
	b.T, b.Numbers, b.Bools = b.T[:0], b.Numbers[:0], b.Bools[:0]
	b.Texts, b.Blobs = b.Texts[:0], b.Blobs[:0]
}

// Add appends one sample. An error says why it cannot be sent; the batch is as
// it was then.
func (b *Batch) Add(t int64, v Value) error {
	if v.kind != b.Kind {
		return ErrKind
	}
	if err := v.Check(); err != nil {
		return err
	}
	if b.Len() >= wire.MaxCount {
		return ErrCount
	}
	b.T = append(b.T, t)
	switch v.kind {
	case Bool:
		b.Bools = append(b.Bools, v.Bool())
	case Text:
		b.Texts = append(b.Texts, v.text)
	case Bytes:
		b.Blobs = append(b.Blobs, v.blob)
	default:
		b.Numbers = append(b.Numbers, v.number)
	}
	return nil
}

// Value returns the value of sample i, 0 ≤ i < Len.
func (b *Batch) Value(i int) Value {
	switch b.Kind {
	case Bool:
		return BoolValue(b.Bools[i])
	case Text:
		return TextValue(b.Texts[i])
	case Bytes:
		return BytesValue(b.Blobs[i])
	default:
		return NumberValue(b.Numbers[i])
	}
}

// values is how many values the column of the batch's kind has.
func (b *Batch) values() int {
	switch b.Kind {
	case Bool:
		return len(b.Bools)
	case Text:
		return len(b.Texts)
	case Bytes:
		return len(b.Blobs)
	default:
		return len(b.Numbers)
	}
}
