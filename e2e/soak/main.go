// Command soak runs what takes minutes, and writes docs/soak.md:
//
//	dashboard  20 charts of 3 series at 100 samples a second each, in headless Chromium, for ten minutes: frames a second, the
//	           heap after a collection, the browser's share of the processors
//	switches   what carries a stream is taken away, fifty times a kind: events lost or repeated, time until a fresh sample
//	comeback   five hundred relayed Conns behind one address, the server killed and started again: how soon and how all are back
//	restarts   a server that is killed and started at bad moments: how soon its device and those who watch it are back
//	matrix     every network before every program, a minute each (e2e/fallback)
//	slow       a buffering nginx and a hop of 64 kbit/s, five minutes (e2e/fallback)
//	control    calls that are cut off, hands that are gone, paths that die under one, operators who contend: the actuator's own
//	           book judges (e2e/safety)
//	pole       a pole that is balanced over 100 ms and a loss of 5 %, fifty seeds
//	spool      what a device keeps: kills, a full spool, disks that fail, a partition of ten minutes
//	gpio       pins of a virtual machine, and whoever holds them or the agent killed or stopped: a chip's book judges (e2e/pins)
//	nat        device and viewer behind every kind of NAT, each with each: the rung, lost or repeated events; also docs/nat.md
//
// Each part writes its own section of the page; one that is not run keeps what it wrote last. `make soak PARTS=matrix,slow`
// runs these two. Root is needed, for network namespaces.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/comeback"
	"github.com/telepath-iot/telepath/e2e/nat"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/safety"
	"github.com/telepath-iot/telepath/e2e/slack"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

func main() {
	if comeback.IsLoad() {
		exit(comeback.Load())
	}
	if safety.HasPart() {
		exit(safety.TakePart())
	}
	chosen := flag.String("parts", "switches,control,pole,dashboard,comeback,restarts,matrix,slow,spool,gpio,nat", "what to run, each for a section of the page")
	conns := flag.Int("conns", 500, "that come back")
	cells := flag.String("cells", "", "of the matrix, by a pattern of their networks such as squid; default: all")
	cell := flag.Duration("cell", time.Minute, "of events in each cell of the matrix")
	slow := flag.Duration("slow", 5*time.Minute, "on the slow hop")
	length := flag.Duration("length", 10*time.Minute, "of the dashboard's run")
	count := flag.Int("count", 50, "switches of each kind")
	kinds := flag.String("kinds", "", "of switches and control, by name, of gpio one; default: all")
	times := flag.Int("times", 0, "of each kind of control and gpio; default: as the goals name them")
	seeds := flag.Int("seeds", 50, "of the pole")
	standing := flag.Duration("standing", time.Minute, "of the pole, with each seed")
	pair := flag.Duration("pair", 30*time.Second, "of events for each pair of NATs")
	kills := flag.Int("kills", 200, "of an agent that fills its spool")
	partition := flag.Duration("partition", 10*time.Minute, "of a device from its server, for its spool")
	viewers := flag.String("viewers", strings.Join(nat.Viewers, ","), "behind NATs")
	rounds := flag.Int("rounds", 150, "of kills of a server in restarts")
	seed := flag.Uint64("seed", 1, "of what is random in switches, control, restarts and kills")
	out := flag.String("out", "docs/soak.md", "the page")
	flag.Parse()
	slack.None()
	report.When() // before the first part writes the page, which is in it
	runs := []part{
		{"switches", func() (string, error) { return soakSwitches(chosenKinds(*kinds), *count, *seed) }},
		{"control", func() (string, error) { return soakControl(*kinds, *times, *seed) }},
		{"pole", func() (string, error) { return soakPole(*seeds, *standing) }},
		{"dashboard", func() (string, error) { return soakDashboard(*length) }},
		{"comeback", func() (string, error) { return soakComeback(*conns) }},
		{"restarts", func() (string, error) { return soakRestarts(*rounds, *seed) }},
		{"matrix", func() (string, error) { return soakMatrix(*cells, *cell) }},
		{"slow", func() (string, error) { return soakSlow(*slow) }},
		{"spool", func() (string, error) { return soakSpool(spoolPart{*kills, *partition, *seed}) }},
		{"gpio", func() (string, error) { return soakGPIO(*kinds, *times) }},
		{"nat", func() (string, error) { return soakNAT(strings.Split(*viewers, ","), *pair) }},
	}
	exit(run(runs, strings.Split(*chosen, ","), *out))
}

func exit(err error) {
	tidy.Hold() // what was interrupted has not failed
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// part makes one section of the page.
type part struct {
	name string
	run  func() (section string, err error)
}

func run(parts []part, chosen []string, out string) error {
	sections, err := report.Read(out)
	if err != nil {
		return err
	}
	if err := report.Known("part", page(parts).Names, chosen); err != nil {
		return err
	}
	var errs []error
	for _, p := range parts {
		if !slices.Contains(chosen, p.name) {
			continue
		}
		text, err := p.run()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		if text == "" {
			continue
		}
		fmt.Println("\n" + text)
		sections[p.name] = text
		errs = append(errs, page(parts).Write(out, sections)) // the next one may take half an hour
	}
	return errors.Join(errs...)
}

func page(parts []part) report.Page {
	p := report.Page{Title: "# Soak\n\nWritten by `make soak`. Each section says when, and of which commit.\n"}
	for _, part := range parts {
		p.Names = append(p.Names, part.name)
	}
	return p
}
