// Package restarts kills a server at bad moments, again and again: stopped before, killed once more while it starts, started on a
// machine that has no time for it. However that was, its device and those who watch it are back soon.
//
// Everything runs on this machine. `make test` does a few rounds, `make soak` hundreds.
package restarts

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// Goal is when all are back, counted from when the server is ready.
const Goal = 15 * time.Second

// The bad moments.
const (
	longest  = 3 * time.Second        // that all is well before the next one
	frozen   = 2 * time.Second        // at most, for a server that is stopped before it is killed
	shortly  = time.Second            // away, at most
	longer   = 8 * time.Second        // the same, now and then
	most     = 2                      // kills of servers that start, one after the other
	starting = 300 * time.Millisecond // at most, until a server that starts is killed again
	early    = 60 * time.Millisecond  // into its start it has no time any more: it listens then, or not yet
	slowest  = 2 * time.Second        // that it is without, at most: then all who wait are answered at once
	quickest = 300 * time.Millisecond // at least: who waits for an answer asks on the next rung
)

// Result is what came of it.
type Result struct {
	Kills   int             // some rounds have several
	Device  []time.Duration // until it is online again, one a round
	Viewers []time.Duration // until the slower of the two has a fresh sample
}

// Run does so many rounds; what is random in them follows from seed.
func Run(rounds int, seed uint64, say func(format string, args ...any)) (*Result, error) {
	w, err := newWorld()
	if w != nil {
		defer w.close()
	}
	if err != nil {
		return nil, err
	}
	r := &Result{}
	chance := rand.New(rand.NewPCG(seed, 0))
	for i := range rounds {
		round := round{world: w, chance: chance}
		if err := round.run(r); err != nil {
			return r, w.withLogs(fmt.Errorf("round %d of %d, seed %d (%v): %w", i+1, rounds, seed, &round, err))
		}
		say("%d of %d: %v: device after %v, viewers after %v", i+1, rounds, &round,
			r.Device[i].Round(time.Millisecond), r.Viewers[i].Round(time.Millisecond))
	}
	return r, nil
}

// Judge says what is wrong, if anything is.
func (r *Result) Judge() error {
	var errs []error
	for who, times := range map[string][]time.Duration{"device": r.Device, "viewers": r.Viewers} {
		if last, limit := slices.Max(times), slack.Of(Goal); last > limit {
			errs = append(errs, fmt.Errorf("the %s came back after %v, want at most %v", who, last.Round(time.Millisecond), limit))
		}
	}
	return errors.Join(errs...)
}

// round is one bad moment.
type round struct {
	*world
	chance *rand.Rand
	story  []string
}

func (r *round) String() string { return strings.Join(r.story, ", ") }

// run ends when all are back.
func (r *round) run(result *Result) error {
	r.pause("after", 0, longest)
	if err := r.awaitLive(); err != nil {
		return fmt.Errorf("not for long: %w", err)
	}
	if r.once(3) {
		r.signal(syscall.SIGSTOP)
		r.pause("stopped for", 0, frozen)
	}
	r.kill(result)
	for again := 0; again < most && r.once(3); again++ {
		if err := r.launch(); err != nil {
			return err
		}
		r.pause("killed again after", 0, starting)
		r.kill(result)
	}
	if err := r.launch(); err != nil {
		return err
	}
	if r.once(2) {
		r.pause("without time from", 0, early)
		r.signal(syscall.SIGSTOP)
		r.pause("for", quickest, slowest)
		r.signal(syscall.SIGCONT)
	}
	if err := r.server.AwaitReady(); err != nil {
		return err
	}
	return r.awaitAll(result, time.Now())
}

func (r *round) kill(result *Result) {
	r.server.Kill()
	result.Kills++
	if r.once(5) {
		r.pause("away for", 0, longer)
		return
	}
	r.pause("away for", 0, shortly)
}

// awaitAll waits for the device and those who watch.
func (r *round) awaitAll(result *Result, ready time.Time) error {
	if err := r.awaitLive(); err != nil {
		return err
	}
	result.Device = append(result.Device, time.Since(ready))
	slower := time.Duration(0)
	for _, v := range r.viewers {
		e, err := v.Await("a fresh sample on its path", 0, Goal, func(e rig.Event) bool {
			return e.Type == "sample" && !e.Retained && e.T >= float64(ready.UnixMicro())/1e6 && v.path(e.Path)
		})
		if err != nil {
			return err
		}
		slower = max(slower, e.At.Sub(ready))
	}
	result.Viewers = append(result.Viewers, slower)
	return nil
}

// once is true that often: once in n times.
func (r *round) once(n int) bool { return r.chance.IntN(n) == 0 }

// pause waits for a random time, of which the story tells.
func (r *round) pause(what string, least, limit time.Duration) {
	d := least + time.Duration(r.chance.Int64N(int64(limit-least)))
	r.story = append(r.story, fmt.Sprintf("%s %v", what, d.Round(time.Millisecond)))
	time.Sleep(d)
}
