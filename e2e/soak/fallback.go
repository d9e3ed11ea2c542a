package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/outcome"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// runTests runs tests of e2e/fallback, by a pattern, with more of the environment, and returns the rows that they told.
func runTests[Row any](pattern string, env ...string) (rows []Row, err error) {
	dir, remove, err := tidy.Folder("telepath-soak-")
	if err != nil {
		return nil, err
	}
	defer remove()
	file := filepath.Join(dir, "outcome")
	cmd := exec.Command("go", "test", "-count=1", "-timeout", "3h", "-v", "-run", pattern, "./e2e/fallback")
	cmd.Env = append(append(os.Environ(), "TELEPATH_E2E=require", outcome.Variable+"="+file), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	failed := program.Run(cmd)
	rows, err = outcome.Read[Row](file)
	if failed != nil {
		err = fmt.Errorf("%s: %w", pattern, failed)
	}
	return rows, err
}

func soakMatrix(cells string, length time.Duration) (string, error) {
	long := fmt.Sprintf("TELEPATH_CELL_SECONDS=%.0f", length.Seconds())
	rows, err := runTests[outcome.Cell]("^TestMatrix$/("+cells+")", long)
	pages, errPages := soakPages(cells, long)
	rows, err = append(rows, pages...), errors.Join(err, errPages)
	if len(rows) == 0 {
		return "", err
	}
	slices.SortFunc(rows, func(a, b outcome.Cell) int { return cmp.Compare(cellName(a), cellName(b)) })
	var b strings.Builder
	fmt.Fprintf(&b, "## Every network before every program\n\n%s. %d cells; in each, 20 events a second for %v. A time that was too long was measured again, with separate programs, up to twice (try 2, try 3). Times of pages are from a run with one browser on the machine, events from one with three. In each cell that is met, the user is told what stands in the way.\n\n", report.When(), len(rows), length)
	b.WriteString("| network / behind it | first sample | on the second visit | on | events | lost | repeated | out of order | in declared gaps | |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		name := cellName(r) + again(r.Tries)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d | %d | %d | %d | %s |\n", name, seconds(r.First), seconds(r.Again), r.Rung, r.Sent, r.Lost, r.Repeated, r.Disorder, r.InGaps, passed(r.Failed))
	}
	return b.String(), err
}

// soakPages measures times with one browser on the machine, and counts events, which takes longer, in several.
func soakPages(cells, long string) ([]outcome.Cell, error) {
	pattern := "^TestPages$/(" + cells + ")"
	timed, err := runTests[outcome.Cell](pattern, "TELEPATH_PAGES_AT_ONCE=1")
	counted, errCounted := runTests[outcome.Cell](pattern, long, slack.Usual())
	times := map[string]outcome.Cell{}
	for _, r := range timed {
		times[r.Test] = r
	}
	for i := range counted {
		r, t := &counted[i], times[counted[i].Test]
		r.First, r.Again, r.Rung, r.Tries, r.Failed = t.First, t.Again, t.Rung, t.Tries, r.Failed || t.Failed
	}
	return counted, errors.Join(err, errCounted)
}

// cellName is the network and who is behind it.
func cellName(r outcome.Cell) string {
	_, name, _ := strings.Cut(strings.ReplaceAll(r.Test, "_", " "), "/")
	return name
}

func soakSlow(length time.Duration) (string, error) {
	rows, err := runTests[outcome.Slow]("^TestSlowHop$", fmt.Sprintf("TELEPATH_SLOW_SECONDS=%.0f", length.Seconds()))
	if len(rows) == 0 {
		return "", err
	}
	slices.SortFunc(rows, func(a, b outcome.Slow) int {
		return cmp.Or(cmp.Compare(a.Streams, b.Streams), cmp.Compare(a.Test, b.Test))
	})
	var b strings.Builder
	fmt.Fprintf(&b, "## A buffering nginx in front of a slow hop\n\n%s. 64 kbit/s, 20 ms each way, streams of 100 samples of 100 bytes a second, %v. Goal: age at 95 %% of one stream ≤ 0.50 s, of ten ≤ 1.50 s; memory flat.\n\n", report.When(), length)
	b.WriteString("| behind the hop | streams | age of samples, median / 95 % / worst | age of the newest shown, at most | memory of server, agent and viewer before → after, MiB | |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %s / %s / %s | %s | %v → %v | %s |\n", slowName(r)+again(r.Tries), r.Streams,
			seconds(r.P50), seconds(r.P95), seconds(r.Max), seconds(r.Stalest), r.Before, r.After, passed(r.Failed))
	}
	return b.String(), err
}

// slowName is who is behind the hop, and the rungs that are used.
func slowName(r outcome.Slow) string {
	name := strings.ReplaceAll(r.Test[strings.LastIndex(r.Test, "/")+1:], "_", " ")
	return strings.TrimPrefix(name, "before ")
}

// again says that a row is not of the first try.
func again(tries int) string {
	if tries <= 1 {
		return ""
	}
	return fmt.Sprintf(" (try %d)", tries)
}

func passed(failed bool) string {
	if failed {
		return "**missed**"
	}
	return "met"
}
