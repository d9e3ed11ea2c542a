package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/switches"
)

// soakSwitches runs all kinds at once, each in a world of its own: they mostly wait. Those with a browser come after them, one at
// a time: what they measure is how soon a page has a fresh sample, not how soon it gets a processor.
func soakSwitches(kinds []switches.Kind, count int, seed uint64) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	results, errs := make([]*switches.Result, len(kinds)), make([]error, len(kinds))
	run := func(i int) { results[i], errs[i] = soakSwitch(kinds[i], count, seed) }
	var all sync.WaitGroup
	for i, kind := range kinds {
		if !kind.Browses {
			all.Go(func() { run(i) })
		}
	}
	all.Wait()
	if err := warmUp(); err != nil {
		return "", err
	}
	for i, kind := range kinds {
		if kind.Browses {
			run(i)
		}
	}
	return switchTable(kinds, results, errs, seed), errors.Join(errs...)
}

func soakSwitch(kind switches.Kind, count int, seed uint64) (*switches.Result, error) {
	began := time.Now()
	trial, err := switches.Start(kind)
	if err != nil {
		return nil, err
	}
	defer trial.Close()
	fmt.Printf("%s is up after %v\n", kind.Name, time.Since(began).Round(time.Millisecond))
	result, err := trial.Run(count, seed, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
	if err != nil {
		return result, err
	}
	return result, result.Judge()
}

// chosenKinds are those that names lists, comma-separated; all if it is empty.
func chosenKinds(names string) []switches.Kind {
	return slices.DeleteFunc(slices.Clone(switches.Kinds), func(k switches.Kind) bool {
		return names != "" && !slices.Contains(strings.Split(names, ","), k.Name)
	})
}

func switchTable(kinds []switches.Kind, results []*switches.Result, errs []error, seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## When the path is taken away\n\n%s, seed %d, all kinds at once, except those with a browser, which follow one at a time. `telepath view` at the far end of an emulated link; 10 events a second, judged by an independent ledger.\n\n", report.When(), seed)
	b.WriteString("| | times | events sent | lost | repeated | out of order | in declared gaps | fresh sample, median / 95 % / worst | goal, at 95 % | back on its rung, median / worst | |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i, r := range results {
		b.WriteString(switchRow(kinds[i].Name, r, errs[i]))
	}
	b.WriteString("\n")
	for _, kind := range switches.Kinds {
		fmt.Fprintf(&b, "- %s: %s\n", kind.Name, kind.Means)
	}
	return b.String()
}

func switchRow(name string, r *switches.Result, err error) string {
	if r == nil || len(r.Fresh) == 0 {
		return fmt.Sprintf("| %s | | | | | | | | | | **failed** |\n", name) // why stands in the output
	}
	v := r.Verdict
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %s / %s / %s | ≤ %v | %s / %s | %s |\n",
		name, len(r.Fresh), v.Sent, v.Lost, v.Twice, v.Disorder, v.InGaps,
		seconds(switches.Quantile(r.Fresh, 0.5)), seconds(switches.Quantile(r.Fresh, 0.95)), seconds(switches.Quantile(r.Fresh, 1)), r.Kind.Fresh,
		seconds(switches.Quantile(r.Back, 0.5)), seconds(switches.Quantile(r.Back, 1)), verdict(err))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
