package netcheck

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// carryOut runs a plan within a second.
func carryOut(tasks []task) (*plan, time.Duration) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p := newPlan(tasks)
	var running sync.WaitGroup
	p.start(ctx, &running)
	running.Wait()
	return p, time.Since(began)
}

// takes is a step that takes a time, or as long as it may.
func takes(d time.Duration, then Check) func(ctx context.Context) Check {
	return func(ctx context.Context) Check {
		select {
		case <-time.After(d):
			return then
		case <-ctx.Done():
			return failed(0, context.Cause(ctx))
		}
	}
}

func TestPlanSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, took := carryOut([]task{
			{name: "a", bound: time.Minute, do: takes(100*time.Millisecond, ok(0, ""))},
			{name: "b", bound: time.Minute, do: takes(200*time.Millisecond, failed(0, errors.New("no")))},
			{name: "c", bound: time.Minute, after: []string{"a"}, behind: []string{"b"}, do: takes(100*time.Millisecond, ok(0, ""))},
		})
		if took != 300*time.Millisecond || p.byName["c"].check.Verdict != OK {
			t.Errorf("after %v: %+v", took, p.byName["c"].check)
		}
	})
}

func TestPlanMissing(t *testing.T) {
	p, _ := carryOut([]task{
		{name: "tcp", bound: time.Second, do: takes(0, Check{Verdict: Failed, Failure: "refused"})},
		{name: "ws", bound: time.Second, after: []string{"tcp"}, do: func(context.Context) Check { panic("without tcp") }},
		{name: "latency", bound: time.Second, after: []string{"ws"}, do: func(context.Context) Check { panic("without ws") }},
	})
	for _, name := range []string{"ws", "latency"} {
		if c := p.byName[name].check; c.Verdict != Unknown || c.Reason != "tcp does not work (refused)" {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestPlanBounds: a step that had its time has failed, one that had not is unknown.
func TestPlanBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, took := carryOut([]task{
			{name: "stalled", bound: 600 * time.Millisecond, do: takes(time.Hour, ok(0, ""))},
			{name: "late", bound: 600 * time.Millisecond, behind: []string{"stalled"}, do: takes(time.Hour, ok(0, ""))},
			{name: "never", bound: time.Second, after: []string{"late"}, do: takes(0, ok(0, ""))},
		})
		if c := p.byName["stalled"].check; c.Verdict != Failed || c.Failure != "timeout" {
			t.Errorf("stalled: %+v", c)
		}
		for _, name := range []string{"late", "never"} {
			if c := p.byName[name].check; c.Verdict != Unknown || c.Reason != "no time was left" {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
