package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// joining is a viewer that joins over a link, server and device on its far side, and in which time it is to have what (P8).
type joining struct {
	name, link string
	roundTrip  time.Duration
	tls        bool // else plain HTTP
	page       bool // Chromium loads a page again that it has; else `telepath view` is started

	first, direct within // a first sample; a first one over a data channel
}

// within is a goal; zero: there is none.
type within struct {
	roundTrips float64
	beside     time.Duration
}

var joinings = []joining{
	{name: "50", link: "delay=25ms", roundTrip: 50 * time.Millisecond, first: within{2.5, 15 * time.Millisecond}, direct: within{6.5, 30 * time.Millisecond}},
	{name: "50, TLS", link: "delay=25ms", roundTrip: 50 * time.Millisecond, tls: true, first: within{3.5, 15 * time.Millisecond}},
	{name: "50, Chromium", link: "delay=25ms", roundTrip: 50 * time.Millisecond, page: true, direct: within{8, 0}},
	{name: "100-2", link: "delay=50ms loss=2%", roundTrip: 100 * time.Millisecond, first: within{2.5, 15 * time.Millisecond}, direct: within{6.5, 30 * time.Millisecond}},
	{name: "300-10", link: "delay=150ms loss=10% rate=1mbit queue=64000", roundTrip: 300 * time.Millisecond, first: within{3, 0}},
}

// joinTimes are one entry a join, in ms.
type joinTimes struct{ first, direct []float64 }

// joinResult is what came of each of joinings, and what starting the program takes by itself.
type joinResult struct {
	times []joinTimes
	start []float64 // ms, of `telepath --version`
}

func measureJoining(joins int) (*joinResult, error) {
	result := &joinResult{}
	for _, j := range joinings {
		fmt.Printf("joining: %s\n", j.name)
		took, err := j.measure(joins, result)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", j.name, err)
		}
		result.times = append(result.times, took)
	}
	return result, nil
}

func (j joining) measure(joins int, result *joinResult) (times joinTimes, err error) {
	r, far, end, err := newFar(j.link, "-rt")
	if err != nil {
		return times, err
	}
	defer end()
	here, there := far.Here, far.There
	server, err := j.serve(r, there)
	if err != nil {
		return times, err
	}
	defer server.Kill()
	device, err := r.StartDevice(there, "board", "--source", fmt.Sprintf("sim,rate=%d,size=%d", rate, sampleSize))
	if err != nil {
		return times, err
	}
	defer device.Kill()
	if err := r.AwaitLive(there, "board", 15*time.Second); err != nil {
		return times, err
	}
	if j.page {
		return times, times.load(r, here, server, joins)
	}
	r.Timed = true
	for range joins {
		if err := errors.Join(times.join(r, here), result.begin(r, here)); err != nil {
			return times, err
		}
	}
	return times, nil
}

func (j joining) serve(r *rig.Rig, on *lab.Host) (*rig.Server, error) {
	at := netip.AddrPortFrom(on.Addr, 8080)
	if j.tls {
		server, _, err := r.StartTLSServer(on, on.Addr.String(), at)
		return server, err
	}
	return r.StartServer(on, at.String())
}

// join starts a viewer, and waits for its samples.
func (t *joinTimes) join(r *rig.Rig, here *lab.Host) error {
	start := time.Now()
	v, err := r.View(here, "board")
	if err != nil {
		return err
	}
	defer v.Kill()
	if err := t.await(v, start, 0); err != nil {
		return err
	}
	_, err = v.Stop(goodbye) // what is sent to one who left without it is in the next one's way
	return err
}

// goodbye is for a viewer that ends on a link that loses.
const goodbye = 5 * time.Second

// load has a page loaded again and again.
func (t *joinTimes) load(r *rig.Rig, here *lab.Host, server *rig.Server, times int) error {
	page, err := r.BrowseReady(here, server.LoginURL, "board")
	if page != nil {
		defer page.Kill()
	}
	if err != nil {
		return err
	}
	if _, err := page.AwaitSample("udp", 0, 20*time.Second); err != nil {
		return err
	}
	for range times {
		time.Sleep(settled)
		mark := page.Mark()
		if _, err := page.Reload(); err != nil {
			return err
		}
		document, err := page.Await("document", mark, time.Second, func(e rig.Event) bool { return e.Type == "load" })
		if err == nil {
			err = t.await(page, time.UnixMicro(int64(document.OriginMS*1000)), page.MarkOf(document))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// settled is for how long a page has had all that it wants, before it is loaded again.
const settled = 2 * time.Second

// await waits for the samples of a viewer that began at start, behind a mark.
func (t *joinTimes) await(v *rig.Watcher, start time.Time, mark int) error {
	first, err := v.AwaitSample("", mark, 20*time.Second)
	if err != nil {
		return err
	}
	direct, err := v.AwaitSample("udp", mark, 30*time.Second)
	if err != nil {
		return err
	}
	t.first = append(t.first, milliseconds(first.At.Sub(start)))
	t.direct = append(t.direct, milliseconds(direct.At.Sub(start)))
	return nil
}

// begin measures the start of a program that does nothing.
func (r *joinResult) begin(from *rig.Rig, here *lab.Host) error {
	start := time.Now()
	p, err := from.Start(here, program.Spec{Name: "telepath --version", Args: []string{filepath.Join(from.Bin, "telepath"), "--version"}})
	if err != nil {
		return err
	}
	if _, err := p.Wait(10 * time.Second); err != nil {
		return err
	}
	r.start = append(r.start, milliseconds(time.Since(start)))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func writeJoining(text *bytes.Buffer, r *joinResult) {
	fmt.Fprintf(text, "\n## Joining\n\nFrom the start of `telepath view`, server and device on the far side of a link; or from when Chromium began to load a page that it has cached. Merely starting the program takes %.0f ms of it on this machine.\n\n"+
		"| link | | joins | median | worst | in round trips | goal |\n|---|---|---|---|---|---|---|\n", median(r.start))
	for i, j := range joinings {
		row := func(name string, values []float64, goal within) {
			fmt.Fprintf(text, "| %s | %s | %d | %.0f ms | %.0f ms | %.1f | %s |\n", j.name, name, len(values), median(values), percentile(values, 1), median(values)/milliseconds(j.roundTrip), goal.verdict(j.roundTrip, median(values)))
		}
		row("first sample", r.times[i].first, j.first)
		row("first sample over a data channel", r.times[i].direct, j.direct)
	}
}

func (w within) verdict(roundTrip time.Duration, got float64) string {
	if w == (within{}) {
		return ""
	}
	most := w.roundTrips*milliseconds(roundTrip) + milliseconds(w.beside)
	return fmt.Sprintf("≤ %.1f round trips + %v = %.0f ms: %s", w.roundTrips, w.beside, most, verdict(got <= most))
}
