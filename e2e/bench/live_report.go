package main

import (
	"bytes"
	"fmt"
)

// liveGoal says what the product's row has to be, beside bare UDP of the same run.
type liveGoal struct {
	condition, text string
	met             func(udp, ours *liveRow) bool
}

var liveGoals = []liveGoal{
	{"100-5", "≥ 99.95 %, p50 ≤ UDP + 11 ms, p99 ≤ UDP + 140 ms, ≤ 1.8 × UDP's bytes", func(udp, ours *liveRow) bool {
		return median(ours.within) >= 99.95 && later(ours.p50, udp.p50) <= 11 && later(ours.p99, udp.p99) <= 140 && ratio(ours.bytes, udp.bytes) <= 1.8
	}},
	{"300-10", "≥ 99.5 %, ≤ 3 × UDP's bytes", func(udp, ours *liveRow) bool {
		return median(ours.within) >= 99.5 && ratio(ours.bytes, udp.bytes) <= 3
	}},
	{"300-10-slow", "≥ 99.5 %", func(_, ours *liveRow) bool { return median(ours.within) >= 99.5 }},
	{"fade200", "no more lost than 1.5 × the bound's", func(udp, ours *liveRow) bool {
		return 100-median(ours.within) <= 1.5*(100-median(udp.bound))
	}},
	{"50", "≤ 190 bytes, ≤ 0.85 packets, p95 ≤ UDP + 21 ms", func(udp, ours *liveRow) bool {
		return median(ours.bytes) <= 190 && median(ours.packets) <= 0.85 && later(ours.p95, udp.p95) <= 21
	}},
	{"blackhole", "fresh ≤ 200 ms, none stale", func(_, ours *liveRow) bool {
		return median(ours.fresh) >= 0 && median(ours.fresh) <= 200 && percentile(ours.stale, 1) == 0
	}},
}

// later is the median of the rounds' differences.
func later(ours, udp []float64) float64 {
	differences := make([]float64, len(ours))
	for i := range ours {
		differences[i] = ours[i] - udp[i]
	}
	return median(differences)
}

func writeLive(text *bytes.Buffer, l *liveResult) {
	fmt.Fprintf(text, "\n## Live on weak links\n\n%d samples of %d bytes a second on `udp` (where it says slow, %d of %d), next to bare UDP on the same link at the same time. Age from the moment a sample was made until its line was read. "+
		"Bytes and packets are those of the whole link, both directions, per sample. After a blackhole of 10 s: the first fresh sample, and samples that came past their deadline although newer ones were there, in the worst round, with by how much the latest did. The bound is what a sender could save if it knew when the link comes and goes: all samples but those that had no chance to cross it in time.\n\n"+
		"| link | | within %v | bound | p50 ms | p95 ms | p99 ms | bytes | × UDP | packets | fresh ms | stale | goal |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
		rate, sampleSize, slowLoad.rate, slowLoad.size, liveDeadline)
	for _, c := range conditions {
		udp, ours := l.udp[c.name], l.ours[c.name]
		if udp == nil {
			continue
		}
		writeLiveRow(text, c, "bare UDP", udp, udp, "")
		goal := ""
		for _, g := range liveGoals {
			if g.condition == c.name {
				goal = g.text + ": " + verdict(g.met(udp, ours))
			}
		}
		who := "telepath"
		if c.chromium != "" {
			who = "telepath, Chromium"
			goal = besideView(c, l.ours[c.chromium], ours)
		}
		writeLiveRow(text, c, who, ours, udp, goal)
	}
}

// besideView judges a page by `telepath view` in the same run.
func besideView(c condition, view, page *liveRow) string {
	if view == nil {
		return ""
	}
	if c.blackhole > 0 {
		met := median(page.fresh) >= 0 && median(page.fresh) <= 1.2*median(view.fresh) && percentile(page.stale, 1) == 0
		return "fresh ≤ 1.2 × view's, none stale: " + verdict(met)
	}
	met := ratio(page.p50, view.p50) <= 1.2 && ratio(page.p99, view.p99) <= 1.2 && median(page.within) >= median(view.within)-0.1
	return "p50 and p99 ≤ 1.2 × view's, as much within: " + verdict(met)
}

func writeLiveRow(text *bytes.Buffer, c condition, who string, r, udp *liveRow, goal string) {
	fresh, stale := "", ""
	if c.blackhole > 0 {
		fresh, stale = fmt.Sprintf("%.0f", median(r.fresh)), fmt.Sprintf("%.0f", percentile(r.stale, 1))
		if late := percentile(r.past, 1); late > 0 {
			stale += fmt.Sprintf(" (by %.0f ms)", late)
		}
	}
	fmt.Fprintf(text, "| %s (`%s`) | %s | %.2f %% | %.2f %% | %.1f | %.1f | %.1f | %.0f | %.2f | %.2f | %s | %s | %s |\n", c.name, c.link, who,
		median(r.within), median(udp.bound), median(r.p50), median(r.p95), median(r.p99), median(r.bytes), ratio(r.bytes, udp.bytes), median(r.packets), fresh, stale, goal)
}
