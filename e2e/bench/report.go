package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The goals, as docs/benchmarks says them.
const (
	relayGoal     = 1.2 // × a bare WebSocket relay (P5)
	channelsGoal  = 1.3 // × a bare pion relay (P5)
	firstRTTs     = 2.5 // + firstExtra (P8)
	firstExtra    = 15 * time.Millisecond
	directRTTs    = 6.5 // + directExtra (P8)
	directExtra   = 30 * time.Millisecond
	roundTripText = "50 ms"
)

// findings are the parts that were measured; the others are nil.
type findings struct {
	ages   *ageResult
	joined *joinResult
	live   *liveResult
}

func report(path string, f findings) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Benchmark\n\nWritten by `make bench`, %s, %s, %s/%s, %d cores, %s. A figure counts only beside the others of this run.\n",
		time.Now().UTC().Format("2006-01-02 15:04 MST"), commit(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	if f.ages != nil {
		writeAges(&text, f.ages)
	}
	if f.joined != nil {
		writeJoining(&text, f.joined)
	}
	if f.live != nil {
		writeLive(&text, f.live)
	}
	fmt.Println("\n" + text.String())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
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

func writeJoining(text *bytes.Buffer, j *joinResult) {
	fmt.Fprintf(text, "\n## Joining at %s round trip\n\nFrom the start of `telepath view`, over a link without loss, server and device on its far side, plain HTTP; %d joins.\n\n"+
		"| | median | worst | in round trips | goal |\n|---|---|---|---|---|\n", roundTripText, len(j.first))
	row := func(name string, values []float64, rtts float64, extra time.Duration) {
		goal := rtts*milliseconds(roundTrip) + milliseconds(extra)
		fmt.Fprintf(text, "| %s | %.0f ms | %.0f ms | %.1f | ≤ %.1f round trips + %v = %.0f ms: %s |\n", name, median(values), percentile(values, 1),
			median(values)/milliseconds(roundTrip), rtts, extra, goal, verdict(median(values) <= goal))
	}
	row("first sample", j.first, firstRTTs, firstExtra)
	row("first sample over a data channel", j.direct, directRTTs, directExtra)
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(out))
}
