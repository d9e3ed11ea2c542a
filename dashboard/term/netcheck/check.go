package netcheck

import (
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

// Verdict is what a check has come to.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Failed  Verdict = "failed"
	Unknown Verdict = "unknown" // it could not be tried, or does not apply
)

// Check is the outcome of one check. Its texts may quote the network.
type Check struct {
	Name    string
	Verdict Verdict
	Took    time.Duration // what was measured; 0: nothing
	Detail  string        // what was seen
	Failure string        // failed: a name of the table of failures, or a code of the server's
	Reason  string        // failed: what happened; unknown: why
	Remedy  string        // what to do; may be empty
	Clock   *Offset       // of the check `clock`, if it is known
}

// The names of the checks, in their order. Scripts rely on them.
const (
	nameDNS   = "dns"
	nameTCP4  = "tcp4"
	nameTCP6  = "tcp6"
	nameIPv6  = "ipv6"
	nameProxy = "proxy"
	nameTLS   = "tls"
	nameHTTP1 = "http1"
	nameHTTP2 = "http2"
	nameUDP   = "udp"
	nameNAT   = "mapping"
	nameClock = "clock"

	latencyPrefix = "latency-" // and the rung
)

// The names of steps that are no checks of their own.
const (
	stepReach     = "reach"     // there is a connection
	stepHandshake = "handshake" // and TLS on it, if the URL asks for that
)

func ok(took time.Duration, detail string) Check {
	return Check{Verdict: OK, Took: took, Detail: detail}
}

func unknown(reason, remedy string) Check {
	return Check{Verdict: Unknown, Reason: reason, Remedy: remedy}
}

// failed names an error: the server's refusal by its code, everything else by
// the table of failures.
func failed(took time.Duration, err error) Check {
	f := explain(err)
	return Check{Verdict: Failed, Took: took, Detail: f.Detail, Failure: f.Name, Reason: f.Reason, Remedy: f.Remedy}
}

// explain is carrier.Explain for refusals, and for what a link may end with, too.
func explain(err error) *carrier.Failure {
	var known *carrier.Failure
	var refused *carrier.Refused
	var closed *carrier.CloseError
	switch {
	case errors.As(err, &known): // it may have a refusal as its cause
		return known
	case errors.As(err, &refused):
		return &carrier.Failure{Name: refused.Code.Name, Reason: refused.Reason, Remedy: refused.Remedy, Cause: err}
	case errors.As(err, &closed):
		return &carrier.Failure{Name: closed.Code.Name, Reason: closed.Reason, Cause: err}
	}
	return carrier.Explain(err)
}
