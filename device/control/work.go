package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/telepath-iot/telepath/device/control/journal"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// limitGrace is how long a call may take to end when its limit is over, before nobody knows any more what became of it.
const limitGrace = time.Second

// result is what a call came back with.
type result struct {
	value json.RawMessage
	err   error
}

// work runs the actuator's calls, one at a time. Those that wait are ended when their time is over, whatever runs.
func (h *hand) work(ctx context.Context) {
	a := h.authority
	var back chan result // of the one that runs
	var runs *call       // nil: none, or one that has been given up
	var last *call       // that was begun, also if it has been given up
	var limit <-chan time.Time
	for {
		if back == nil {
			runs, back = h.next()
			if runs != nil {
				last = runs
				limit = time.After(runs.method.limit + limitGrace)
			}
		}
		expiry := h.expire()
		select {
		case <-ctx.Done():
			return
		case <-h.called:
		case <-expiry:
		case r := <-back:
			a.back(last)
			if runs != nil {
				a.ended(runs, r)
			}
			back, runs, limit = nil, nil, nil
			a.idle(h)
		case <-limit:
			a.finishCall(runs, journal.Call{State: rpc.Unknown, Reason: "it did not end within its limit"})
			runs, limit = nil, nil
		}
	}
}

// back is for a call that the actuator has come back from. What one set that was to end, it may have set behind what made it safe.
func (a *Authority) back(c *call) {
	a.mu.Lock()
	defer a.unlock()
	over := c.method.Lease && (a.lease.holder == nil || a.lease.fence != c.Fence)
	over = over || a.stop.Latched || !a.running || a.stopped != c.stops
	a.returnsLocked(c, over)
	if over {
		a.safeLocked("a call that was told to end has done so only now")
	}
}

// idle notes that the actuator has come back.
func (a *Authority) idle(h *hand) {
	a.mu.Lock()
	defer a.unlock()
	h.busy = false
}

// expire ends what has waited for too long, or was called off, and returns when the next one has.
func (h *hand) expire() <-chan time.Time {
	a := h.authority
	for {
		c, code, reason, wait := h.over()
		if c == nil {
			return after(wait)
		}
		state := rpc.Rejected
		if code == rpc.CodeLate {
			state = rpc.Expired
		}
		a.finishCall(c, journal.Call{State: state, Code: code, Reason: reason})
	}
}

// over finds a call in the queue that is not to run any more, or says for how long there will be none; 0: for ever.
func (h *hand) over() (c *call, code, reason string, wait time.Duration) {
	a := h.authority
	a.mu.Lock()
	defer a.unlock()
	now := a.nowLocked()
	for _, c := range h.queue {
		if code, reason := a.stillLocked(c, now); code != "" {
			h.removeLocked(c)
			return c, code, reason, 0
		}
		if left := time.Duration(c.By-now+1) * time.Microsecond; wait == 0 || left < wait {
			wait = left
		}
	}
	return nil, "", "", wait
}

// stillLocked says why a call that waits may not run any more; "": it may.
func (a *Authority) stillLocked(c *call, now uint64) (code, reason string) {
	switch {
	case c.off != "":
		return c.code, c.off
	case now > c.By:
		return rpc.CodeLate, "it waited until its deadline had passed"
	}
	return a.mayRunLocked(c.method, c.Fence)
}

// next begins the first call that may run. It waits for the disk, and looks again after that.
func (h *hand) next() (*call, chan result) {
	for {
		c := h.first()
		if c == nil {
			return nil, nil
		}
		a := h.authority
		if c.journaled != rpc.Running {
			if err := a.journal.Write(journal.Record{Call: c.entry(rpc.Running)}); err != nil {
				h.drop(c)
				a.finishCall(c, journal.Call{State: rpc.Rejected, Code: rpc.CodeJournal, Reason: err.Error()})
				continue
			}
			c.journaled = rpc.Running
		}
		if back := h.begin(c); back != nil {
			return c, back
		}
		h.expire()
	}
}

