package main

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/pole"
)

// The loop that is closed over the network: with each loss, on each path, so many seeds; the next greater one where all stood.
const (
	poleDelay = "50ms" // each way
	poleSeeds = 3      // at the same time
)

// polePaths are those that a pole is balanced on.
var polePaths = []string{"udp", "relay-udp", "ws"}

// poleLosses are tried in this order, in % each way.
var poleLosses = []int{0, 2, 5, 10, 15, 20, 30, 40}

// poleResult is how much loss each path bore.
type poleResult struct {
	length time.Duration
	paths  []poleRow
}

type poleRow struct {
	path   string
	bore   int       // %; −1: not even none
	ages   []float64 // what a force answered, there: medians in ms
	failed int       // %; 0: none of those tried
	up     []float64 // s, there
}

func measurePole(length time.Duration) (*poleResult, error) {
	b, err := pole.NewBench()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	r := &poleResult{length: length}
	for _, path := range polePaths {
		row := poleRow{path: path, bore: -1}
		for _, loss := range poleLosses {
			fmt.Printf("balance: %s, %d %%\n", path, loss)
			t := pole.Trial{Link: fmt.Sprintf("delay=%s loss=%d%%", poleDelay, loss), Only: path, Path: path, For: length}
			stood, results, err := balanceAll(b, t)
			if err != nil {
				return nil, err
			}
			if !stood {
				row.failed = loss
				for _, one := range results {
					row.up = append(row.up, one.Up)
				}
				break
			}
			row.bore, row.ages = loss, nil
			for _, one := range results {
				row.ages = append(row.ages, one.AgeP50)
			}
		}
		r.paths = append(r.paths, row)
	}
	return r, nil
}

// balanceAll tries all seeds, and says whether the pole stood with each.
func balanceAll(b *pole.Bench, t pole.Trial) (stood bool, results []*pole.Result, _ error) {
	results, errs := make([]*pole.Result, poleSeeds), make([]error, poleSeeds)
	var all sync.WaitGroup
	for i := range poleSeeds {
		all.Go(func() {
			one := t
			one.Seed = uint64(i + 1)
			results[i], errs[i] = b.Run(one)
		})
	}
	all.Wait()
	stood = true
	for i, err := range errs {
		if err != nil {
			return false, nil, err
		}
		stood = stood && t.Stood(results[i])
	}
	return stood, results, nil
}

func writePole(text *bytes.Buffer, r *poleResult) {
	fmt.Fprintf(text, "\n## How much loss the pole withstands\n\nThe simulated pole, balanced over a link of %s each way for %v, on one path alone: the largest of the tried losses (%v %%, each way) at which it stood with each of %d seeds.\n\n"+
		"| path | largest loss | age of what a force answers, at that loss, ms | at the next loss, it fell after, in the worst case, s |\n|---|---|---|---|\n", poleDelay, r.length, poleLosses, poleSeeds)
	for _, row := range r.paths {
		bore, age, next := "none: it fell without any", "–", "–"
		if row.bore >= 0 {
			bore, age = fmt.Sprintf("%d %%", row.bore), fmt.Sprintf("%.0f", median(row.ages))
		}
		if row.up != nil {
			next = fmt.Sprintf("%d %%: %.1f", row.failed, slices.Min(row.up))
		}
		fmt.Fprintf(text, "| %s | %s | %s | %s |\n", row.path, bore, age, next)
	}
}
