package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/restarts"
	"github.com/telepath-iot/telepath/e2e/switches"
)

func soakRestarts(rounds int, seed uint64) (string, error) {
	r, err := restarts.Run(rounds, seed, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
	if err != nil {
		return "", err
	}
	err = r.Judge()
	return restartsTable(r, seed, err), err
}

func restartsTable(r *restarts.Result, seed uint64, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## A server that is killed at bad moments\n\n%s, seed %d, %d cores. %d kills (SIGKILL) in %d rounds: now and then the server is stopped (SIGSTOP) before, killed again while it starts, away for seconds, or starts without any processor time for up to 2 s. Times count from when it is ready.\n\n",
		report.When(), seed, runtime.NumCPU(), r.Kills, len(r.Device))
	fmt.Fprintf(&b, "Goal: the device is online within %v, and whoever watches it, on the relay and directly, has fresh samples: %s.\n\n| | median | 95 %% | worst |\n|---|---|---|---|\n", restarts.Goal, verdict(err))
	fmt.Fprintf(&b, "| the device is online | %s | %s | %s |\n", seconds(switches.Quantile(r.Device, 0.5)), seconds(switches.Quantile(r.Device, 0.95)), seconds(slices.Max(r.Device)))
	fmt.Fprintf(&b, "| the slower viewer has a fresh sample | %s | %s | %s |\n", seconds(switches.Quantile(r.Viewers, 0.5)), seconds(switches.Quantile(r.Viewers, 0.95)), seconds(slices.Max(r.Viewers)))
	return b.String()
}
