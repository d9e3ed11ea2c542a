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
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/safety"
)

// calmAtOnce is how many kinds run at the same time where it counts when a program began to run: of more, that is the machine's doing.
const calmAtOnce = 2

// soakControl runs the kinds in turns, each kind in a world of its own: those that must not stop, or answer calls; the one with a
// browser by itself; and then, with all processors taken, those that must end what moves. times of each; 0: as the goals name them.
func soakControl(names string, times int, seed uint64) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	kinds := slices.DeleteFunc(slices.Clone(safety.Kinds), func(k safety.Kind) bool {
		return names != "" && !slices.Contains(strings.Split(names, ","), k.Name)
	})
	results, errs := make([]*safety.Result, len(kinds)), make([]error, len(kinds))
	turn := func(atOnce int, isOf func(safety.Kind) bool) {
		var all sync.WaitGroup
		room := make(chan struct{}, atOnce)
		for i, kind := range kinds {
			if !isOf(kind) {
				continue
			}
			n := times
			if n == 0 {
				n = kind.Full
			}
			room <- struct{}{}
			all.Go(func() {
				defer func() { <-room }()
				results[i], errs[i] = safety.Run(kind, n, seed, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
				if errs[i] == nil {
					errs[i] = results[i].Judge(safety.Promise)
				}
			})
		}
		all.Wait()
	}
	turn(calmAtOnce, func(k safety.Kind) bool { return !k.Busy && !k.Page })
	turn(1, func(k safety.Kind) bool { return k.Page })
	if slices.ContainsFunc(kinds, func(k safety.Kind) bool { return k.Busy }) {
		calm, err := takeProcessors()
		if err != nil {
			return "", err
		}
		defer calm()
		turn(len(kinds), func(k safety.Kind) bool { return k.Busy })
	}
	return controlTable(kinds, results, errs, seed), errors.Join(errs...)
}

// idler is a program that takes a processor for itself for as long as it runs.
var idler = []string{"sh", "-c", "while :; do :; done"}

// takeProcessors keeps all processors busy until calm is called.
func takeProcessors() (calm func(), err error) {
	var all []*program.Program
	calm = func() {
		for _, p := range all {
			p.Kill()
		}
	}
	for range runtime.NumCPU() {
		p, err := program.Start(program.Spec{Args: idler})
		if err != nil {
			calm()
			return nil, err
		}
		all = append(all, p)
	}
	return calm, nil
}

// untilSafe is a quantile of how long it took until all was safe.
func untilSafe(r *safety.Result, q float64) string {
	took := r.Quantile(q)
	if took == safety.Never {
		return "not while it was watched"
	}
	return fmt.Sprintf("%d ms", took.Milliseconds())
}

func controlTable(kinds []safety.Kind, results []*safety.Result, errs []error, seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## A hand on the machine\n\n%s, seed %d, %d cores, two kinds at once, those on busy processors all at once. The actuator is a program, and its own record is the judge.\n", report.When(), seed, runtime.NumCPU())
	section := func(title, columns string, of func(r *safety.Result) (row string, in bool)) {
		rows := ""
		for i, r := range results {
			if r == nil {
				continue
			}
			if row, in := of(r); in {
				rows += fmt.Sprintf("| %s | %d | %s | %s |\n", kinds[i].Name, r.Times, row, verdict(errs[i]))
			}
		}
		if rows != "" {
			fmt.Fprintf(&b, "\n%s\n\n| | times | %s | |\n|---|%s\n%s", title, columns, strings.Repeat("---|", strings.Count(columns, "|")+3), rows)
		}
	}
	section(fmt.Sprintf("What ends a hand: until all was safe, with a dead-man time of 300 ms; goal ≤ %v, with a program on each core that does nothing but keep it busy (except for `page-hangs`).", safety.Promise),
		"median | 95 % | worst | later than the goal | repeated: nothing moved just then, or the machine itself stood still", func(r *safety.Result) (string, bool) {
			if len(r.Safe) == 0 {
				return "", false
			}
			late := len(slices.DeleteFunc(slices.Clone(r.Safe), func(d time.Duration) bool { return d <= safety.Promise }))
			return fmt.Sprintf("%s | %s | %s | %d | %d", untilSafe(r, 0.5), untilSafe(r, 0.95), untilSafe(r, 1), late, r.Again), true
		})
	section("What must not end one: stops while the other path is healthy.", "stops | repeated: the hand had no processor time", func(r *safety.Result) (string, bool) {
		return fmt.Sprintf("%d | %d", r.Stops, r.Again), strings.HasSuffix(r.Kind.Name, "-dies")
	})
	section("Calls: how they ended, and what the record says.", "calls | done | expired or rejected | unknown | ran twice | ran late | end not borne out", func(r *safety.Result) (string, bool) {
		return fmt.Sprintf("%d | %d | %d | %d | %d | %d | %d", r.Calls, r.Ends["done"], r.Ends["expired"]+r.Ends["rejected"], r.Ends["unknown"], r.Twice, r.Late, len(r.Wrong)), r.Calls > 0
	})
	section("Two operators.", "leases | two moved it at once | fences that did not rise", func(r *safety.Result) (string, bool) {
		return fmt.Sprintf("%d | %d | %d", r.Grants, r.Both, r.Fell), r.Grants > 0
	})
	b.WriteString("\n")
	for i, kind := range kinds {
		fmt.Fprintf(&b, "- %s: %s\n", kind.Name, kind.Means)
		if errs[i] != nil && (results[i] == nil || results[i].Times == 0) {
			fmt.Fprintf(&b, "  **failed**: %s\n", strings.ReplaceAll(errs[i].Error(), "\n", "; "))
		}
	}
	return b.String()
}
