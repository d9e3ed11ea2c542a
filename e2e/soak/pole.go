package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/pole"
	"github.com/telepath-iot/telepath/e2e/report"
)

const (
	poleLink     = "delay=50ms loss=5%"
	poleMisses   = 0.02 // of the seeds, in which the pole may fall
	polesAtATime = 3    // the machine's physics and the loop's beats want their processor in time
)

// soakPole balances the pole so often, with another seed each time.
func soakPole(seeds int, length time.Duration) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	bench, err := pole.NewBench()
	if err != nil {
		return "", err
	}
	results, errs := make([]*pole.Result, seeds), make([]error, seeds)
	trial := pole.Trial{Link: poleLink, Only: "udp", Path: "udp", For: length}
	next := make(chan int)
	var all sync.WaitGroup
	for range polesAtATime {
		all.Go(func() {
			for i := range next {
				t := trial
				t.Seed = uint64(i + 1)
				results[i], errs[i] = bench.Run(t)
				fmt.Printf("pole, seed %d of %d: %+v %v\n", i+1, seeds, results[i], errs[i])
			}
		})
	}
	for i := range seeds {
		next <- i
	}
	close(next)
	all.Wait()
	stood := 0
	for _, r := range results {
		if r != nil && trial.Stood(r) {
			stood++
		}
	}
	if want := seeds - int(poleMisses*float64(seeds)); stood < want {
		errs = append(errs, fmt.Errorf("the pole stood with %d of %d seeds, want %d", stood, seeds, want))
	}
	bench.Close()
	err = errors.Join(errs...)
	return poleTable(trial, results, stood, err), err
}

func poleTable(t pole.Trial, results []*pole.Result, stood int, err error) string {
	var fell []string
	var ages []float64
	for i, r := range results {
		switch {
		case r == nil:
			fell = append(fell, fmt.Sprintf("seed %d: not tried to its end", i+1))
		case t.Stood(r):
			ages = append(ages, r.AgeP50)
		default:
			fell = append(fell, fmt.Sprintf("seed %d: after %.1f s", i+1, r.Up))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## The pole over a bad link\n\n%s, %d cores, %d at a time. The simulated pole is balanced by a program at the far end of an emulated link of `%s` each way, on the direct path alone, for %v; with another seed for the losses each time.\n\n",
		report.When(), runtime.NumCPU(), polesAtATime, t.Link, t.For)
	fmt.Fprintf(&b, "Goal: it stands with 49 of 50 seeds: %s. It stood with %d of %d.\n", verdict(err), stood, len(results))
	if len(ages) > 0 {
		slices.Sort(ages)
		fmt.Fprintf(&b, "The state that a force answered was %.0f ms old when it acted, in the median seed's median.\n", ages[len(ages)/2])
	}
	if len(fell) > 0 {
		fmt.Fprintf(&b, "\n- %s\n", strings.Join(fell, "\n- "))
	}
	return b.String()
}
