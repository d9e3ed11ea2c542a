package telemetry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Value is one value of any kind, as sources hand it in and screens take it
// out. Numbers and truths are held in place: making one allocates nothing. The
// zero Value is the number 0.
type Value struct {
	kind   Kind
	number float64 // of Number; 0 or 1 of Bool
	text   string
	blob   []byte
}

// NumberValue makes a number. One that is not finite is refused where it is
// added to a batch.
func NumberValue(x float64) Value { return Value{number: x} }

// BoolValue makes a truth.
func BoolValue(on bool) Value {
	v := Value{kind: Bool}
	if on {
		v.number = 1
	}
	return v
}

// TextValue makes a text.
func TextValue(text string) Value { return Value{kind: Text, text: text} }

// BytesValue makes a value of bytes, which stay the caller's until the value is
// encoded.
func BytesValue(blob []byte) Value { return Value{kind: Bytes, blob: blob} }

// Kind says which of the four it is.
func (v Value) Kind() Kind { return v.kind }

// Number returns a number; of a truth 0 or 1; of others 0.
func (v Value) Number() float64 { return v.number }

// Bool returns a truth; of others false.
func (v Value) Bool() bool { return v.kind == Bool && v.number != 0 }

// Text returns a text; of others "".
func (v Value) Text() string { return v.text }

// Bytes returns the bytes; of others nil.
func (v Value) Bytes() []byte { return v.blob }

// Check says why a value cannot be sent: ErrNotFinite, ErrUTF8 or ErrLong; nil
// if it can.
func (v Value) Check() error {
	switch {
	case v.kind == Number && !finite(v.number):
		return ErrNotFinite
	case v.kind == Text:
		return checkText(v.text)
	case len(v.blob) > wire.MaxText:
		return ErrLong
	}
	return nil
}

func checkText(text string) error {
	if len(text) > wire.MaxText {
		return ErrLong
	}
	if !utf8.ValidString(text) {
		return ErrUTF8
	}
	return nil
}

// String writes the value for people: a number as short as it can be read back,
// a text as it is, bytes by their count and their first ones.
func (v Value) String() string {
	const shown = 16 // bytes
	switch v.kind {
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Text:
		return v.text
	case Bytes:
		return fmt.Sprintf("%d bytes %x", len(v.blob), v.blob[:min(shown, len(v.blob))])
	default:
		return strconv.FormatFloat(v.number, 'g', -1, 64)
	}
}

// MarshalJSON writes a number, true or false, a string, or bytes as a string of
// base64url without padding, as signals have them.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case Bool:
		return strconv.AppendBool(nil, v.Bool()), nil
	case Text:
		return json.Marshal(v.text)
	case Bytes:
		return json.Marshal(base64.RawURLEncoding.EncodeToString(v.blob))
	default:
		return json.Marshal(v.number)
	}
}
