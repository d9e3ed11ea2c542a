package telemetry

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/wire"
)

// AppendSeconds appends µs as seconds with all six decimals.
func AppendSeconds(b []byte, micros int64) []byte {
	const second = 1_000_000
	if micros < 0 { // no honest clock says so, but a device may
		b, micros = append(b, '-'), -micros
	}
	b = strconv.AppendInt(b, micros/second, 10)
	point := len(b)
	b = strconv.AppendInt(b, second+micros%second, 10) // a leading 1 keeps the zeros
	b[point] = '.'
	return b
}

// AppendValue is AppendJSON of a Value, and allocates nothing for numbers, truths, bytes and most texts.
func AppendValue(b []byte, v Value) []byte {
	switch size := math.Abs(v.number); {
	case v.kind == Text:
		return AppendText(b, v.text)
	case v.kind == Bytes:
		return append(base64.RawURLEncoding.AppendEncode(append(b, '"'), v.blob), '"')
	case v.kind == Bool:
		return strconv.AppendBool(b, v.Bool())
	case size == 0 || size >= 1e-6 && size < 1e21: // written without an exponent
		return strconv.AppendFloat(b, v.number, 'f', -1, 64)
	}
	return AppendJSON(b, v)
}

// AppendText is AppendJSON of a text. Nearly all need no escape.
func AppendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return AppendJSON(b, text)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// AppendJSON appends v with everything escaped that a terminal could take for
// a command or that would turn the direction of reading: JSON may be looked at.
func AppendJSON(b []byte, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // no number, text or Value from the decoder fails
		return append(b, "null"...)
	}
	return appendPrintable(b, data)
}

// AppendRaw appends JSON that came from elsewhere, on one line, escaped as by AppendJSON but for what only HTML minds.
func AppendRaw(b []byte, raw json.RawMessage) []byte {
	var line bytes.Buffer
	if json.Compact(&line, raw) != nil {
		return append(b, "null"...)
	}
	return appendPrintable(b, line.Bytes())
}

func appendPrintable(b, data []byte) []byte {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if wire.Printable(r) {
			b = append(b, data[i:i+n]...)
		} else {
			b = appendEscaped(b, r)
		}
		i += n
	}
	return b
}

// appendEscaped appends the \u escape of a character (RFC 8259, section 7).
func appendEscaped(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}
