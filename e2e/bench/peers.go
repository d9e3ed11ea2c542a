package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/e2e/rig"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

// crossing is a condition of a link, and what happens on it.
type crossing struct {
	name, link string
	home       bool // the device is behind a router of its own
	// happen does something to the link and returns when it was over; nil: nothing happens, the samples of a while are counted.
	happen func(*lane) (time.Time, error)
}

// steady are the links on which nothing happens.
var steady = []crossing{
	{name: "50", link: "delay=25ms"},
	{name: "100-2", link: "delay=50ms loss=2%"},
	{name: "100-5", link: "delay=50ms loss=5%"},
	{name: "300-10", link: "delay=150ms loss=10% rate=1mbit queue=64000"},
	{name: "fade200", link: "delay=50ms fade=4s:200ms"},
}

const dark = 10 * time.Second

// outages are things that happen, at a round trip of 50 ms.
var outages = []crossing{
	{name: "blackhole", link: "delay=25ms", happen: func(l *lane) (time.Time, error) { return darken(l.far, dark) }},
	{name: "moved", link: "delay=25ms", home: true, happen: func(l *lane) (time.Time, error) {
		err := l.home.Move()
		return time.Now(), err
	}},
	{name: "rerouted", link: "delay=25ms", home: true, happen: func(l *lane) (time.Time, error) {
		err := l.far.Move()
		return time.Now(), err
	}},
}

// comeBack is how long a fresh sample is waited for after an outage.
const comeBack = 10 * time.Second

// peersAsked is what is to be measured.
type peersAsked struct {
	rounds    int
	length    time.Duration // of a crossing on which nothing happens
	atOnce    int           // how many contestants cross at the same time
	only, who []string      // crossings and contestants; empty: all
}

// peersResult is a row for each crossing and contestant, by their names.
type peersResult struct {
	peersAsked
	busy  []float64 // of the machine's processors while it was measured, in %
	lanes int       // built so far
	rows  map[string]map[string]*peerRow
}

// measurePeers has the contestants cross at the same time, each on a link of its own, one crossing after the other, round by round.
func measurePeers(asked peersAsked) (*peersResult, error) {
	dir, remove, err := tidy.Folder("telepath-bench-")
	if err != nil {
		return nil, err
	}
	defer remove()
	if err := buildLink(dir); err != nil {
		return nil, err
	}
	result := &peersResult{peersAsked: asked, rows: map[string]map[string]*peerRow{}}
	for round := range asked.rounds {
		for _, c := range slices.Concat(steady, outages) {
			if len(asked.only) > 0 && !slices.Contains(asked.only, c.name) {
				continue
			}
			for heat := range slices.Chunk(asked.contestants(), asked.atOnce) {
				fmt.Printf("peers: round %d of %d: %s: %d subjects\n", round+1, asked.rounds, c.name, len(heat))
				if err := result.cross(dir, c, round, heat); err != nil {
					return nil, fmt.Errorf("%s: %w", c.name, err)
				}
			}
		}
	}
	return result, nil
}

func (a peersAsked) contestants() []contestant {
	return slices.DeleteFunc(slices.Clone(contestants), func(c contestant) bool {
		return len(a.who) > 0 && !slices.Contains(a.who, c.Name)
	})
}

// cross does one crossing with some of them. Who cannot is entered as failed, with the reason.
func (r *peersResult) cross(dir string, c crossing, round int, heat []contestant) error {
	rows := r.rows[c.name]
	if rows == nil {
		rows = map[string]*peerRow{}
		r.rows[c.name] = rows
	}
	var all race
	for _, who := range heat {
		if rows[who.Name] == nil {
			rows[who.Name] = &peerRow{}
		}
		r.lanes++
		all.join(&runner{
			crossing: c, contestant: who, row: rows[who.Name], length: r.length,
			dir: dir, name: fmt.Sprint("lane", r.lanes), seed: round + 1,
		})
	}
	busy, err := all.run()
	r.busy = append(r.busy, busy)
	return err
}

// buildLink has the link's program built, which all then share.
func buildLink(dir string) error {
	far, err := rig.NewFarLink(dir, "")
	if err == nil {
		far.Close()
	}
	return err
}
