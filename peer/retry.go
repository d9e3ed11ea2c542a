package peer

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
)

// The waits of docs/protocol.md, section 6.6.
const (
	retryNow      = time.Second // full jitter up to this
	backoffFirst  = 250 * time.Millisecond
	backoffMax    = 10 * time.Second // so that all are back within 15 s of a server's return
	retrySlow     = 30 * time.Second
	stableLink    = 10 * time.Second // a link that lived so long starts the back-off anew
	firstAttempts = 2                // so many failures are retried at once, for a server that restarts
)

// backoff counts failures in a row and says how long to wait.
type backoff struct{ failures int }

func (b *backoff) reset() { b.failures = 0 }

// wait is the time until the next try, with jitter.
func (b *backoff) wait(policy wire.Retry) time.Duration {
	b.failures++
	switch policy {
	case wire.RetryNow:
		if b.failures <= firstAttempts {
			return rand.N(retryNow)
		}
	case wire.RetrySlow, wire.RetryNever:
		return retrySlow
	}
	limit := min(backoffFirst<<min(b.failures-1, 10), backoffMax)
	return limit/10 + rand.N(limit-limit/10)
}

// pause waits before the next try, or until the network is another. False: ctx is over.
func (b *backoff) pause(ctx context.Context, policy wire.Retry, changed <-chan struct{}) bool {
	wait := time.NewTimer(b.wait(policy))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-changed:
		b.reset()
	case <-wait.C:
	}
	return true
}

// refusal turns what a carrier says of its end into the error for the user.
func refusal(err error) error {
	var closed *carrier.CloseError
	var refused *carrier.Refused
	switch {
	case errors.As(err, &closed):
		return &RefusedError{Code: closed.Code.Name, Reason: closed.Reason}
	case errors.As(err, &refused):
		return &RefusedError{Code: refused.Code.Name, Reason: refused.Reason, Remedy: refused.Remedy}
	}
	return err
}

// explainedWithin is how long before the end of a link its server's word of why may have come.
const explainedWithin = time.Second

// told notes what the server says of something that it did not take. It ends
// nothing: the link goes on, unless the server closes it as well.
func (l *link) told(g *leg, m signal.Message) {
	l.endpoint.log().Warn("server refuses", "code", m.Code, "reason", m.Reason, "remedy", m.Remedy)
	g.refusal, g.refusedAt = &RefusedError{Code: m.Code, Reason: m.Reason, Remedy: m.Remedy}, l.loop.now()
}

// explained is why a link has ended: with a remedy, where the server gave one
// right before it closed the link with that code, which has no room for it.
func (l *link) explained(g *leg, err error) error {
	var closed *RefusedError
	word := g.refusal
	if word == nil || l.loop.now() > g.refusedAt+explainedWithin || !errors.As(err, &closed) || closed.Code != word.Code {
		return err
	}
	why := *closed
	why.Remedy = cmp.Or(why.Remedy, word.Remedy)
	if strings.HasPrefix(word.Reason, why.Reason) { // a close frame cuts it off
		why.Reason = word.Reason
	}
	return &why
}

// isTakenOver reports whether a link has ended because the same device said hello on another.
func isTakenOver(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Code == "taken-over"
}

// isRefusal reports whether somebody at one of the two ends has ended a link.
func isRefusal(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused)
}

// retryPolicy says when to dial again after err.
func retryPolicy(err error) wire.Retry {
	var refused *RefusedError
	var failure *carrier.Failure
	switch {
	case errors.As(err, &refused):
		return wire.CodeByName(refused.Code).Retry
	case errors.As(err, &failure) && strings.HasPrefix(failure.Name, "proxy-auth-"):
		return wire.RetrySlow // until somebody gives the right password
	}
	return wire.RetryNow
}
