package safety

import (
	"fmt"
	"slices"
	"syscall"
	"time"
)

const (
	// starts is how long after a call was begun its program may write so, on a busy machine.
	starts = 100 * time.Millisecond
	// settles is how long after its program has ended a call's end may not be on the disk yet.
	settles = 300 * time.Millisecond
	// callTime is until each call has an end: its deadline, and what the viewer asks for afterwards.
	callTime = 15 * time.Second
)

// kills are when the agent was.
type kills []time.Time

func callsKilled(r *Result, _ uint64, say Say) error {
	return r.calls(say, func(w *world) (kill bool, err error) {
		if err := syscall.Kill(w.agent.PID(), syscall.SIGKILL); err != nil {
			return true, err
		}
		time.Sleep(r.between(0, 500*time.Millisecond))
		return true, w.startAgent()
	})
}

func callsCut(r *Result, _ uint64, say Say) error {
	return r.calls(say, func(w *world) (kill bool, err error) {
		cut, mend := "both down", "both up"
		if r.chance.IntN(2) == 0 {
			cut, mend = "both block=udp", "both block=none"
		}
		if err := w.link(cut)(); err != nil {
			return false, err
		}
		time.Sleep(r.between(200*time.Millisecond, 2*time.Second))
		return false, w.link(mend)()
	})
}

// calls makes calls while something happens.
func (r *Result) calls(say Say, do func(w *world) (kill bool, err error)) error {
	return within(true, func(w *world) error {
		caller, err := w.startOperator(order{Name: "Anna", Key: "a"})
		if err != nil {
			return err
		}
		if err := r.warm(w, caller); err != nil {
			return err
		}
		var killed kills
		want, made := r.Times, 1
		for r.Times = 0; r.Times < want; r.Times++ {
			n, over, err := r.flurry(caller, made)
			if err != nil {
				return err
			}
			at := time.Now()
			kill, err := do(w)
			if err != nil {
				return err
			}
			if kill {
				killed = append(killed, at)
			}
			<-over
			made += n
			if err := caller.awaitCalls(made); err != nil {
				return err
			}
			say("%s %d: %d calls so far", r.Kind.Name, r.Times+1, made)
		}
		time.Sleep(settles) // what a killed agent had begun ends
		return r.settle(w, caller, killed, say)
	})
}

// warm makes the first call.
func (r *Result) warm(w *world, caller *watched) error {
	for end := time.Now().Add(starting); ; time.Sleep(100 * time.Millisecond) {
		if caller.path() != "" {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("no path: %s", caller.Tail(10))
		}
	}
	if err := caller.Write("call warm 0 10000"); err != nil {
		return err
	}
	return caller.awaitCalls(1)
}

// flurry begins to make calls, and returns in the middle of it; over is closed when all are made.
func (r *Result) flurry(caller *watched, first int) (n int, over chan struct{}, err error) {
	n, over = 6+r.chance.IntN(6), make(chan struct{})
	type made struct {
		line  string
		pause time.Duration
	}
	var plan []made
	for i := range n {
		deadline := []int{150, 500, 2000, 4000}[r.chance.IntN(4)]
		line := fmt.Sprintf("call n%d %d %d", first+i, r.chance.IntN(120), deadline)
		plan = append(plan, made{line, r.between(0, 150*time.Millisecond)})
	}
	middle := r.between(50*time.Millisecond, 600*time.Millisecond)
	go func() {
		defer close(over)
		for _, m := range plan {
			if caller.Write(m.line) != nil {
				return // it is gone, which is seen
			}
			time.Sleep(m.pause)
		}
	}()
	time.Sleep(middle)
	return n, over, nil
}

// ended are the calls that have.
func (p *watched) ended() (calls []said) {
	return slices.DeleteFunc(p.all(), func(s said) bool { return s.Type != "call" })
}

func (p *watched) awaitCalls(n int) error {
	for end := time.Now().Add(callTime); len(p.ended()) < n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("%d of %d calls have an end:\n%s", len(p.ended()), n, p.Tail(20))
		}
	}
	return nil
}

// settle compares what was said of each call with the book.
func (r *Result) settle(w *world, caller *watched, killed kills, say Say) error {
	entries, err := w.book.read()
	if err != nil {
		return err
	}
	began, noted := map[string][]time.Time{}, map[string]time.Time{}
	for _, e := range entries {
		switch e.what {
		case "note":
			began[e.with] = append(began[e.with], e.at)
		case "noted":
			noted[e.with] = e.at
		}
	}
	for _, c := range caller.ended() {
		made := time.UnixMicro(c.Made)
		r.Calls++
		r.Ends[c.State]++
		ran := began[c.What]
		if len(ran) > 1 {
			r.Twice++
		}
		by := time.UnixMicro(c.Begun).Add(time.Duration(c.MS) * time.Millisecond)
		if len(ran) > 0 && ran[0].After(by.Add(starts)) {
			r.Late++
			say("%s: %s began %v after its deadline of %d ms", r.Kind.Name, c.What, ran[0].Sub(by), c.MS)
		}
		if why := killed.contradict(c, made, ran, noted[c.What]); why != "" {
			r.Wrong = append(r.Wrong, fmt.Sprintf("%s is said to be %s (%s): %s", c.What, c.State, c.Code, why))
		}
	}
	return nil
}

// contradict says what in the book does not go with how a call is said to have ended; "": nothing.
func (k kills) contradict(c said, made time.Time, ran []time.Time, noted time.Time) string {
	switch c.State {
	case "done":
		if len(ran) != 1 {
			return fmt.Sprintf("it ran %d times", len(ran))
		}
	case "rejected", "expired":
		if len(ran) > 0 {
			return "it ran"
		}
	case "unknown":
		// Nobody can know of a call in which the agent was killed: between when it was made and when its end was on the disk.
		until := noted.Add(settles)
		if noted.IsZero() {
			until = made.Add(callTime)
		}
		for _, at := range k {
			if at.After(made) && at.Before(until) {
				return ""
			}
		}
		return "the agent was not killed in it"
	default:
		return "that is no end for it"
	}
	return ""
}