// first is the first call that may run; nil: there is none.
func (h *hand) first() *call {
	h.expire()
	h.authority.mu.Lock()
	defer h.authority.mu.Unlock()
	if len(h.queue) == 0 {
		return nil
	}
	return h.queue[0]
}

func (h *hand) drop(c *call) {
	h.authority.mu.Lock()
	defer h.authority.mu.Unlock()
	h.removeLocked(c)
}

// begin has the actuator run a call, unless that may not run any more.
func (h *hand) begin(c *call) chan result {
	a := h.authority
	a.mu.Lock()
	defer a.unlock()
	now := a.nowLocked()
	if code, _ := a.stillLocked(c, now); code != "" {
		return nil
	}
	h.removeLocked(c)
	h.busy = true
	a.beginsLocked(c, now)
	ctx, cancel := context.WithTimeout(context.Background(), c.method.limit)
	c.state, c.cancel, c.began, c.stops = rpc.Running, cancel, time.Now(), a.stopped
	a.tellCallLocked(c.from, c.ID)
	back := make(chan result, 1)
	go func() {
		defer cancel()
		value, err := h.actuator.Call(ctx, c.Method, c.method.complete(c.Params), func(p float64) { a.progress(c, p) })
		back <- result{value, err}
	}()
	return back
}

// progress tells how far a call is, now and then.
func (a *Authority) progress(c *call, p float64) {
	a.mu.Lock()
	defer a.unlock()
	if p > 0 && p <= 1 { // which NaN is not
		c.progress = p
	}
	if a.calls[c.ID] == c && time.Since(c.told) >= progressEvery {
		c.told = time.Now()
		a.tellCallLocked(c.from, c.ID)
	}
}

// ended says what became of a call that has run.
func (a *Authority) ended(c *call, r result) {
	end := journal.Call{State: rpc.Done, Result: r.value, TookUS: uint64(max(time.Since(c.began).Microseconds(), 1))}
	a.mu.Lock()
	off := c.off
	a.mu.Unlock()
	switch {
	case r.err != nil:
		end.State, end.Result, end.Reason = rpc.Failed, nil, r.err.Error()
		if errors.Is(r.err, context.DeadlineExceeded) {
			end.Reason = fmt.Sprintf("it took longer than %v", c.method.limit)
		} else if errors.Is(r.err, context.Canceled) && off != "" {
			end.Reason = off
		}
	case len(r.value) > maxResult:
		end.Result, end.Reason = nil, fmt.Sprintf("its result has %d bytes, more than %d", len(r.value), maxResult)
	case len(r.value) > 0 && !(json.Valid(r.value) && utf8.Valid(r.value)):
		end.Result, end.Reason = nil, "its result is not JSON"
	case wire.Depth(r.value) >= wire.MaxDepth: // the Outcome is a level around it
		end.Result, end.Reason = nil, fmt.Sprintf("its result is nested deeper than %d", wire.MaxDepth-1)
	}
	end.Reason = strings.ToValidUTF8(end.Reason[:min(len(end.Reason), 1<<10)], "")
	a.finishCall(c, end)
}

// finishCall puts the end of a call on the disk, and then tells it.
func (a *Authority) finishCall(c *call, end journal.Call) {
	end.ID, end.Method, end.Who, end.By = c.ID, c.Method, c.who, c.By
	err := a.journal.Note(journal.Record{Call: &end})
	a.mu.Lock()
	defer a.unlock()
	delete(a.calls, c.ID)
	a.tellEndLocked(c.from, c.ID)
	if err != nil {
		a.cfg.Log.Warn("the end of a call is not on the disk", "id", c.ID, "error", err)
		signal(a.persist)
	}
	line := fmt.Sprintf("call %q by %s: %s", c.Method, c.who, end.State)
	if end.TookUS > 0 {
		line += fmt.Sprintf(" in %v", (time.Duration(end.TookUS) * time.Microsecond).Round(10*time.Microsecond))
	}
	if end.Reason != "" {
		line += ": " + end.Reason
	}
	a.logLocked("%s", line)
}
