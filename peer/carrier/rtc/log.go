package rtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// logFactory lets pion speak to slog, at debug level: what it calls an error
// is mostly a peer that has gone away.
type logFactory struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (f logFactory) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{f.log, scope}
}

type pionLog struct {
	log   *slog.Logger
	scope string
}

// print formats only what somebody wants to read. Below warnings pion says
// something for every packet; nobody wants that.
func (l pionLog) print(level, format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pion: "+fmt.Sprintf(format, args...), "scope", l.scope, "level", level)
	}
}

func (l pionLog) Trace(string)                 {}
func (l pionLog) Tracef(string, ...any)        {}
func (l pionLog) Debug(string)                 {}
func (l pionLog) Debugf(string, ...any)        {}
func (l pionLog) Info(string)                  {}
func (l pionLog) Infof(string, ...any)         {}
func (l pionLog) Warn(msg string)              { l.print("warn", "%s", msg) }
func (l pionLog) Warnf(f string, args ...any)  { l.print("warn", f, args...) }
func (l pionLog) Error(msg string)             { l.print("error", "%s", msg) }
func (l pionLog) Errorf(f string, args ...any) { l.print("error", f, args...) }
