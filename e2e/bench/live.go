package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
)

// liveDeadline is what a sample must keep to count.
const liveDeadline = 250 * time.Millisecond

// condition is a link as goals name it.
type condition struct {
	name, link string
	blackhole  time.Duration // how long the link is dark, in the middle of the measurement; 0: never
	chromium   string        // the condition in which `telepath view` receives what a page in Chromium does here; "": this is one
	load       load          // zero: the workload
}

// sends is what is sent in it.
func (c condition) sends() load {
	if c.load == (load{}) {
		return workload
	}
	return c.load
}

// slowLoad is a stream of which no sample follows another one in time to mend it.
var slowLoad = load{rate: 10, size: 20}

var conditions = []condition{
	{name: "50", link: "delay=25ms"},
	{name: "100-5", link: "delay=50ms loss=5%"},
	{name: "300-10", link: "delay=150ms loss=10% rate=1mbit queue=64000"},
	{name: "300-10-slow", link: "delay=150ms loss=10% rate=1mbit queue=64000", load: slowLoad},
	{name: "100-5-chromium", link: "delay=50ms loss=5%", chromium: "100-5"},
	{name: "300-10-chromium", link: "delay=150ms loss=10% rate=1mbit queue=64000", chromium: "300-10"},
	{name: "fade200", link: "delay=50ms fade=4s:200ms"},
	{name: "blackhole", link: "delay=25ms", blackhole: 10 * time.Second},
	{name: "blackhole-chromium", link: "delay=25ms", blackhole: 10 * time.Second, chromium: "blackhole"},
}

// arrival is a sample at its receiver.
type arrival struct {
	seq      uint64
	made, at time.Time
}

func (a arrival) age() time.Duration { return a.at.Sub(a.made) }

// subject is what carries samples over the link of a measurement.
type subject interface {
	arrivals() ([]arrival, error)
	close()
}

// liveRow is one subject under one condition, one entry a round.
type liveRow struct {
	within        []float64 // share of the samples made that came within liveDeadline, in %
	bound         []float64 // share that could have come, as far as this subject saw of the link, in %
	p50, p95, p99 []float64 // age of those that came, in ms
	bytes         []float64 // on the link, both directions, a sample made
	packets       []float64
	fresh         []float64 // from the end of the dark to the first sample made after it, in ms
	stale         []float64 // samples that came past their deadline, though a newer one had come
	past          []float64 // by how much the latest of these, in ms
}

// liveResult is bare UDP and the product, side by side on the same link at the same time, by condition.
type liveResult struct{ udp, ours map[string]*liveRow }

