package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/device/machine/balance"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/peer/wire"
)

// forceAxis is the cart's motor.
const forceAxis = 1

// Result is what became of it.
type Result struct {
	Up     float64 `json:"up_s"`  // that the pole stayed up
	Ended  string  `json:"ended"` // why no longer
	Path   string  `json:"path"`  // at the end
	Forces int     `json:"forces"`
	AgeP50 float64 `json:"age_ms_p50"` // of what a force answers, when it acts
	AgeP99 float64 `json:"age_ms_p99"`
	TripMS float64 `json:"round_trip_ms"` // at the end
}

// balancer is the hand.
type balancer struct {
	remote *peer.Remote
	seen   *poleSeen
	hand   uint64
	letGo  bool
	ages   []time.Duration
}

func newBalancer(endpoint peer.Endpoint, device string) (*balancer, error) {
	b := &balancer{seen: newPoleSeen()}
	view := peer.ViewConfig{
		Endpoint: endpoint, Device: device, NewestTime: telemetry.NewestTime,
		Events: peer.Events{Batch: b.seen.received, Path: b.seen.onPath},
	}
	var err error
	b.remote, err = peer.NewRemote(peer.RemoteConfig{View: view, Name: "balance"})
	return b, err
}

func (b *balancer) run(ctx context.Context, rung string, most time.Duration) (r Result, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.remote.Run(ctx) }()
	if err = b.prepare(ctx, rung); err == nil {
		r, err = b.balance(ctx, most)
		_, released := b.remote.Release(ctx)
		err = errors.Join(err, released)
	}
	cancel()
	return r, errors.Join(err, <-ended)
}

// prepare waits for the path and takes the lease.
func (b *balancer) prepare(ctx context.Context, rung string) error {
	for rung != "" && b.seen.carried() != rung {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not carry, but %q", rung, b.seen.carried())
		case <-time.After(balance.Every):
		}
	}
	return b.take(ctx)
}

// take asks for the lease until there is an answer: over a bad link one may come too late.
func (b *balancer) take(ctx context.Context) error {
	for {
		lease, err := b.remote.Take(ctx)
		switch {
		case err != nil || lease.Mine:
			return err
		case lease.Code != rpc.CodeLate:
			return fmt.Errorf("the lease was refused: %s: %s", lease.Code, lease.Reason)
		}
	}
}

// balance lifts the pole once the device obeys, and balances it until it falls, or for so long.
func (b *balancer) balance(ctx context.Context, most time.Duration) (r Result, err error) {
	lifted := make(chan error, 1)
	lifting := false
	var began time.Time
	ticker := time.NewTicker(balance.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return r, context.Cause(ctx)
		case err := <-lifted:
			if err != nil {
				return r, err
			}
		case <-ticker.C:
		}
		status := b.remote.Status()
		obeyed := status.Driving == rpc.Obeyed
		tripped := status.Driving == rpc.Tripped
		if !tripped || !b.letGo { // one that is tripped lets go: says that it is neutral, and no more
			b.step(status.LeastTrip, obeyed)
		}
		b.letGo = tripped
		if obeyed && !lifting {
			lifting = true
			go func() { lifted <- b.lift(ctx) }()
		}
		if stance := b.seen.pole(); began.IsZero() && stance == "up" {
			began = time.Now()
			b.ages = b.ages[:0]
		} else if !began.IsZero() && (stance == "down" || time.Since(began) >= most) {
			return b.result(time.Since(began), stance, status), nil
		}
	}
}

// step is one beat of the hand.
func (b *balancer) step(roundTrip time.Duration, obeyed bool) {
	force, age := 0.0, time.Duration(0)
	if obeyed {
		force, age = b.seen.decide(roundTrip)
		b.ages = append(b.ages, age)
	}
	b.hand++
	b.remote.Hand(b.hand, []wire.Target{{Axis: forceAxis, Value: force}})
}

func (b *balancer) lift(ctx context.Context) error {
	info, err := b.remote.Call(ctx, peer.Call{Method: "reset-pole", Deadline: 5 * time.Second})
	if err == nil && info.State != rpc.Done {
		err = fmt.Errorf("lifting the pole: %s: %s %s", info.State, info.Code, info.Reason)
	}
	return err
}

func (b *balancer) result(up time.Duration, stance string, status peer.Status) Result {
	slices.Sort(b.ages)
	at := func(share float64) float64 {
		if len(b.ages) == 0 {
			return 0
		}
		return float64(b.ages[int(share*float64(len(b.ages)-1))]) / float64(time.Millisecond)
	}
	r := Result{
		Up: up.Seconds(), Ended: "it was long enough", Path: b.seen.carried(), Forces: len(b.ages),
		AgeP50: at(0.5), AgeP99: at(0.99), TripMS: float64(status.RoundTrip) / float64(time.Millisecond),
	}
	if stance == "down" {
		r.Ended = "it fell"
	}
	return r
}
