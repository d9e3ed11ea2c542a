package agent

import (
	"context"
	"errors"

	"github.com/telepath-iot/telepath/device/source"
)

// sink is the agent as sources see it.
type sink struct{ *Agent }

// Declare implements source.Sink.
func (s sink) Declare(stream source.Stream) (source.Writer, error) {
	w, err := s.Agent.Declare(stream)
	if err != nil {
		return nil, err // not w: a nil *Stream in an interface is not nil
	}
	return w, nil
}

// runSources runs all sources until ctx ends. A source that comes to its end,
// or fails, leaves the others and the link alone: what it published stays
// available. Only when all have failed there is nothing to stay for.
func (a *Agent) runSources(ctx context.Context) error {
	failed := make(chan error)
	for _, s := range a.config.Sources {
		go func() { failed <- s.Run(ctx, sink{a}) }()
	}
	var errs []error
	for range a.config.Sources {
		if err := <-failed; err != nil {
			errs = append(errs, err)
			a.config.Log.Error("a source has failed", "error", err)
		}
	}
	if n := len(a.config.Sources); n > 0 && len(errs) == n {
		return errors.Join(errs...)
	}
	<-ctx.Done()
	return nil
}
