package view

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/wire"
)

// Link tells about the link to the server: that it is gone or cannot be made,
// once for each reason. Its methods are for Conn.Run's goroutine, and for
// others when that has ended.
type Link struct {
	Log *slog.Logger

	was    bool   // linked, at any time
	last   error  // why it is not, now
	reason string // told last
}

// Set is peer.Events.Link.
func (l *Link) Set(linked bool, err error) {
	if linked && err == nil {
		l.was, l.last, l.reason = true, nil, ""
		return
	}
	if err == nil || final(err) { // what is final ends the command, which tells it
		return
	}
	what := "refused, trying again"
	if !linked {
		l.last, what = err, "no link to the server, trying again"
	}
	if kind := kind(err); kind != l.reason {
		l.reason = kind
		l.Log.Warn(what, "reason", Escape(err.Error()))
	}
}

// Never is an error if there never was a link.
func (l *Link) Never() error {
	if l.was || l.last == nil {
		return nil
	}
	return fmt.Errorf("there was no link to the server: %w", l.last)
}

// final says whether a Conn ends with err.
func final(err error) bool {
	var refused *peer.RefusedError
	return errors.As(err, &refused) &&
		(refused.Code == "unknown-device" || wire.CodeByName(refused.Code).Retry == wire.RetryNever)
}

// kind is what was wrong, wherever it was met first, without its numbers: a
// rung or a port that differs each time makes no other reason.
func kind(err error) string {
	var failure *carrier.Failure
	if errors.As(err, &failure) {
		err = failure
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, err.Error())
}
