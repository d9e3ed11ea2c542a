package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/kept"
	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/report"
)

// spoolPart is how much of it is done.
type spoolPart struct {
	kills     int
	partition time.Duration
	seed      uint64
}

// soakSpool writes the section about what a device keeps.
func soakSpool(p spoolPart) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## What a device keeps for viewers who were not there\n\n%s, seed %d. The built programs; a viewer that comes at the end reads the spool, and the independent ledger judges. Units: those of `device/spool`.\n\n", report.When(), p.seed)
	b.WriteString("| what is done to it | outcome | goal | |\n|---|---|---|---|\n")
	rows := []func() (what, outcome, goal string, err error){
		func() (string, string, string, error) { return spoolKills(p.kills, p.seed) },
		spoolStarts,
		func() (string, string, string, error) { return spoolUnits(p.kills) },
	}
	for _, d := range kept.Disks {
		rows = append(rows, func() (string, string, string, error) { return spoolDisk(d) })
	}
	rows = append(rows, func() (string, string, string, error) { return spoolPartition(p.partition) })
	var errs []error
	for _, row := range rows {
		what, outcome, goal, err := row()
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", what, outcome, goal, verdict(err))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	return b.String(), errors.Join(errs...)
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func spoolKills(count int, seed uint64) (what, outcome, goal string, err error) {
	what = fmt.Sprintf("an agent is killed (SIGKILL) %d times, 0.1 to 1.2 s after its first event, at 200 events a second", count)
	goal = "what was made 200 ms before a kill is there; nothing twice; the rest declared"
	k, err := kept.Kill(count, seed, say)
	if err != nil {
		return what, "", goal, err
	}
	v := k.Verdict
	outcome = fmt.Sprintf("%d events, %d of those missing, %d twice, %d out of order; in declared gaps at the ends of runs %d, lost silently %d", v.Sent, k.Missing, v.Twice, v.Disorder, k.Torn, v.Lost)
	return what, outcome, goal, k.Judge()
}

func spoolStarts() (what, outcome, goal string, err error) {
	what, goal = "started with a full spool after a kill, until it is linked", fmt.Sprintf("≤ %v", kept.StartGoal)
	f, err := kept.FillAndStart(5, say)
	if err != nil {
		return what, "", goal, err
	}
	slices.Sort(f.Starts)
	outcome = fmt.Sprintf("%d MiB: %s in the median, %s at worst of %d", f.Bytes>>20, seconds(f.Starts[len(f.Starts)/2]), seconds(slices.Max(f.Starts)), len(f.Starts))
	return what, outcome, goal, f.Judge()
}

func spoolDisk(d kept.Disk) (what, outcome, goal string, err error) {
	what, goal = d.Means, "no crash, honest gaps, recovery by itself"
	o, err := kept.Harm(d, say)
	if err != nil {
		return what, "", goal, err
	}
	v := o.Verdict
	outcome = fmt.Sprintf("written again %s after it was repaired; after the oldest that is left %d events, %d lost silently, %d in declared gaps, %d twice", seconds(o.Recovered), v.Sent, v.Lost, v.InGaps, v.Twice)
	return what, outcome, goal, o.Judge()
}

func spoolPartition(length time.Duration) (what, outcome, goal string, err error) {
	what = fmt.Sprintf("device and server are cut off from each other for %v, %d streams of 100 samples a second, 25 ms each way", length, kept.Streams)
	goal = fmt.Sprintf("live ≤ %v after the return, complete ≤ %v, p99 of live samples' age meanwhile ≤ idle + %v, nothing missing or twice", kept.LiveAgain, kept.Complete, kept.Behind)
	p, err := kept.Part(length, say)
	if p == nil {
		return what, "", goal, err
	}
	v := p.Verdict
	outcome = fmt.Sprintf("on %s; live after %s; %d samples complete after %s; p99 %v before, %s meanwhile; %d samples judged, %d lost, %d in declared gaps, %d twice; before and after it %d live samples too late or lost",
		p.Before, seconds(p.Live), p.Backlog, seconds(p.Complete), p.Idle, during(p.During), v.Sent, v.Lost, v.InGaps, v.Twice, p.Missed)
	return what, outcome, goal, errors.Join(err, p.Judge())
}

func during(age time.Duration) string {
	if age < 0 {
		return "too short to say"
	}
	return age.String()
}

var passedTest = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL): `)

// spoolUnits runs the tests that fail the disk at each operation, and kill a program in the middle of one.
func spoolUnits(kills int) (what, outcome, goal string, err error) {
	what = fmt.Sprintf("units: a program is killed (SIGKILL) at %d seeded operations on the disk, half done; every Nth write and every Nth fsync fails, N = 1 … 100; power cuts; a full and a stuck disk; small segments that are merged, cut off at each operation", kills)
	goal = "nothing that was confirmed as durable is missing, nothing twice, what is missing is declared"
	cmd := exec.Command("go", "test", "-count=1", "-timeout", "30m", "-v", "-run", "^(TestKills|TestEveryNthFails|TestPowerCuts|TestFullDisk|TestADiskThatIsStuck|TestAMergeIsCutOff)$", "./device/spool")
	cmd.Env = append(os.Environ(), fmt.Sprintf("SPOOL_KILLS=%d", kills))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = program.Run(cmd)
	count := map[string]int{}
	for _, m := range passedTest.FindAllStringSubmatch(out.String(), -1) {
		count[m[1]]++
	}
	if err != nil {
		fmt.Printf("%s\n", &out)
		err = fmt.Errorf("%d of %d tests failed: %w", count["FAIL"], count["PASS"]+count["FAIL"], err)
	}
	return what, fmt.Sprintf("%d tests passed, %d failed", count["PASS"], count["FAIL"]), goal, err
}