// measureLive runs the conditions in turn, round by round.
func measureLive(rounds int, length time.Duration, only []string) (*liveResult, error) {
	result := &liveResult{udp: map[string]*liveRow{}, ours: map[string]*liveRow{}}
	for round := range rounds {
		for _, c := range conditions {
			if len(only) > 0 && !slices.Contains(only, c.name) {
				continue
			}
			fmt.Printf("live: round %d of %d: %s\n", round+1, rounds, c.name)
			if result.udp[c.name] == nil {
				result.udp[c.name], result.ours[c.name] = &liveRow{}, &liveRow{}
			}
			if err := result.measure(c, round, length); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return result, nil
}

// measure has both subjects send from There to Here, where the server is, too.
func (l *liveResult) measure(c condition, round int, length time.Duration) error {
	r, far, end, err := newFar(c.link, "-rt", "-seed", fmt.Sprint(round+1))
	if err != nil {
		return err
	}
	defer end()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ours, err := startProduct(r, far, c)
	if err != nil {
		return err
	}
	defer ours.close()
	udp, err := startDatagrams(self, far.There, far.Here, c.sends())
	if err != nil {
		return err
	}
	defer udp.close()
	w, err := watchLink(far, c, length)
	if err != nil {
		return err
	}
	udpGot, err := udp.arrivals()
	if err != nil {
		return err
	}
	oursGot, err := ours.arrivals()
	if err != nil {
		return err
	}
	datagram := c.sends().datagram()
	made := l.udp[c.name].add(w, udpGot, func(made float64) (float64, float64) { return made, made * datagram })
	// The rest of the link's traffic is the product's.
	l.ours[c.name].add(w, oursGot, func(float64) (float64, float64) {
		return float64(w.traffic.Packets) - made, float64(w.traffic.Bytes) - made*datagram
	})
	return nil
}

// window is what was measured: the samples made in it, and the link's traffic meanwhile.
type window struct {
	from, to time.Time
	lit      time.Time // when a dark link came back; zero: it was never dark
	rate     int       // samples a second
	traffic  rig.LinkTraffic
}

func (w window) holds(t time.Time) bool { return !t.Before(w.from) && t.Before(w.to) }

// watchLink lets the subjects settle, where the link gets dark waits for the light, then lets them send for length, and what is under way come.
func watchLink(far *rig.FarLink, c condition, length time.Duration) (w window, err error) {
	w.rate = c.sends().rate
	time.Sleep(warmUp)
	if c.blackhole > 0 {
		if w.lit, err = darken(far, c.blackhole); err != nil {
			return w, err
		}
	}
	before, err := far.Traffic()
	if err != nil {
		return w, err
	}
	w.from = time.Now()
	time.Sleep(length)
	w.to = time.Now()
	after, err := far.Traffic()
	w.traffic = rig.LinkTraffic{Packets: after.Packets - before.Packets, Bytes: after.Bytes - before.Bytes}
	time.Sleep(time.Second)
	return w, err
}

// darken loses everything for a while, and returns when that was over.
func darken(far *rig.FarLink, length time.Duration) (time.Time, error) {
	if _, err := far.Do("both down"); err != nil {
		return time.Time{}, err
	}
	time.Sleep(length)
	_, err := far.Do("both up")
	return time.Now(), err
}

// add enters a round and returns how many samples were made. cost says what they cost: packets and bytes.
func (r *liveRow) add(w window, got []arrival, cost func(made float64) (packets, bytes float64)) (made float64) {
	var ages []float64
	var first, last, newest uint64
	in, stale, past, fresh := 0, 0, 0.0, -1.0
	for _, a := range got {
		if fresh < 0 && !w.lit.IsZero() && a.made.After(w.lit.Add(-50*time.Millisecond)) && a.at.After(w.lit) {
			fresh = milliseconds(a.at.Sub(w.lit))
		}
		if a.age() > liveDeadline && a.seq < newest {
			stale, past = stale+1, max(past, milliseconds(a.age()-liveDeadline))
		}
		newest = max(newest, a.seq)
		if !w.holds(a.made) {
			continue
		}
		if first == 0 || a.seq < first {
			first = a.seq
		}
		last = max(last, a.seq)
		ages = append(ages, milliseconds(a.age()))
		if a.age() <= liveDeadline {
			in++
		}
	}
	if made = float64(last - first + 1); first == 0 {
		made = 1
	}
	r.bound = append(r.bound, bound(w, got, made))
	packets, bytes := cost(made)
	r.within = append(r.within, 100*float64(in)/made)
	for q, to := range map[float64]*[]float64{0.50: &r.p50, 0.95: &r.p95, 0.99: &r.p99} {
		*to = append(*to, percentile(append(ages, 0)[:max(1, len(ages))], q))
	}
	r.bytes, r.packets = append(r.bytes, bytes/made), append(r.packets, packets/made)
	r.fresh, r.stale, r.past = append(r.fresh, fresh), append(r.stale, float64(stale)), append(r.past, past)
	return made
}

// bound is the share, in %, of the samples that came, or after which another one came that was made while there still was
// time to send the lost one with it.
func bound(w window, got []arrival, made float64) float64 {
	var way []float64
	came := map[uint64]bool{}
	first, last := uint64(math.MaxUint64), uint64(0)
	for _, a := range got {
		if w.holds(a.made) {
			came[a.seq] = true
			way = append(way, milliseconds(a.age()))
			first, last = min(first, a.seq), max(last, a.seq)
		}
	}
	if len(way) == 0 {
		return 0
	}
	spare := uint64(max(0, milliseconds(liveDeadline)-percentile(way, 0.5)) * float64(w.rate) / 1000)
	could, next := 0, last
	for seq := last; seq >= first && seq > 0; seq-- {
		if came[seq] {
			next = seq
		}
		if next-seq <= spare {
			could++
		}
	}
	return 100 * float64(could) / made
}
