package nat

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/ledger"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/slack"
)

// Result is what came of a cell.
type Result struct {
	Cell
	First     time.Duration // to the first sample
	FirstRung string
	Rung      string        // in the end
	Reached   time.Duration // the expected rung, after the same beginning; 0: never
	Verdict   ledger.Verdict
	Tries     int    // runs until it was in time; the later ones had the machine to themselves
	Said      string // what the viewer told of its path, and more where something is wrong
	Err       error  // what kept the cell from being run to its end
}

const patience = 20 * time.Second // for what must come but is not measured

// Grid runs cells, any number at a time.
type Grid struct {
	counted time.Duration
	pages   chan struct{} // has room for the pages that may be open
	quiet   sync.RWMutex  // held by who has the machine to itself
}

const (
	// pagesAtOnce: while events are counted in one page the next one may begin; more take too much of the processor from it.
	pagesAtOnce = 2
	// mostTries is how often a cell that is late is run. The machine has other tenants; programs that are late are so each time.
	mostTries = 3
)

// NewGrid makes one in whose cells events flow for so long.
func NewGrid(counted time.Duration) *Grid {
	return &Grid{counted: counted, pages: make(chan struct{}, pagesAtOnce)}
}

// Run runs one cell. What others take of the processor is no property of the programs: one that was late beside them is run
// again when nobody else is there.
func (g *Grid) Run(cell Cell) (r *Result) {
	r = g.beside(cell)
	r.Tries = 1
	for r.fault() == nil && r.late() != nil && r.Tries < mostTries {
		tried := r.Tries
		r = g.alone(cell)
		r.Tries = tried + 1
	}
	return r
}

func (g *Grid) beside(cell Cell) *Result {
	if cell.Viewer == "Chromium" {
		g.pages <- struct{}{}
		defer func() { <-g.pages }()
	}
	g.quiet.RLock()
	defer g.quiet.RUnlock()
	return runCell(cell, g.counted)
}

func (g *Grid) alone(cell Cell) *Result {
	g.quiet.Lock()
	defer g.quiet.Unlock()
	return runCell(cell, g.counted)
}

func runCell(cell Cell, counted time.Duration) (r *Result) {
	r = &Result{Cell: cell}
	w, err := newWorld(cell.Pair)
	if err == nil {
		err = r.run(w, counted)
	}
	r.Err = errors.Join(err, w.close())
	return r
}

func (r *Result) run(w *world, counted time.Duration) error {
	agent, err := w.startAgent()
	if err != nil {
		return err
	}
	v, first, began, err := w.startViewer(r.Viewer)
	if err != nil {
		return err
	}
	r.First, r.FirstRung = first.At.Sub(began), first.Path
	events := rig.StartProducer(agent, 1)
	defer events.Stop()
	counting := time.Now()
	if at, err := v.AwaitPath(r.Expected(), 0, patience); err == nil {
		r.Reached = at.At.Sub(began)
	}
	time.Sleep(time.Until(counting.Add(counted)))
	r.Verdict, err = events.Settle(v, 1)
	mark := v.Mark()
	if r.Rung, _ = told(v); r.Rung != r.Expected() && r.Reached > 0 {
		_, _ = v.AwaitPath(r.Expected(), mark, patience) // on a busy machine a path may be in doubt just now
	}
	r.Rung, r.Said = told(v)
	if r.Judge() != nil {
		if r.Viewer == "Chromium" {
			r.Said += drawer(v)
		}
		r.Said += "the agent said:\n" + complaints(agent) + "the viewer:\n" + complaints(v.Program) + "the server:\n" + complaints(w.server.Program)
	}
	return err
}

// told is the rung that the viewer named last, and all that it named with the reasons.
func told(v *rig.Watcher) (rung, said string) {
	events, err := v.Events()
	if err != nil {
		return "", err.Error()
	}
	for _, e := range events {
		if e.Type == "path" {
			rung = e.Path
			said += fmt.Sprintf("%s %s: %s\n", e.At.Format("05.000"), e.Path, e.Reason)
		}
	}
	return rung, said
}

// drawer is what a page says of all its rungs.
func drawer(v *rig.Watcher) string {
	if err := v.Write("drawer"); err != nil {
		return err.Error()
	}
	shown, err := v.Await("drawer", 0, patience, func(e rig.Event) bool { return e.Type == "drawer" })
	if err != nil {
		return err.Error()
	}
	return "its drawer:\n" + shown.Text + "\n"
}

// complaints are what a program wrote to standard error, its log.
func complaints(p *program.Program) (said string) {
	for line := range strings.Lines(p.Tail(10_000)) {
		if strings.Contains(line, " ! ") {
			said += line
		}
	}
	return said
}

// What a cell must hold.
const (
	firstWithin = 2 * time.Second // and two round trips, which are under a millisecond here
	rungWithin  = 5 * time.Second
)

// Judge says what is wrong, if anything is.
func (r *Result) Judge() error { return errors.Join(r.fault(), r.late()) }

// fault is what no other cell can be blamed for.
func (r *Result) fault() error {
	if r.Err != nil {
		return r.Err
	}
	var errs []error
	if want := r.Expected(); r.Rung != want {
		errs = append(errs, fmt.Errorf("it ended up on %s, want %s", r.Rung, want))
	}
	if !r.Verdict.OK() || r.Verdict.Delivered == 0 {
		errs = append(errs, fmt.Errorf("events: %v", r.Verdict))
	}
	return errors.Join(errs...)
}

func (r *Result) late() error {
	var errs []error
	if most := slack.Of(firstWithin); r.First > most {
		errs = append(errs, fmt.Errorf("the first sample came after %v, want at most %v", r.First, most))
	}
	if most := slack.Of(rungWithin); r.Reached > most {
		errs = append(errs, fmt.Errorf("it reached %s after %v, want at most %v", r.Expected(), r.Reached, most))
	}
	return errors.Join(errs...)
}
