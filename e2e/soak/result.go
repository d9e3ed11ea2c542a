package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/report"
)

// What counts as holding the goal: sixty frames a second, where a frame now and then may be missed, and a heap that does not grow.
const (
	minFPS     = 58.0 // median of the intervals
	minWorst   = 50.0 // 5th percentile of the intervals
	maxGrowth  = 0.10 // of the heap, last third against the second
	fewReports = 6    // intervals; with fewer nothing can be said
)

// interval is what the browser's half says every ten seconds.
type interval struct {
	Second  float64 `json:"second"`
	FPS     float64 `json:"fps"`
	Longest float64 `json:"longest_ms"`  // between two frames
	HeapMB  float64 `json:"heap_mb"`     // after a collection
	Arrays  float64 `json:"arrays_mb"`   // behind typed arrays: the samples that the page keeps
	CPU     float64 `json:"cpu_percent"` // of one processor, all processes of the browser
	Samples float64 `json:"samples"`     // that came to the page in the interval, a second
	Charts  int     `json:"charts"`
	Path    string  `json:"path"`
}

type result struct{ intervals []interval }

func read(r io.Reader) (*result, error) {
	var res result
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var i interval
		if err := json.Unmarshal(lines.Bytes(), &i); err != nil {
			return nil, fmt.Errorf("the browser said %.200s", lines.Text())
		}
		fmt.Printf("%4.0f s  %5.1f frames/s  longest %5.0f ms  heap %6.1f MB + %6.1f MB  cpu %4.0f %%  %6.0f samples/s  %d charts  %s\n",
			i.Second, i.FPS, i.Longest, i.HeapMB, i.Arrays, i.CPU, i.Samples, i.Charts, i.Path)
		res.intervals = append(res.intervals, i)
	}
	if len(res.intervals) < fewReports {
		return nil, fmt.Errorf("only %d reports came from the browser", len(res.intervals))
	}
	return &res, nil
}

func (r *result) column(of func(interval) float64) []float64 {
	values := make([]float64, len(r.intervals))
	for i, in := range r.intervals {
		values[i] = of(in)
	}
	return values
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

// growth compares the heap of the last third with that of the second: in the first the charts still fill up.
func (r *result) growth() (middle, last float64) {
	heap := r.column(func(i interval) float64 { return i.HeapMB })
	third := len(heap) / 3
	return quantile(heap[third:2*third], 0.5), quantile(heap[2*third:], 0.5)
}

func (r *result) judge() error {
	var errs []error
	fps := r.column(func(i interval) float64 { return i.FPS })
	if m, w := quantile(fps, 0.5), quantile(fps, 0.05); m < minFPS || w < minWorst {
		errs = append(errs, fmt.Errorf("%.1f frames a second in the median and %.1f at worst, want %.0f and %.0f", m, w, minFPS, minWorst))
	}
	if middle, last := r.growth(); last > middle*(1+maxGrowth) {
		errs = append(errs, fmt.Errorf("the heap grew from %.1f to %.1f MB", middle, last))
	}
	samples := quantile(r.column(func(i interval) float64 { return i.Samples }), 0.5)
	if want := float64(charts * series * rate); samples < 0.98*want {
		errs = append(errs, fmt.Errorf("%.0f samples a second came to the page, %.0f were made", samples, want))
	}
	if shown := r.intervals[len(r.intervals)-1].Charts; shown < charts {
		errs = append(errs, fmt.Errorf("%d charts are shown, want %d", shown, charts))
	}
	return errors.Join(errs...)
}

func (r *result) table(length time.Duration) string {
	fps := r.column(func(i interval) float64 { return i.FPS })
	middle, last := r.growth()
	var b strings.Builder
	fmt.Fprintf(&b, "## The dashboard under load\n\n%s, %d cores, headless Chromium without a GPU, every chart visible in a window of 1440 × 3200, %v.\n\n",
		report.When(), runtime.NumCPU(), length)
	fmt.Fprintf(&b, "Load: %d charts × %d series × %d samples a second, over `%s`. Goal: 60 frames a second, heap flat: %s.\n\n",
		charts, series, rate, r.intervals[len(r.intervals)-1].Path, verdict(r.judge()))
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	fmt.Fprintf(&b, "| frames a second, median / 5th percentile of the 10 s intervals | %.1f / %.1f |\n", quantile(fps, 0.5), quantile(fps, 0.05))
	fmt.Fprintf(&b, "| longest time between two frames, median / worst of the intervals | %.0f / %.0f ms |\n",
		quantile(r.column(func(i interval) float64 { return i.Longest }), 0.5), quantile(r.column(func(i interval) float64 { return i.Longest }), 1))
	fmt.Fprintf(&b, "| heap of the page after a collection, median of the second / last third | %.1f / %.1f MB |\n", middle, last)
	arrays := r.column(func(i interval) float64 { return i.Arrays })
	fmt.Fprintf(&b, "| memory behind typed arrays (the samples that the page keeps), first / last interval | %.1f / %.1f MB |\n", arrays[0], arrays[len(arrays)-1])
	fmt.Fprintf(&b, "| processors, all processes of the browser, median | %.0f %% of one |\n", quantile(r.column(func(i interval) float64 { return i.CPU }), 0.5))
	fmt.Fprintf(&b, "| samples that reached the page, median | %.0f a second |\n", quantile(r.column(func(i interval) float64 { return i.Samples }), 0.5))
	return b.String()
}
