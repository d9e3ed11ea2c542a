package settings

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Log makes the program's logger on the command's error output, at the level
// of --log-level: text with colours for a person at a terminal, JSON for everything else.
func Log(cmd *cobra.Command) (*slog.Logger, error) {
	text, err := cmd.Flags().GetString("log-level")
	if err != nil {
		return nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return nil, Usagef("--log-level %q: want debug, info, warn or error", text)
	}
	return slog.New(handler(cmd.ErrOrStderr(), level)), nil
}

func handler(w io.Writer, level slog.Level) slog.Handler {
	if !isTerminal(w) {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
	return tint.NewTextHandler(w, &tint.Options{
		Level:      level,
		TimeFormat: time.TimeOnly,
		NoColor:    !Colour(w),
	})
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colour reports whether what is written to w may have colours: a person reads
// it at a terminal, and has not said otherwise (no-color.org).
func Colour(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }
