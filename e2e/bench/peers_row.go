package main

import (
	"errors"
	"math"
	"strings"
	"time"
)

// peerRow is one contestant at one crossing, one entry a round that it finished.
type peerRow struct {
	within        []float64 // share of the samples made that came within liveDeadline, in %
	came          []float64 // share that came at all, up to a second after the last one was made, in %
	p50, p95, p99 []float64 // age of those that came, in ms
	bytes         []float64 // on the link, both directions, a sample made
	packets       []float64
	device        []float64 // processor time of the programs, a sample made, in µs
	relay, viewer []float64
	fresh         []float64 // of an outage: from its end to the first sample made after it, in ms; infinite: none came
	late          []float64 // of an outage: samples that came past their deadline

	ages    []float64 // of all rounds, in ms
	made    float64   // samples, in all rounds
	remarks []string  // what else is to be known, one entry a round that has one
	failed  []string  // reasons, one entry a round that it did not finish
}

// fail enters a reason; of a long one, as programs say them, the first line.
func (r *peerRow) fail(err error) {
	reason, _, _ := strings.Cut(err.Error(), "\n")
	r.failed = append(r.failed, strings.TrimSuffix(reason, "; it said:"))
}

var errNothing = errors.New("no sample came")

// enter takes the samples that were made in a window.
func (r *peerRow) enter(w window, got []arrival, s spent, astray string) {
	var ages []float64
	seen, in := map[uint64]bool{}, 0
	for _, a := range got {
		if !w.holds(a.made) || seen[a.seq] {
			continue
		}
		seen[a.seq] = true
		ages = append(ages, milliseconds(a.age()))
		if a.age() <= liveDeadline {
			in++
		}
	}
	if len(ages) == 0 {
		r.fail(errNothing)
		return
	}
	made := numberAt(w.to, got) - numberAt(w.from, got)
	r.within, r.came = append(r.within, 100*float64(in)/made), append(r.came, 100*float64(len(ages))/made)
	r.p50, r.p95, r.p99 = append(r.p50, percentile(ages, 0.50)), append(r.p95, percentile(ages, 0.95)), append(r.p99, percentile(ages, 0.99))
	r.bytes, r.packets = append(r.bytes, float64(w.traffic.Bytes)/made), append(r.packets, float64(w.traffic.Packets)/made)
	micros := func(d time.Duration) float64 { return float64(d.Microseconds()) / made }
	r.device, r.relay, r.viewer = append(r.device, micros(s.device)), append(r.relay, micros(s.relay)), append(r.viewer, micros(s.viewer))
	r.ages, r.made = append(r.ages, ages...), r.made+made
	if astray != "" {
		r.remarks = append(r.remarks, astray)
	}
}

// numberAt is the number of the last sample that was made before a time, as what came around it tells. What did not come was made
// at the workload's pace.
func numberAt(t time.Time, got []arrival) float64 {
	var before, after arrival // the nearest ones
	for _, a := range got {
		switch {
		case a.made.Before(t) && a.seq > before.seq:
			before = a
		case !a.made.Before(t) && (after.seq == 0 || a.seq < after.seq):
			after = a
		}
	}
	steps := func(d time.Duration) float64 { return math.Floor(d.Seconds() * rate) }
	switch {
	case before.seq == 0:
		return float64(after.seq) - 1 - steps(after.made.Sub(t))
	case after.seq == 0:
		return float64(before.seq) + steps(t.Sub(before.made))
	}
	return min(float64(before.seq)+steps(t.Sub(before.made)), float64(after.seq)-1)
}

// freshAfter is how long after the end of an outage the first sample came that was made after it.
func freshAfter(end time.Time, got []arrival) (after time.Duration, come bool) {
	for _, a := range got {
		if !a.made.Before(end) {
			return a.at.Sub(end), true
		}
	}
	return 0, false
}

func (r *peerRow) enterOutage(w window, got []arrival) {
	late := 0
	for _, a := range got {
		if a.at.After(w.from) && a.age() > liveDeadline {
			late++
		}
	}
	fresh := math.Inf(1)
	if after, come := freshAfter(w.lit, got); come {
		fresh = milliseconds(after)
	}
	r.fresh, r.late = append(r.fresh, fresh), append(r.late, float64(late))
}
