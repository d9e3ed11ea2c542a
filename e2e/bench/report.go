package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/telepath-iot/telepath/e2e/report"
)

// The goals, as docs/benchmarks says them.
const (
	relayGoal    = 1.2 // × a bare WebSocket relay (P5)
	channelsGoal = 1.3 // × a bare pion relay (P5)
	// P9: µs of a relay's processor for each delivered sample.
	socketCost  = 10
	channelCost = 150
	fanOutCost  = 16 // asked for at 1:200
)

// shortly is behind the name of a part in the name of its section in short.
const shortly = "-in-short"

// publish puts sections in their place in the page, and what is in short into the README as well.
func publish(path, readme string, parts []part, made sections) error {
	all, err := report.Read(path)
	if err != nil {
		return err
	}
	maps.Copy(all, made)
	page := report.Page{Title: "# Benchmark\n\nWritten by `make bench`. Each section says when, and of which commit. A figure counts only next to the others of its section.\n"}
	short, changed := "", false
	for _, p := range slices.Backward(parts) { // side by side first
		name := p.name + shortly
		page.Names, short, changed = append(page.Names, name), short+all[name], changed || made[name] != ""
	}
	for _, p := range parts {
		page.Names = append(page.Names, p.name)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := page.Write(path, all); err != nil || readme == "" || !changed {
		return err
	}
	return inREADME(readme, short)
}

func inREADME(path, short string) error {
	text, err := os.ReadFile(path)
	if err == nil {
		text, err = between(text, short)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	return err
}

// dated says when, of what and on what a figure was measured.
func dated() string { return report.When() + ", " + report.Machine() }

// withDate is a section that says so before all else.
func withDate(section string) string {
	return strings.Replace(strings.TrimLeft(section, "\n"), "\n\n", "\n\n"+dated()+".\n\n", 1)
}

func writeAges(text *bytes.Buffer, a *ageResult) {
	fmt.Fprintf(text, "\n## Age on loopback\n\n%d samples of %d bytes a second, from the moment a sample was made until the line with it was read from the viewer. "+
		"Median of %d interleaved rounds, ms.\n\n| | p50 | p99 | ratio p50 | ratio p99 | goal |\n|---|---|---|---|---|---|\n", rate, sampleSize, len(a.direct.p50))
	pair := func(bare, ours ages, goal string) {
		fmt.Fprintf(text, "| %s | %.2f | %.2f | 1 | 1 | |\n", bare.name, median(bare.p50), median(bare.p99))
		fmt.Fprintf(text, "| %s | %.2f | %.2f | %.2f | %.2f | %s |\n", ours.name, median(ours.p50), median(ours.p99),
			ratio(ours.p50, bare.p50), ratio(ours.p99, bare.p99), goal)
	}
	pair(a.barePion, a.direct, "–")
	goal := func(most float64, bare, ours ages) string {
		return fmt.Sprintf("≤ %.1f: %s", most, verdict(ratio(ours.p50, bare.p50) <= most && ratio(ours.p99, bare.p99) <= most))
	}
	pair(a.barePionRelay, a.channels, goal(channelsGoal, a.barePionRelay, a.channels))
	pair(a.bareSocket, a.relayed, goal(relayGoal, a.bareSocket, a.relayed))
}

// ratio is the median of the rounds' ratios: both sides of each met the same minute.
func ratio(ours, bare []float64) float64 {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i] / bare[i]
	}
	return median(ratios)
}

func writeCosts(text *bytes.Buffer, c *costResult) {
	fmt.Fprintf(text, "\n## What relaying costs\n\nProcessor time of the relay for each sample that it delivers, in µs; %d samples of %d bytes a second to one receiver, and to %d in one process. Median of %d interleaved rounds.\n\n"+
		"| | 1:1 | ratio | 1:%d | ratio | delivered | goal |\n|---|---|---|---|---|---|---|\n", rate, sampleSize, many, len(c.relayed.toOne), many)
	bare := func(b cost) {
		fmt.Fprintf(text, "| %s | %.0f | 1 | %.1f | 1 | %.1f %% | |\n", b.name, median(b.toOne), median(b.toMany), 100*median(b.delivered))
	}
	ours := func(o, b cost, goal string) {
		fmt.Fprintf(text, "| %s | %.0f | %.2f | %.1f | %.2f | %.1f %% | %s |\n", o.name, median(o.toOne), ratio(o.toOne, b.toOne), median(o.toMany), ratio(o.toMany, b.toMany), 100*median(o.delivered), goal)
	}
	bare(c.bareSocket)
	ours(c.relayed, c.bareSocket, fmt.Sprintf("1:%d ≤ %d µs: %s", many, socketCost, verdict(median(c.relayed.toMany) <= socketCost)))
	bare(c.barePion)
	ours(c.channels, c.barePion, fmt.Sprintf("1:1 ≤ %d µs: %s, 1:%d ≤ %d µs: %s", channelCost, verdict(median(c.channels.toOne) <= channelCost), many, fanOutCost, verdict(median(c.channels.toMany) <= fanOutCost)))
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}
