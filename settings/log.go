package settings

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
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
	w := cmd.ErrOrStderr()
	direct := slog.New(handler(w, w, level))
	logs := logsOf(cmd.Context())
	if logs == nil {
		return direct, nil
	}
	async := &asyncWriter{to: w, missed: func(dropped int) {
		direct.Warn("nobody read this log: lines before this one are missing", "dropped", dropped)
	}}
	logs.add(async)
	return slog.New(handler(async, w, level)), nil
}

// handler writes to w what is to be read at the end of it.
func handler(w, end io.Writer, level slog.Level) slog.Handler {
	if !isTerminal(end) {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	}
	return people(w, level, Colour(end))
}

// people makes text to be read at a terminal.
func people(w io.Writer, level slog.Level, colour bool) slog.Handler {
	return tint.NewTextHandler(w, &tint.Options{
		Level:       level,
		TimeFormat:  time.TimeOnly,
		NoColor:     !colour,
		ReplaceAttr: tame,
	})
}

// tame leaves no text with an escape in it to tint, which makes one again of every \x1b that it had quoted, or that stood in the
// text as such: an error may quote what came from elsewhere. The rest tint quotes in attributes, not in the message.
func tame(groups []string, a slog.Attr) slog.Attr {
	text := ""
	switch a.Value.Kind() {
	case slog.KindString:
		text = a.Value.String()
	case slog.KindAny:
		switch a.Value.Any().(type) {
		case slog.Level, []byte:
			return a
		}
		text = fmt.Sprintf("%+v", a.Value.Any()) // as tint writes it
	default:
		return a
	}
	text = escapes.Replace(text)
	if a.Key == slog.MessageKey && len(groups) == 0 {
		text = strings.Map(harmless, text)
	}
	return slog.String(a.Key, text)
}

var escapes = strings.NewReplacer("\x1b", "␛", `\x1b`, `\u001b`)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Colour reports whether what is written to w may have colours: a person reads
// it at a terminal, and has not said otherwise (no-color.org).
func Colour(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }
