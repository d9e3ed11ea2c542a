package agent

import (
	"log/slog"
	"strings"
	"unicode"
)

// outage tells why there is no link, once for each reason: the device tries
// again for as long as it takes, and a log is no place to count that.
// It is used from one goroutine.
type outage struct {
	log    *slog.Logger
	reason string // told last
}

// set takes the state of the link.
func (o *outage) set(linked bool, err error) {
	switch {
	case linked:
		o.reason = ""
	case err != nil && kind(err) != o.reason:
		o.reason = kind(err)
		o.log.Warn("not linked to the server, trying again", "reason", err.Error())
	}
}

// kind is an error without its numbers: a port that differs each time makes no other reason.
func kind(err error) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, err.Error())
}
