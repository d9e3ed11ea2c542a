package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// race lets its runners do everything at the same time.
type race struct{ runners []*runner }

func (r *race) join(n *runner) { r.runners = append(r.runners, n) }

// run returns how busy the processors were meanwhile.
func (r *race) run(ctx context.Context) (busy float64, err error) {
	defer r.each((*runner).close)
	r.each((*runner).start)
	if err := pause(ctx, warmUp); err != nil {
		return 0, err
	}
	before, err := processors()
	if err != nil {
		return 0, err
	}
	r.each((*runner).cross)
	after, err := processors()
	if err != nil {
		return 0, err
	}
	for deadline := time.Now().Add(comeBack); !r.fresh() && time.Now().Before(deadline); {
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, time.Second); err != nil { // what is under way may come
		return 0, err
	}
	r.each((*runner).finish)
	return after.busySince(before), nil
}

func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-time.After(length):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// each returns when all have done it; who has failed does nothing any more.
func (r *race) each(do func(*runner)) {
	var done sync.WaitGroup
	for _, n := range r.runners {
		done.Go(func() { do(n) })
	}
	done.Wait()
}

func (r *race) fresh() bool {
	return !slices.ContainsFunc(r.runners, func(n *runner) bool { return n.err == nil && !n.isFresh() })
}
