package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// TestLogHasNoEscapeButItsColours: what comes from elsewhere, and stands in a text, an error, a list or an escape of its own,
// reaches no terminal as a command.
func TestLogHasNoEscapeButItsColours(t *testing.T) {
	const evil = "\x1b]52;c;eA==\x1b\\ \u009b2J\u202e"
	ours := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	for _, colour := range []bool{true, false} {
		var out strings.Builder
		log := slog.New(people(&out, slog.LevelInfo, colour))
		log.Warn("path: "+evil, "err", fmt.Errorf("signal %.32q: %w", evil, errors.New(evil)), "list", []string{evil, `\x1b[2J`},
			"text", evil, "quoted", `\x1b[2J `, slog.Group("group", "text", evil), "bytes", []byte(evil))
		log.With("text", evil, "any", any(errors.New(evil))).WithGroup("g").Info("y", "quoted", fmt.Sprintf("%q ", evil))
		if left := ours.ReplaceAllString(out.String(), ""); strings.ContainsAny(left, "\x1b\u009b\u202e") || strings.Count(left, "\n") != 2 {
			t.Errorf("colours %v: %q", colour, left)
		}
		if colour != strings.Contains(out.String(), "\x1b[93mWRN") {
			t.Errorf("colours %v: %q", colour, out.String())
		}
	}
}

func TestLogShowsWhatItIsTold(t *testing.T) {
	var out strings.Builder
	log := slog.New(people(&out, slog.LevelInfo, false))
	log.Info("link up", "err", errors.New("a b"), "addr", netip.MustParseAddrPort("[::1]:80"), "list", []string{"a", "b"}, "bytes", []byte("ab"), "esc", `\x1b`, "n", 1.5)
	if want := `INF link up err="a b" addr=[::1]:80 list="[a b]" bytes="ab" esc=\u001b n=1.5` + "\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
