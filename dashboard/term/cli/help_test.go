package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// helpWidth is how long a line of the programs' descriptions may be, in characters.
const helpWidth = 96

func TestHelpIsWrapped(t *testing.T) {
	for _, cmd := range append(Root().Commands(), Root()) {
		for line := range strings.Lines(cmd.Long) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
				t.Errorf("%s --help has a line of %d characters: %q", cmd.Name(), n, line)
			}
		}
	}
}
