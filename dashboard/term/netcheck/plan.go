package netcheck

import (
	"context"
	"errors"
	"sync"
	"time"
)

// task is one step: a check, or what several checks need.
type task struct {
	name   string
	hidden bool          // it is no check of its own
	after  []string      // these have to be ok
	behind []string      // these have to be over, whatever came of them
	bound  time.Duration // of do
	do     func(ctx context.Context) Check
}

// outcome is what becomes of a task.
type outcome struct {
	task  task
	done  chan struct{}
	check Check // after done
}

// plan runs tasks, each as soon as those that it needs have ended.
type plan struct {
	list   []*outcome
	byName map[string]*outcome
}

func newPlan(tasks []task) *plan {
	p := &plan{byName: make(map[string]*outcome, len(tasks))}
	for _, t := range tasks {
		o := &outcome{task: t, done: make(chan struct{})}
		p.list = append(p.list, o)
		p.byName[t.name] = o
	}
	return p
}

// start starts all tasks, which end soon after ctx.
func (p *plan) start(ctx context.Context, tasks *sync.WaitGroup) {
	for _, o := range p.list {
		tasks.Go(func() {
			defer close(o.done)
			o.check = p.run(ctx, o.task)
			o.check.Name = o.task.name
		})
	}
}

// shown are the tasks that are checks, in their order.
func (p *plan) shown() (list []*outcome) {
	for _, o := range p.list {
		if !o.task.hidden {
			list = append(list, o)
		}
	}
	return list
}

func (p *plan) run(ctx context.Context, t task) Check {
	for _, name := range t.behind {
		if !p.wait(ctx, name) {
			return noTime(ctx)
		}
	}
	for _, name := range t.after {
		if !p.wait(ctx, name) {
			return noTime(ctx)
		}
		if c := p.byName[name].check; c.Verdict != OK {
			return because(c)
		}
	}
	step, cancel := context.WithTimeout(ctx, t.bound)
	defer cancel()
	c := t.do(step)
	if c.Verdict == Failed && ctx.Err() != nil {
		return noTime(ctx) // it may have been cut short, which says nothing
	}
	return c
}

// wait waits for a task; false: ctx ended before.
func (p *plan) wait(ctx context.Context, name string) bool {
	o := p.byName[name]
	select {
	case <-o.done:
		return true
	default:
	}
	select {
	case <-o.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// needed says what is missing where a task did not come to an end that others need.
var needed = map[string]string{
	nameDNS:       "the server's name has no address",
	nameProxy:     "there is no way through the proxy",
	stepReach:     "there is no connection to the server",
	stepHandshake: "TLS does not come up",
	nameHTTP1:     "no telepath server answers",
}

// because is the check of who needs c, which is not ok.
func because(c Check) Check {
	if c.Verdict == Unknown {
		return unknown(c.Reason, "") // c has the remedy
	}
	reason, found := needed[c.Name]
	if !found {
		reason = c.Name + " does not work"
	}
	return unknown(reason+" ("+c.Failure+")", "")
}

func noTime(ctx context.Context) Check {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return unknown("no time was left", "allow more with --timeout")
	}
	return unknown("interrupted", "")
}
