package wire

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// CheckName says what is wrong with a device or stream name of at most limit
// bytes (section 3.6), in words for who chose it; nil if nothing is.
func CheckName(name string, limit int) error {
	switch {
	case name == "":
		return fmt.Errorf("the name is empty")
	case len(name) > limit:
		return fmt.Errorf("the name has %d bytes, more than %d", len(name), limit)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name is not valid UTF-8")
	case name[0] == ' ' || name[len(name)-1] == ' ':
		return fmt.Errorf("the name begins or ends with a space")
	}
	for i, r := range name {
		if !Printable(r) {
			return fmt.Errorf("the name has the character U+%04X at byte %d: control and invisible formatting characters are not allowed", r, i)
		}
	}
	return nil
}

// Printable reports whether r may stand in a name or be shown as it is:
// no control, format (bidirectional, zero width) or line separator character.
func Printable(r rune) bool {
	return r != utf8.RuneError && !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}
