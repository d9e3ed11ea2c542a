// Command bench measures the product beside the bare libraries it is made of, in one run on one machine, and prints ratios:
//
//	age      100 samples of 100 bytes a second over loopback: direct against a bare pion channel, relayed over data channels
//	         against a bare pion relay, relayed over WebSockets against a bare WebSocket relay. Ends and relay are processes of their own on both sides of a ratio.
//	cost     what a relay spends of the processor on a sample that it delivers, to one receiver and to a hundred
//	idle     what a device costs its link in an hour in which nobody watches, with low power and without
//	joining  over links of 50 to 300 ms: from the start of `telepath view`, or of a page, to its first sample and to its first
//	         sample over a data channel
//	control  from a setpoint to the value that the device has applied, beside a bare channel's ping and pong; from an input in
//	         Chromium to the line at the actuator; both also across a link, alone and with streams and history beside it
//	balance  how much loss a simulated pole stands that is balanced over each path
//	bulk     what a device has kept, fetched at once, beside a bare channel and a bare relay that move as much; and what is live meanwhile
//	live     100 samples a second over emulated links, lossy, narrow, fading and dark: what comes in time, at what age, and
//	         what it costs on the link, beside bare UDP at the same time.
//	peers    what else there is, and the product on each rung, over such links at the same time: raw UDP and TCP, MQTT, a
//	         WebSocket relay, pion's channels. What comes in time, at what age and at what cost; and how soon, after an
//	         outage, something fresh comes. Draws the ages, too.
//
// -parts names those that run; -conditions, of live and peers, the links; -who, of peers, the subjects.
//
// Each part writes its own section of the page in docs/benchmarks/; one that is not run keeps what it wrote last. With -conditions
// or -who it measures less than its section shows: then it is printed, and nothing is written. Root is needed, for network
// namespaces. A figure counts only beside the others of its section: the rounds are interleaved, and what is shown is the median of the rounds.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/tidy"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "bare" { // one end of a comparison, started by the benchmark itself
		exit(bare(os.Args[2], os.Args[3:]))
	}
	rounds := flag.Int("rounds", 3, "rounds of each measurement; the median counts")
	length := flag.Duration("length", 5*time.Second, "of one measurement of age and cost")
	joins := flag.Int("joins", 30, "how often a viewer joins: when it does is chance, where packets are lost and where two paths are as fast as one another")
	weak := flag.Duration("live-length", 20*time.Second, "of one measurement of live, and of balance")
	crossing := flag.Duration("peers-length", 10*time.Second, "of one measurement of peers")
	atOnce := flag.Int("at-once", len(contestants), "of peers, how many subjects are measured at the same time")
	rest := flag.Duration("idle-length", 4*time.Minute, "of idle: five words of a device of low power")
	only := flag.String("conditions", "", "of live and peers, separated by commas; default: all")
	who := flag.String("who", "", "of peers, the subjects, separated by semicolons; default: all")
	parts := flag.String("parts", "age,cost,idle,joining,control,balance,bulk,live,peers", "what to measure, each for a section of the page")
	out := flag.String("out", "docs/benchmarks/latest.md", "the page; plots go beside it")
	readme := flag.String("readme", "", "a file that shows the page in short, between two marks")
	flag.Parse()
	report.When() // before the first part writes the page, which is in the commit
	b := bench{rounds: *rounds, joins: *joins, length: *length, weak: *weak, rest: *rest, out: *out, readme: *readme}
	b.only = strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	b.peers = peersAsked{rounds: *rounds, length: *crossing, atOnce: max(1, *atOnce), only: b.only}
	b.peers.who = strings.FieldsFunc(*who, func(r rune) bool { return r == ';' })
	if err := b.known(); err != nil {
		exit(err)
	}
	exit(b.run(strings.Split(*parts, ",")))
}

// bench is what was asked for.
type bench struct {
	rounds, joins int
	length, weak  time.Duration
	rest          time.Duration
	only          []string
	peers         peersAsked
	out           string // the page
	readme        string // the file with a place for it in short; "": none
}

// partly reports whether less is measured than the sections of the page show.
func (b bench) partly() bool { return len(b.only) > 0 || len(b.peers.who) > 0 }

// known refuses names that would measure nothing.
func (b bench) known() error {
	var links []string
	for _, c := range conditions {
		links = append(links, c.name)
	}
	for _, c := range slices.Concat(steady, outages) {
		links = append(links, c.name)
	}
	var subjects []string
	for _, c := range contestants {
		subjects = append(subjects, c.Name)
	}
	return errors.Join(report.Known("condition", links, b.only), report.Known("subject", subjects, b.peers.who))
}

func exit(err error) {
	tidy.Hold() // what was interrupted has not failed
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// part measures, and makes sections of the page, by their names.
type part struct {
	name string
	run  func() (sections, error)
}

type sections = map[string]string

func (b bench) parts() []part {
	return []part{
		section("age", writeAges, func() (*ageResult, error) { return measureAges(b.rounds, b.length) }),
		section("cost", writeCosts, func() (*costResult, error) { return measureCosts(b.rounds, b.length) }),
		section("idle", writeIdle, func() (*idleResult, error) { return measureIdle(b.rest) }),
		section("joining", writeJoining, func() (*joinResult, error) { return measureJoining(b.joins) }),
		section("control", writeControl, func() (*controlResult, error) { return measureControl(b.rounds, b.length) }),
		inShort("balance", writePole, (*poleResult).inShort, func() (*poleResult, error) { return measurePole(b.weak) }),
		section("bulk", writeBulk, func() (*bulkResult, error) { return measureBulk(b.rounds) }),
		section("live", writeLive, func() (*liveResult, error) { return measureLive(b.rounds, b.weak, b.only) }),
		inShort("peers", writePeers, (*peersResult).inShort, b.measurePeers),
	}
}

// section makes a part of what measures, and of what writes about it.
func section[T any](name string, write func(*bytes.Buffer, *T), measure func() (*T, error)) part {
	return inShort(name, write, nil, measure)
}

// inShort is section for one that stands at the top of the page, and in the README, as well.
func inShort[T any](name string, write func(*bytes.Buffer, *T), short func(*T) string, measure func() (*T, error)) part {
	return part{name, func() (sections, error) {
		result, err := measure()
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		write(&text, result)
		made := sections{name: withDate(text.String())}
		if short != nil {
			made[name+shortly] = short(result)
		}
		return made, nil
	}}
}

func (b bench) run(chosen []string) error {
	if err := lab.Missing(); err != nil {
		return err
	}
	parts := b.parts()
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	if err := report.Known("part", names, chosen); err != nil {
		return err
	}
	var errs []error
	for _, p := range parts {
		if !slices.Contains(chosen, p.name) {
			continue
		}
		made, err := p.run()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
			continue
		}
		fmt.Printf("\n%s\n%s\n", made[p.name+shortly], made[p.name])
		if !b.partly() {
			errs = append(errs, publish(b.out, b.readme, parts, made)) // the next one may take half an hour
		}
	}
	return errors.Join(errs...)
}

// measurePeers draws, too.
func (b bench) measurePeers() (*peersResult, error) {
	result, err := measurePeers(b.peers)
	if err == nil && !b.partly() {
		err = plotPeers(result, filepath.Dir(b.out))
	}
	return result, err
}
