// Package netcheck finds out what the way to a server is like: what an
// engineer wants to know on the machine whose connection does not come up, or
// stands on a bad rung.
//
// Each step of the way is a check: the name, the address, the proxy, TLS,
// HTTP, and each rung of links on its own, where a real link races them. A
// check is ok, has failed under a name of the table of failures
// (peer/carrier/failures.json) or a code of the server's, or is unknown, with
// the reason. What could not be tried is unknown, never failed.
//
// The checks run side by side as far as one does not need another (plan.go),
// and all of them in bounded time.
package netcheck

import (
	"context"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer"
)

// Config says what to check, and how long.
type Config struct {
	Endpoint peer.Endpoint

	// Timeout bounds all checks together. Default DefaultTimeout.
	Timeout time.Duration

	// Each is called with every check, in the order of the list, as soon as it
	// and those before it are known. An error ends the run.
	Each func(Check) error
}

// DefaultTimeout is enough for four steps that are answered late, and short
// enough to wait for.
const DefaultTimeout = 8 * time.Second

// The parts of the timeout. Steps that need one another come one after the
// other; a step that stalls must leave time for what can be done without it.
const (
	stepShare = 0.3   // of a step
	openShare = 0.45  // of the opening of a link, which may stall twice
	leave     = 0.125 // for goodbyes
)

// Run makes all checks and says what they come to. The error is Each's, or a
// mistake in the configuration.
func Run(ctx context.Context, cfg Config) (Summary, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	s, err := newSurvey(cfg)
	if err != nil {
		return Summary{}, err
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(ctx, share(cfg.Timeout, 1-leave))
	defer cancel()
	p := newPlan(s.tasks())
	var tasks sync.WaitGroup
	defer tasks.Wait()
	p.start(ctx, &tasks)
	for _, o := range p.shown() {
		<-o.done
		if cfg.Each == nil {
			continue
		}
		if err := cfg.Each(o.check); err != nil {
			cancel()
			return Summary{}, err
		}
	}
	tasks.Wait()
	return s.summarize(p), nil
}

func share(d time.Duration, part float64) time.Duration { return time.Duration(float64(d) * part) }
