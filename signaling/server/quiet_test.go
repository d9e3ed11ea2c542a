package server

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/peertest"
	"github.com/telepath-iot/telepath/peer/wire"
)

// TestServerLeavesTheWord: to who says something in time the server only answers, also where a keep alive is long; who says
// nothing is sent something in each keep alive.
func TestServerLeavesTheWord(t *testing.T) {
	const long = 10 * time.Minute
	for _, keepAlive := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute} {
		for name, c := range map[string]struct {
			answerEvery time.Duration // 0: nothing is answered
			longest     time.Duration // that nothing is sent
			own         int           // probes of the server at most
		}{
			"answering": {quietFor(keepAlive, lookEvery) - time.Second, keepAlive, 0},
			"silent":    {0, keepAlive, int(long / (keepAlive - 10*time.Second))},
		} {
			synctest.Test(t, func(t *testing.T) {
				sent := serverSends(t, keepAlive, c.answerEvery, long)
				answers := 0
				if c.answerEvery > 0 {
					answers = int(long / c.answerEvery)
				}
				if own := len(sent) - answers; own > c.own {
					t.Errorf("%s, keep alive %v: %d probes, want %d at most", name, keepAlive, own, c.own)
				}
				for i := 1; i < len(sent); i++ {
					if quiet := sent[i].Sub(sent[i-1]); quiet > c.longest {
						t.Errorf("%s, keep alive %v: quiet for %v", name, keepAlive, quiet)
					}
				}
				if len(sent) < int(long/keepAlive) {
					t.Errorf("%s, keep alive %v: %d packets in %v", name, keepAlive, len(sent), long)
				}
			})
		}
	}
}

// serverSends watches a link of that keep alive whose other end is heard, and answered now and then, and returns when something was sent.
func serverSends(t *testing.T, keepAlive, answerEvery, long time.Duration) (sent []time.Time) {
	t.Helper()
	near, far, _ := peertest.Pair(peertest.Config{Rung: ladder.WS, Stream: true, Delay: time.Millisecond})
	c := &client{carrier: near}
	c.heard.Begin(time.Now())
	c.keepAlive.Store(int64(keepAlive))
	ctx, stop := context.WithTimeout(t.Context(), long)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { _ = near.Run(ctx, func([]byte) {}) })
	running.Go(func() { _ = far.Run(ctx, func([]byte) { sent = append(sent, time.Now()) }) })
	running.Go(func() { every(ctx, time.Second, func() { c.heard.Set(time.Now()) }) })
	if answerEvery > 0 {
		probe := wire.AppendProbe(nil, wire.Hop{}, wire.Probe{})
		running.Go(func() { every(ctx, answerEvery, func() { c.Send(carrier.Frame{Bytes: probe, Control: true}) }) })
	}
	c.watch(ctx)
	running.Wait()
	return sent
}

// every calls do until ctx ends.
func every(ctx context.Context, d time.Duration, do func()) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(d):
			do()
		}
	}
}
