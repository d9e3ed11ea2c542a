package balance

import (
	"math/rand/v2"
	"slices"
	"time"
)

// packet is something under way.
type packet[T any] struct {
	arrives time.Duration
	body    T
}

// way is one direction of a model of a network: what is sent comes later, or not at all. It carries messages as a data channel
// without repeats does, or in order and without loss, as a stream over TCP does.
type way[T any] struct {
	rand    *rand.Rand
	delay   time.Duration
	jitter  time.Duration // added, uniform
	loss    float64
	ordered bool

	last    time.Duration // ordered: nothing may come before it
	flights []packet[T]
}

// What a stream does about a lost segment, after RFC 8985 and RFC 6298: it is found missing by what was sent behind it, a quarter of a
// round trip after the acknowledgement was due; a repeat that is lost, too, waits for a timer, which doubles. Cheaper than the truth: its
// congestion window never bounds it.
const leastTimer = 200 * time.Millisecond

func (w *way[T]) send(now time.Duration, body T) {
	arrives := now + w.travel()
	if lost := w.rand.Float64() < w.loss; lost && !w.ordered {
		return
	} else if lost {
		arrives = w.repeated(now)
	}
	if w.ordered {
		arrives = max(arrives, w.last)
		w.last = arrives
	}
	w.flights = append(w.flights, packet[T]{arrives, body})
}

func (w *way[T]) repeated(sent time.Duration) (arrives time.Duration) {
	again := sent + 2*w.delay*5/4
	for timer := 2*w.delay + leastTimer; w.rand.Float64() < w.loss; timer *= 2 {
		again += timer
	}
	return again + w.travel()
}

func (w *way[T]) travel() time.Duration {
	return w.delay + time.Duration(w.rand.Float64()*float64(w.jitter))
}

// arrived is what has come by now, in the order in which it did.
func (w *way[T]) arrived(now time.Duration) (bodies []T) {
	if len(w.flights) == 0 {
		return nil
	}
	slices.SortStableFunc(w.flights, func(a, b packet[T]) int { return int(a.arrives - b.arrives) })
	n := 0
	for ; n < len(w.flights) && w.flights[n].arrives <= now; n++ {
		bodies = append(bodies, w.flights[n].body)
	}
	w.flights = w.flights[n:]
	return bodies
}
