package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// This file is what a program may want of a device.

// Call is a call to be made.
type Call struct {
	Method   string
	Params   json.RawMessage    // a JSON object; nil: none
	Deadline time.Duration      // from now: it does not begin later, by the device's clock
	Each     func(rpc.CallInfo) // called with each change, in their order but not with all; must not block; may be nil
}

var errDeadline = errors.New("peer: a call needs a deadline")

// Status is how it stands now.
func (r *Remote) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	s := Status{Lease: r.viewer.Lease(), Stop: r.viewer.Stop(), Driving: r.viewer.Driving(now), TickAge: -1}
	s.Machine, s.Code = r.viewer.Machine()
	s.RoundTrip, _ = r.conn.reach()
	s.LeastTrip = time.Duration(r.conn.nearest.Load())
	if s.Lease.Mine {
		s.LeaseLeft = max(s.Lease.Until-now, 0)
	}
	if r.viewer.Ready() {
		s.TickAge = r.viewer.TickAge(now)
	}
	return s
}

// Ready waits until it is known what the device offers, and commands can be given a deadline. A *NotOfferedError: they cannot.
func (r *Remote) Ready(ctx context.Context) (rpc.Machine, error) {
	var machine rpc.Machine
	err := r.await(ctx, func(time.Duration) (bool, error) {
		m, code := r.viewer.Machine()
		if m == nil && code != "" {
			return false, &NotOfferedError{code}
		}
		if m == nil || !r.viewer.Ready() {
			return false, nil
		}
		machine = *m
		return true, nil
	})
	return machine, err
}

// cancelTime is how long the device may take to say what became of a call that was cancelled.
const cancelTime = 2 * time.Second

// Call makes a call and waits for its end. When ctx ends, it is cancelled, if the device still can, and its end is waited for
// for 2 s more; if that does not come, it is Unknown. The error is nil whatever the end is: the info tells it.
func (r *Remote) Call(ctx context.Context, c Call) (rpc.CallInfo, error) {
	if c.Deadline <= 0 {
		return rpc.CallInfo{}, errDeadline
	}
	if c.Params != nil && !json.Valid(c.Params) {
		return rpc.CallInfo{}, fmt.Errorf("peer: the parameters of %s are not JSON", c.Method)
	}
	id := uuid.NewString()
	r.do(func(now time.Duration) {
		if c.Each != nil {
			r.follows[id] = c.Each
		}
		r.viewer.Do(now, rpc.Wanted{ID: id, Method: c.Method, Params: c.Params, Lease: r.needsLease(c.Method), Wait: c.Deadline})
	})
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.follows, id)
	}()
	info, err := r.end(ctx, id)
	if ctx.Err() == nil || err == nil {
		return info, err
	}
	r.do(func(now time.Duration) { r.viewer.Cancel(now, id) })
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	info, err = r.end(soon, id)
	if errors.Is(err, context.DeadlineExceeded) { // it was sent
		info.State, info.Reason, err = rpc.Unknown, "it was cancelled, and the device has not said what became of it", nil
	}
	return info, err
}

// end waits for a call's.
func (r *Remote) end(ctx context.Context, id string) (info rpc.CallInfo, err error) {
	err = r.await(ctx, func(time.Duration) (bool, error) {
		info, _ = r.viewer.Call(id)
		return info.State.Ended(), nil
	})
	return info, err
}

// needsLease runs with mu held.
func (r *Remote) needsLease(method string) bool {
	m, _ := r.viewer.Machine()
	if m == nil {
		return false
	}
	for _, known := range m.Methods {
		if known.Name == method {
			return known.Lease
		}
	}
	return false
}

// Stop says stop on every path, and waits for the device's answer.
func (r *Remote) Stop(ctx context.Context) (rpc.StopInfo, error) {
	r.do(r.viewer.SayStop)
	return r.answered(ctx)
}

// Reset ends the stop, and waits for the device's answer.
func (r *Remote) Reset(ctx context.Context) (rpc.StopInfo, error) {
	if _, err := r.Ready(ctx); err != nil {
		return rpc.StopInfo{}, err
	}
	r.do(func(now time.Duration) { r.viewer.SayReset(now) })
	return r.answered(ctx)
}

func (r *Remote) answered(ctx context.Context) (info rpc.StopInfo, err error) {
	err = r.await(ctx, func(time.Duration) (bool, error) {
		info = r.viewer.Stop()
		return info.Sending == "", nil
	})
	return info, err
}

// Take asks for the lease and waits for the answer: it is ours, or Code and Reason say why not.
func (r *Remote) Take(ctx context.Context) (rpc.LeaseInfo, error) { return r.lease(ctx, rpc.Take) }

// TakeOver takes the lease from whoever has it: an admin's right.
func (r *Remote) TakeOver(ctx context.Context) (rpc.LeaseInfo, error) {
	return r.lease(ctx, rpc.TakeOver)
}

// Release gives the lease back and waits until the device has heard it.
func (r *Remote) Release(ctx context.Context) (rpc.LeaseInfo, error) {
	return r.lease(ctx, rpc.Release)
}

// Request asks the holder for the lease. What comes of it, Status shows.
func (r *Remote) Request(ctx context.Context) (rpc.LeaseInfo, error) {
	return r.lease(ctx, rpc.Request)
}

func (r *Remote) lease(ctx context.Context, what string) (info rpc.LeaseInfo, err error) {
	if _, err := r.Ready(ctx); err != nil {
		return info, err
	}
	r.do(func(now time.Duration) { r.viewer.LeaseDo(now, what, "") })
	err = r.await(ctx, func(time.Duration) (bool, error) {
		info = r.viewer.Lease()
		return !r.viewer.LeaseAsked(), nil
	})
	return info, err
}

// Give hands the lease to one of those who ask for it, by public id; Deny says no to them. Neither waits.
func (r *Remote) Give(to string) {
	r.do(func(now time.Duration) { r.viewer.LeaseDo(now, rpc.Give, to) })
}

// Deny is the no to Give.
func (r *Remote) Deny(to string) {
	r.do(func(now time.Duration) { r.viewer.LeaseDo(now, rpc.Deny, to) })
}

// Hand is what the code says that reads the input, and no other: a counter that rises while a hand is there, and where the axes
// are to go. A hand of which nothing came for 150 ms is gone, and Drives with it. Its last word is that all axes are neutral: one
// that goes without having said so has not let go, and is the same hand when it is back.
func (r *Remote) Hand(counter uint64, targets []wire.Target) {
	r.do(func(now time.Duration) { r.viewer.Hand(now, counter, targets) })
}
