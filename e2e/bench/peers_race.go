package main

import (
	"slices"
	"sync"
	"time"
)

// race lets its runners do everything at the same time.
type race struct{ runners []*runner }

func (r *race) join(n *runner) { r.runners = append(r.runners, n) }

// run returns how busy the processors were meanwhile.
func (r *race) run() (busy float64, err error) {
	defer r.each((*runner).close)
	r.each((*runner).start)
	time.Sleep(warmUp)
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
		time.Sleep(500 * time.Millisecond)
	}
	time.Sleep(time.Second) // what is under way may come
	r.each((*runner).finish)
	return after.busySince(before), nil
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
