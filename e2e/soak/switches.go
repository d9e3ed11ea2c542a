package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/switches"
)

// soakSwitches runs all kinds at once, each in a world of its own: they mostly wait.
func soakSwitches(kinds []switches.Kind, count int, seed uint64) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	if err := warmUp(); err != nil { // two of the kinds have a browser
		return "", err
	}
	results, errs := make([]*switches.Result, len(kinds)), make([]error, len(kinds))
	trials := startTrials(kinds, errs)
	var all sync.WaitGroup
	for i, trial := range trials {
		if trial == nil {
			continue
		}
		all.Go(func() {
			defer trial.Close()
			results[i], errs[i] = trial.Run(count, seed, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
			if errs[i] == nil {
				errs[i] = results[i].Judge()
			}
		})
	}
	all.Wait()
	return switchTable(kinds, results, errs, seed), errors.Join(errs...)
}

// startTrials starts one after the other, those with a browser first: beside programs that start all at once it has not enough of
// the processors to show a page in any time that is worth waiting for.
func startTrials(kinds []switches.Kind, errs []error) []*switches.Trial {
	trials := make([]*switches.Trial, len(kinds))
	for _, browses := range []bool{true, false} {
		for i, kind := range kinds {
			if kind.Browses != browses {
				continue
			}
			began := time.Now()
			if trials[i], errs[i] = switches.Start(kind); errs[i] == nil {
				fmt.Printf("%s is up after %v\n", kind.Name, time.Since(began).Round(time.Millisecond))
			}
		}
	}
	return trials
}

// chosenKinds are those that names lists, comma-separated; all if it is empty.
func chosenKinds(names string) []switches.Kind {
	return slices.DeleteFunc(slices.Clone(switches.Kinds), func(k switches.Kind) bool {
		return names != "" && !slices.Contains(strings.Split(names, ","), k.Name)
	})
}

func switchTable(kinds []switches.Kind, results []*switches.Result, errs []error, seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## What carries is taken away\n\n%s, seed %d, all kinds at once. `telepath view` at the far end of an emulated link; 10 events a second, judged by an independent ledger.\n\n", when(), seed)
	b.WriteString("| | times | events sent | lost | repeated | out of order | in declared gaps | fresh sample, median / 95 % / worst | goal | back on its rung, median / worst | |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
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
