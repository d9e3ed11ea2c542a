package safety

import (
	"fmt"
	"syscall"
	"time"
)

// Promise is how long after a hand is gone all is safe: the dead-man time of 300 ms that docs/control.md names, and 100 ms.
const Promise = 400 * time.Millisecond

// handGone is for how long a hand may not run and still be one (protocol, 10.4).
const handGone = 150 * time.Millisecond

// better cuts the better of two paths in silence.
func better(onLink bool) func(*Result, uint64, Say) error {
	return func(r *Result, _ uint64, say Say) error {
		return within(onLink, func(w *world) error {
			var only []string
			if onLink {
				only = []string{"ws", "udp"}
			}
			hand, err := w.startOperator(order{Name: "Anna", Key: "a", Only: only, Value: 0.5})
			if err == nil {
				err = hand.Write("hold")
			}
			if err != nil {
				return err
			}
			cut, mend := func() error { return w.view.PartUDP(w.dev) }, func() error { return w.view.Join() }
			if onLink {
				cut, mend = w.link("both block=udp"), w.link("both block=none")
			}
			want := r.Times
			for r.Times = 0; r.Times < want; {
				if err := r.cutBetter(w, hand, cut, mend, say); err != nil {
					return err
				}
				if r.Again > want {
					return fmt.Errorf("the hand had no processor %d times", r.Again)
				}
			}
			return nil
		})
	}
}

func (w *world) link(command string) func() error {
	return func() error { _, err := w.far.Do(command); return err }
}

// cutBetter does it once, from one time that both paths are there to the next.
func (r *Result) cutBetter(w *world, hand *watched, cut, mend func() error, say Say) error {
	if err := hand.awaitPath("udp"); err != nil {
		return err
	}
	if err := w.awaitMoving(time.Now()); err != nil {
		return err
	}
	time.Sleep(r.between(800*time.Millisecond, 1600*time.Millisecond)) // the other is proven, too
	since := time.Now()
	if hand.path() != "udp" {
		return nil // not yet
	}
	if err := cut(); err != nil {
		return err
	}
	time.Sleep(r.between(1200*time.Millisecond, 1800*time.Millisecond))
	entries, err := w.book.since(since)
	if err != nil {
		return err
	}
	stops := 0
	for _, e := range entries {
		if e.what == "safe" {
			stops++
		}
	}
	switch paused := hand.paused(since); {
	case stops > 0 && paused >= handGone-handEvery:
		r.Again++
		say("%s: the hand itself did not run for %v: again", r.Kind.Name, paused)
	default:
		r.Times++
		if stops > 0 {
			r.Stops++
			say("%s %d: stopped; the hand paused for %v\n%s\nthe agent:\n%s", r.Kind.Name, r.Times, paused, hand.Tail(20), w.agent.Tail(20))
			tell(entries, since, say)
		} else {
			say("%s %d: moves on, %d values, longest pause of the hand %v", r.Kind.Name, r.Times, len(entries), paused)
		}
	}
	return mend()
}

// lateBook is how much later an entry is looked for once more.
const lateBook = 3 * time.Second

// fault is something that ends a hand, and how all is as before. It returns when it began.
type fault struct {
	do   func(w *world) (since time.Time, err error)
	undo func(w *world) error
	stay time.Duration // how long it lasts beside, in which nothing may move
}

var (
	cutAll = ends(fault{
		do:   atOnce(func(w *world) error { return w.link("both down")() }),
		undo: func(w *world) error { return w.link("both up")() },
	})
	stopAgent = ends(fault{
		do:   atOnce(func(w *world) error { return syscall.Kill(w.agent.PID(), syscall.SIGSTOP) }),
		undo: func(w *world) error { return syscall.Kill(w.agent.PID(), syscall.SIGCONT) },
	})
	killAgent = ends(fault{
		do:   atOnce(func(w *world) error { return syscall.Kill(w.agent.PID(), syscall.SIGKILL) }),
		undo: (*world).startAgent,
	})
	delayAll = ends(fault{
		do: atOnce(func(w *world) error { return w.link("a2b delay=5s")() }),
		undo: func(w *world) error { // what is under way is lost
			if err := w.link("both down")(); err != nil {
				return err
			}
			return w.link("both up " + link)()
		},
		stay: 6500 * time.Millisecond,
	})
)

func atOnce(do func(w *world) error) func(w *world) (time.Time, error) {
	return func(w *world) (time.Time, error) {
		since := time.Now()
		return since, do(w)
	}
}

// ends does something that ends a hand, again and again.
func ends(f fault) func(*Result, uint64, Say) error {
	return func(r *Result, _ uint64, say Say) error {
		return within(true, func(w *world) error {
			hand, err := w.startOperator(order{Name: "Anna", Key: "a", Value: 0.5})
			if err == nil {
				err = hand.Write("hold")
			}
			if err != nil {
				return err
			}
			want := r.Times
			for r.Times = 0; r.Times < want; {
				if err := r.end(w, f, say); err != nil {
					return err
				}
				if r.Again > want {
					return fmt.Errorf("it did not move at that moment %d times", r.Again)
				}
			}
			return nil
		})
	}
}

func (r *Result) end(w *world, f fault, say Say) error {
	if err := w.awaitMoving(time.Now()); err != nil {
		return err
	}
	time.Sleep(r.between(300*time.Millisecond, 900*time.Millisecond))
	moving := time.Now().Add(-200 * time.Millisecond)
	since, err := f.do(w)
	if err != nil {
		return err
	}
	time.Sleep(Promise + 400*time.Millisecond + f.stay)
	entries, err := w.book.since(moving)
	if err != nil {
		return err
	}
	if _, rests := rest(entries); !rests { // a disk may take an entry late, which tells when it was made
		time.Sleep(lateBook)
		if entries, err = w.book.since(moving); err != nil {
			return err
		}
	}
	if r.judge(entries, since, w.stood(since), say) > Promise {
		say("the agent:\n%s", w.agent.Tail(10))
	}
	return f.undo(w)
}

// judge reads the book of what came of an end: one that came while nothing moved says nothing.
// So does one that would have been in time, had the machine not stood still. It returns how long it took.
func (r *Result) judge(entries []entry, since time.Time, stood time.Duration, say Say) (took time.Duration) {
	before := entries
	for i, e := range entries {
		if e.at.After(since) {
			before = entries[:i]
			break
		}
	}
	if _, rests := rest(before); rests || !anyMoves(before) {
		r.Again++
		say("%s: nothing moved at that moment: again", r.Kind.Name)
		return 0
	}
	at, rests := rest(entries)
	took = at.Sub(since)
	if !rests {
		took = Never
	}
	if took > Promise && took-stood <= Promise {
		r.Again++
		say("%s: the machine itself stood still for %v: again", r.Kind.Name, stood)
		return took
	}
	r.Times++
	last := since
	for _, e := range entries {
		if e.moves() {
			last = e.at
		}
	}
	r.Safe = append(r.Safe, took)
	say("%s %d: safe after %v, the last value was set after %v", r.Kind.Name, r.Times, took.Round(time.Millisecond), last.Sub(since).Round(time.Millisecond))
	if took > Promise {
		tell(entries, since, say)
	}
	return took
}

// tell shows what the book has.
func tell(entries []entry, since time.Time, say Say) {
	for _, e := range entries {
		say("  %v: %s %s", e.at.Sub(since).Round(time.Millisecond), e.what, e.with)
	}
}
