package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/nat"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/switches"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// natPage has the table of the grid, between two comments.
const (
	natPage  = "docs/nat.md"
	natBegin = "<!-- measured -->\n"
	natEnd   = "<!-- end -->\n"
)

// natAtATime is how many cells run side by side, of one kind of viewer: they mostly wait, but a browser draws.
var natAtATime = map[string]int{"view": 6, "Chromium": 2}

// soakNAT runs all pairs with the viewers, writes the table into natPage and returns what docs/soak.md says of it.
func soakNAT(viewers []string, counted time.Duration) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	if err := warmUp(); err != nil {
		return "", err
	}
	results := runGrid(viewers, counted)
	var errs []error
	for _, r := range results {
		if err := r.Judge(); err != nil {
			errs = append(errs, fmt.Errorf("%s, %v: %w", r.Viewer, r.Pair, err))
			fmt.Printf("%s, %v: %v\n%s", r.Viewer, r.Pair, err, r.Said)
		}
	}
	summary := natSummary(results, counted, len(errs))
	var tables strings.Builder
	for _, viewer := range viewers {
		fmt.Fprintf(&tables, "\n%s\n\n%s", natTitle[viewer], natTable(results, viewer))
	}
	if err := splice(natPage, summary+tables.String()); err != nil {
		errs = append(errs, err)
	}
	return "## Every NAT before every NAT\n\n" + summary + "\nThe table is in [nat.md](nat.md).\n", errors.Join(errs...)
}

// warmUp starts Chromium once, so that the first cell does not wait for the disk.
func warmUp() error {
	dir, remove, err := tidy.Folder("telepath-soak-")
	if err != nil {
		return err
	}
	defer remove()
	return rig.WarmUpChromium(context.Background(), dir)
}

var natTitle = map[string]string{"view": "`telepath view`:", "Chromium": "The dashboard in Chromium:"}

func runGrid(viewers []string, counted time.Duration) (results []*nat.Result) {
	grid := nat.NewGrid(counted)
	var mu sync.Mutex
	for _, viewer := range viewers {
		slots := make(chan struct{}, natAtATime[viewer])
		var all sync.WaitGroup
		for _, pair := range nat.Pairs() {
			slots <- struct{}{}
			all.Go(func() {
				defer func() { <-slots }()
				r := grid.Run(nat.Cell{Pair: pair, Viewer: viewer})
				mu.Lock()
				defer mu.Unlock()
				results = append(results, r)
				fmt.Printf("%s, %v: first sample after %v, %s after %v, try %d\n", viewer, pair, r.First.Round(time.Millisecond), r.Rung, r.Reached.Round(time.Millisecond), r.Tries)
			})
		}
		all.Wait()
	}
	return results
}

func natSummary(results []*nat.Result, counted time.Duration, missed int) string {
	var first, reached []time.Duration
	sent, lost, repeated, again := 0, 0, 0, 0
	for _, r := range results {
		if r.Tries > 1 {
			again++
		}
		first, reached = append(first, r.First), append(reached, r.Reached)
		sent, lost, repeated = sent+r.Verdict.Sent, lost+r.Verdict.Lost, repeated+r.Verdict.Twice+r.Verdict.Disorder
	}
	return fmt.Sprintf("%s. %d pairs, 20 events a second for %v in each: %d missed, %d were late at first and run again; first sample after %s in the median, %s at worst; the expected rung after %s and %s; "+
		"%d events sent, %d lost, %d repeated or out of order.\n",
		report.When(), len(results), counted, missed, again,
		seconds(switches.Quantile(first, 0.5)), seconds(switches.Quantile(first, 1)),
		seconds(switches.Quantile(reached, 0.5)), seconds(switches.Quantile(reached, 1)), sent, lost, repeated)
}

// natTable has a row for each kind before the device, a column for each before the viewer.
func natTable(results []*nat.Result, viewer string) string {
	var b strings.Builder
	b.WriteString("| device ↓ viewer → |")
	for _, kind := range lab.Kinds {
		fmt.Fprintf(&b, " %s |", kind)
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(lab.Kinds)+1) + "\n")
	for _, device := range lab.Kinds {
		fmt.Fprintf(&b, "| %s |", device)
		for _, kind := range lab.Kinds {
			fmt.Fprintf(&b, " %s |", natCell(results, nat.Cell{Pair: nat.Pair{Device: device, Viewer: kind}, Viewer: viewer}))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func natCell(results []*nat.Result, cell nat.Cell) string {
	i := slices.IndexFunc(results, func(r *nat.Result) bool { return r.Cell == cell })
	if i < 0 {
		return ""
	}
	r := results[i]
	if r.Judge() != nil {
		return "**" + r.Rung + "**"
	}
	return fmt.Sprintf("%s %.1f s", r.Rung, r.Reached.Seconds())
}

// splice puts a text between the two comments of a page.
func splice(path, text string) error {
	tidy.Hold()
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(page), natBegin)
	_, after, ends := strings.Cut(rest, natEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table", path)
	}
	return os.WriteFile(path, []byte(before+natBegin+text+natEnd+after), 0o644)
}
