package safety

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is one thing that is done to who holds, or calls.
type Kind struct {
	Name  string
	Means string // for the table
	Full  int    // times, as the goals name them
	Busy  bool   // it is done beside others that take all processors
	Page  bool   // it has a browser
	run   func(r *Result, seed uint64, say Say) error
}

// Say is told of each.
type Say func(format string, args ...any)

// Kinds are all there are.
var Kinds = []Kind{
	{
		Name: "better-dies", Full: 50, run: better(false),
		Means: "the direct path is cut silently, both ends stay on the server's: a stop would be wrong",
	},
	{
		Name: "udp-dies", Full: 50, run: better(true),
		Means: "the same with all UDP cut, and a WebSocket beside it",
	},
	{Name: "calls-kill", Full: 100, run: callsKilled, Means: "the agent is killed (SIGKILL) during calls and started again"},
	{Name: "calls-cut", Full: 100, run: callsCut, Means: "the network is dark for 0.2 to 2 s during calls, or all UDP is dropped"},
	{
		Name: "contend", Full: 100, run: contend,
		Means: "two operators ask for the lease and hand it over, while they reconnect, the network goes dark, and server and agent are killed",
	},
	{Name: "all-cut", Full: 100, Busy: true, run: cutAll, Means: "all paths are cut silently"},
	{Name: "agent-stopped", Full: 50, Busy: true, run: stopAgent, Means: "the agent is stopped (SIGSTOP)"},
	{Name: "agent-killed", Full: 50, Busy: true, run: killAgent, Means: "the agent is killed (SIGKILL)"},
	{Name: "heartbeats-late", Full: 20, Busy: true, run: delayAll, Means: "heartbeats come 5 s late, as far apart as they were sent"},
	{Name: "page-hangs", Full: 20, Page: true, run: hangPage, Means: "the main thread of a page in Chromium hangs while a key is held"},
}

// Result is what came of one kind.
type Result struct {
	Kind  Kind
	Times int
	Again int             // times that said nothing, since nothing moved, or the hand or the machine itself had no processor: done again
	Safe  []time.Duration // until all was safe

	Stops int // that were wrong

	Calls, Twice, Late int
	Ends               map[string]int // of calls, by state
	Wrong              []string       // ends that the actuator's book does not bear out

	Grants, Both, Fell int // leases; times that two moved it at once; fences that did not rise

	chance *rand.Rand
}

// Run does a kind so often; what is random in it follows from seed.
func Run(kind Kind, times int, seed uint64, say Say) (*Result, error) {
	r := &Result{Kind: kind, Ends: map[string]int{}, chance: rand.New(rand.NewPCG(seed, 0))}
	for r.Times < times && r.Again <= times {
		// A world holds for a while: a book of a hundred times is long to read.
		most := min(times-r.Times, aWorld)
		part := &Result{Kind: kind, Times: most, Ends: map[string]int{}, chance: r.chance}
		err := kind.run(part, seed, say)
		r.add(part)
		if err != nil {
			return r, fmt.Errorf("%s: %w", kind.Name, err)
		}
	}
	return r, nil
}

// aWorld is how often something is done in one.
const aWorld = 25

func (r *Result) add(p *Result) {
	r.Times, r.Again, r.Stops = r.Times+p.Times, r.Again+p.Again, r.Stops+p.Stops
	r.Calls, r.Twice, r.Late = r.Calls+p.Calls, r.Twice+p.Twice, r.Late+p.Late
	r.Grants, r.Both, r.Fell = r.Grants+p.Grants, r.Both+p.Both, r.Fell+p.Fell
	r.Safe, r.Wrong = append(r.Safe, p.Safe...), append(r.Wrong, p.Wrong...)
	for state, n := range p.Ends {
		r.Ends[state] += n
	}
}

// Judge says what is wrong, if anything is. most is how long it may take until all is safe.
func (r *Result) Judge(most time.Duration) error {
	var errs []error
	late := 0
	for _, took := range r.Safe {
		if took > most {
			late++
		}
	}
	for what, n := range map[string]int{
		fmt.Sprintf("safe later than %v", most): late, "stopped without need": r.Stops, "calls ran twice": r.Twice, "calls ran late": r.Late,
		"ends of calls are wrong": len(r.Wrong), "times two moved it at once": r.Both, "fences did not rise": r.Fell,
	} {
		if n > 0 {
			errs = append(errs, fmt.Errorf("%s: %d %s", r.Kind.Name, n, what))
		}
	}
	if len(r.Wrong) > 0 {
		errs = append(errs, fmt.Errorf("%q", r.Wrong[:min(len(r.Wrong), 3)]))
	}
	return errors.Join(errs...)
}

// Never stands for the time of what was not safe as long as it was watched.
const Never = time.Hour

// Quantile of how long it took until all was safe.
func (r *Result) Quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.Safe))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// between is a random time.
func (r *Result) between(least, most time.Duration) time.Duration {
	return least + time.Duration(r.chance.Int64N(int64(most-least)))
}
