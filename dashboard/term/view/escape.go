package view

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Escape makes a text from a device safe to show in a terminal: what could
// move the cursor, change colours or turn the direction of reading is shown as
// its code instead.
func Escape(text string) string {
	safe := true
	for _, r := range text {
		safe = safe && wire.Printable(r)
	}
	if safe {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case wire.Printable(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}
