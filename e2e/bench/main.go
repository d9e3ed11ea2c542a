// Command bench measures the product beside the bare libraries it is made of, in one run on one machine, and prints ratios:
//
//	age      100 samples of 100 bytes a second over loopback: direct against a bare pion channel, relayed over data channels
//	         against a bare pion relay, relayed over WebSockets against a bare WebSocket relay. Ends and relay are processes of their own on both sides of a ratio.
//	joining  over a link with 50 ms round trip: from the start of `telepath view` to its first sample and to its first
//	         sample over a data channel.
//	live     100 samples a second over emulated links, lossy, narrow, fading and dark: what comes in time, at what age, and
//	         what it costs on the link, beside bare UDP at the same time.
//
// -parts names those that run; -conditions, of live, the links.
//
// The table goes to the terminal and to docs/benchmarks/. Root is needed, for network namespaces. A figure counts only beside
// the others of its run: the rounds are interleaved, and what is shown is the median of the rounds.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
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
	length := flag.Duration("length", 10*time.Second, "of one measurement of age")
	joins := flag.Int("joins", 10, "how often a viewer joins")
	weak := flag.Duration("live-length", 30*time.Second, "of one measurement of live")
	only := flag.String("conditions", "", "of live, separated by commas; default: all")
	parts := flag.String("parts", "age,joining,live", "what is measured")
	out := flag.String("out", "docs/benchmarks/latest.md", "where the table goes")
	flag.Parse()
	b := bench{rounds: *rounds, joins: *joins, length: *length, weak: *weak, out: *out}
	b.parts, b.only = strings.Split(*parts, ","), strings.FieldsFunc(*only, func(r rune) bool { return r == ',' })
	exit(b.run())
}

// bench is what was asked for.
type bench struct {
	rounds, joins int
	length, weak  time.Duration
	parts, only   []string
	out           string
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (b bench) run() error {
	if err := lab.Missing(); err != nil {
		return err
	}
	var f findings
	var errs [3]error
	if slices.Contains(b.parts, "age") {
		f.ages, errs[0] = measureAges(b.rounds, b.length)
	}
	if slices.Contains(b.parts, "joining") {
		f.joined, errs[1] = measureJoining(b.joins)
	}
	if slices.Contains(b.parts, "live") {
		f.live, errs[2] = measureLive(b.rounds, b.weak, b.only)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return report(b.out, f)
}
