// Command bench measures the product beside the bare libraries it is made of, in one run on one machine, and prints ratios:
//
//	age      100 samples of 100 bytes a second over loopback: direct against a bare pion channel, relayed over data channels
//	         against a bare pion relay, relayed over WebSockets against a bare WebSocket relay. Ends and relay are processes of their own on both sides of a ratio.
//	cost     what a relay spends of the processor on a sample that it delivers, to one receiver and to a hundred
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
// The table goes to the terminal and to docs/benchmarks/. Root is needed, for network namespaces. A figure counts only beside
// the others of its run: the rounds are interleaved, and what is shown is the median of the rounds.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "bare" { // one end of a comparison, started by the benchmark itself
		exit(bare(os.Args[2], os.Args[3:]))
	}
	rounds := flag.Int("rounds", 3, "rounds of each measurement; the median counts")
	length := flag.Duration("length", 5*time.Second, "of one measurement of age and cost")
	joins := flag.Int("joins", 10, "how often a viewer joins")
	weak := flag.Duration("live-length", 20*time.Second, "of one measurement of live, and of balance")
	crossing := flag.Duration("peers-length", 10*time.Second, "of one measurement of peers")
	atOnce := flag.Int("at-once", len(contestants), "of peers, how many subjects are measured at the same time")
	rest := flag.Duration("idle-length", 4*time.Minute, "of idle: five words of a device of low power")
	only := flag.String("conditions", "", "of live and peers, separated by commas; default: all")
	who := flag.String("who", "", "of peers, the subjects, separated by semicolons; default: all")
	parts := flag.String("parts", "age,cost,idle,joining,control,balance,bulk,live,peers", "what to measure; what is left out is not in the table")
	out := flag.String("out", "docs/benchmarks/latest.md", "where the table goes; plots go beside it")
	readme := flag.String("readme", "", "a file that shows the table in short, between two marks; it is left alone by a run in which something is left out")
	flag.Parse()
	b := bench{rounds: *rounds, joins: *joins, length: *length, weak: *weak, rest: *rest, folder: filepath.Dir(*out), readme: *readme}
	b.only = strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	b.peers = peersAsked{rounds: *rounds, length: *crossing, atOnce: max(1, *atOnce), only: b.only}
	b.peers.who = strings.FieldsFunc(*who, func(r rune) bool { return r == ';' })
	if err := b.known(); err != nil {
		exit(err)
	}
	exit(b.run(strings.Split(*parts, ","), *out))
}

// bench is what was asked for.
type bench struct {
	rounds, joins int
	length, weak  time.Duration
	rest          time.Duration
	only          []string
	peers         peersAsked
	folder        string // of the plots
	readme        string // the file with a place for the table in short; "": none
}

// known refuses names that would measure nothing.
func (b bench) known() error {
	var links []string
	for _, c := range conditions {
		links = append(links, c.name)
	}
	for _, c := range slices.Concat(steady, outages) {
		links = append(links, c.name)
	}
	for _, name := range b.only {
		if !slices.Contains(links, name) {
			return fmt.Errorf("there is no condition %q", name)
		}
	}
	for _, name := range b.peers.who {
		if !slices.ContainsFunc(contestants, func(c contestant) bool { return c.Name == name }) {
			return fmt.Errorf("there is no subject %q", name)
		}
	}
	return nil
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (b bench) run(chosen []string, out string) error {
	if err := lab.Missing(); err != nil {
		return err
	}
	var all results
	var text bytes.Buffer
	for _, name := range chosen {
		var err error
		switch name {
		case "age":
			all.ages, err = section(&text, writeAges, func() (*ageResult, error) { return measureAges(b.rounds, b.length) })
		case "cost":
			all.costs, err = section(&text, writeCosts, func() (*costResult, error) { return measureCosts(b.rounds, b.length) })
		case "idle":
			_, err = section(&text, writeIdle, func() (*idleResult, error) { return measureIdle(b.rest) })
		case "joining":
			all.joins, err = section(&text, writeJoining, func() (*joinResult, error) { return measureJoining(b.joins) })
		case "live":
			all.live, err = section(&text, writeLive, func() (*liveResult, error) { return measureLive(b.rounds, b.weak, b.only) })
		case "control":
			all.control, err = section(&text, writeControl, func() (*controlResult, error) { return measureControl(b.rounds, b.length) })
		case "bulk":
			all.bulk, err = section(&text, writeBulk, func() (*bulkResult, error) { return measureBulk(b.rounds) })
		case "balance":
			all.pole, err = section(&text, writePole, func() (*poleResult, error) { return measurePole(b.weak) })
		case "peers":
			all.peers, err = section(&text, writePeers, b.measurePeers)
		default:
			err = fmt.Errorf("there is no part %q", name)
		}
		if err != nil {
			return err
		}
	}
	return publish(out, b.readme, &all, text.Bytes())
}

// measurePeers draws, too.
func (b bench) measurePeers() (*peersResult, error) {
	result, err := measurePeers(b.peers)
	if err == nil {
		err = plotPeers(result, b.folder)
	}
	return result, err
}

func section[T any](text *bytes.Buffer, write func(*bytes.Buffer, *T), measure func() (*T, error)) (*T, error) {
	result, err := measure()
	if err == nil {
		write(text, result)
	}
	return result, err
}
