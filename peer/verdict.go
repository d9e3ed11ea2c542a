package peer

import (
	"errors"
	"slices"
	"strings"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// Verdict is why a rung does not carry.
type Verdict struct {
	Rung    ladder.Rung
	Failure *carrier.Failure
}

// rungWords name the rungs of links for people.
var rungWords = map[ladder.Rung]string{
	ladder.RelayUDP: "UDP to the server", ladder.RelayTCP: "TCP to the server",
	ladder.WS: "WebSocket", ladder.SSE: "event stream", ladder.Poll: "long polling",
}

// concernsAll reports whether a failure is that of all rungs: the server has
// answered, or its address does not.
func concernsAll(err error) bool {
	var refused *carrier.Refused
	var failure *carrier.Failure
	switch {
	case errors.As(err, &failure):
		return slices.Contains(addressFailures, failure.Name) || strings.HasPrefix(failure.Name, "proxy-")
	case errors.As(err, &refused):
		return refused.Code.Name != "internal" // what something between may say, or a server that lacks this rung
	}
	return false
}

var addressFailures = []string{"dns", "refused", "unreachable", "timeout", "tls-untrusted", "tls-intercepted", "tls-failed"}

// allFailed is the first error, and what the others say where that differs.
func allFailed(errs []error, verdicts []Verdict) error {
	same := func(v Verdict) bool { return v.Failure.Name == verdicts[0].Failure.Name }
	if len(verdicts) == 0 || !slices.ContainsFunc(verdicts, func(v Verdict) bool { return !same(v) }) {
		return errs[0]
	}
	return &noLinkError{cause: errs[0], text: words(verdicts)}
}

// noLinkError is what all rungs say.
type noLinkError struct {
	cause error
	text  string
}

func (e *noLinkError) Error() string { return "no link: " + e.text }
func (e *noLinkError) Unwrap() error { return e.cause }

// words says what failed, best rung first.
func words(verdicts []Verdict) string {
	list := slices.Clone(verdicts)
	slices.SortStableFunc(list, func(a, b Verdict) int { return int(a.Rung) - int(b.Rung) })
	var parts []string
	for _, v := range list {
		parts = append(parts, rungWords[v.Rung]+": "+v.Failure.Brief())
	}
	return strings.Join(parts, "; ")
}
