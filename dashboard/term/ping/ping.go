// Package ping measures the round trip to a device, end to end through
// whatever path the Conn has at that moment, and says which one it was.
package ping

import (
	"context"
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer"
)

// Pinger is what this package needs of a *peer.Conn.
type Pinger interface {
	Ping(ctx context.Context) (peer.Reply, error)
}

// Config says how often to ask.
type Config struct {
	Count    int           // 0: until the context ends
	Interval time.Duration // between pings; default 1 s
	Wait     time.Duration // for a reply, at most; default 3 s
	Each     func(Result) error
	Until    func(peer.Reply) bool // the reply that ends it; nil: none does
}

// Result is one ping.
type Result struct {
	Seq   int // from 1
	Reply peer.Reply
	Err   error // why there is no reply
}

// errNoReply is the Err of a ping whose reply did not come in time.
var errNoReply = errors.New("no reply")

// retryPath is how soon a ping is tried again while there is no path.
const retryPath = 20 * time.Millisecond

// Run pings until Count is reached, the reply came that Until waits for, or ctx ends. The error is Each's.
func Run(ctx context.Context, to Pinger, config Config) (Summary, error) {
	if config.Interval <= 0 {
		config.Interval = time.Second
	}
	if config.Wait <= 0 {
		config.Wait = 3 * time.Second
	}
	ticker := time.NewTicker(config.Interval)
	defer ticker.Stop()
	var trips []time.Duration
	sent := 0
	for config.Count == 0 || sent < config.Count {
		result := one(ctx, to, config.Wait)
		if ctx.Err() != nil {
			break
		}
		sent++
		result.Seq = sent
		if result.Err == nil {
			trips = append(trips, result.Reply.RoundTrip)
		}
		if err := config.Each(result); err != nil {
			return summarize(sent, trips), err
		}
		if result.Err == nil && config.Until != nil && config.Until(result.Reply) {
			s := summarize(sent, trips)
			s.Until = true
			return s, nil
		}
		if sent != config.Count {
			wait(ctx, ticker.C)
		}
	}
	return summarize(sent, trips), nil
}

func wait(ctx context.Context, tick <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-tick:
	}
}

// one sends a ping as soon as there is a path, and waits for its reply.
func one(ctx context.Context, to Pinger, patience time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		reply, err := to.Ping(ctx)
		switch {
		case err == nil:
			return Result{Reply: reply}
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			return Result{Err: errNoReply}
		case errors.Is(err, peer.ErrEnded): // who runs the Conn learns why, and ends ctx
			<-ctx.Done()
			return Result{Err: err}
		case !errors.Is(err, peer.ErrNoPath):
			return Result{Err: err}
		}
		if wait(ctx, time.After(retryPath)); ctx.Err() != nil {
			return Result{Err: err}
		}
	}
}
