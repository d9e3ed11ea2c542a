package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/telepath-iot/telepath/e2e/comeback"
	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/report"
)

func soakComeback(conns int) (string, error) {
	if err := lab.Missing(); err != nil {
		return "", err
	}
	r, err := comeback.Run(conns, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
	if err != nil {
		return "", err
	}
	err = r.Judge()
	return comebackTable(r, err), err
}

func comebackTable(r *comeback.Result, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Everybody comes back\n\n%s, %d cores. %d relayed Conns of one process, all from one address, for which the server's limits are raised; the server is killed (SIGKILL) and started again 2 s later, with the same data. Times count from when it is ready.\n\n",
		report.When(), runtime.NumCPU(), r.Conns)
	fmt.Fprintf(&b, "Goal: the last one has fresh samples within %v, and no more new connections in any second than there are Conns: %s.\n\n| | |\n|---|---|\n", comeback.Goal, verdict(err))
	fmt.Fprintf(&b, "| fresh samples again, median / 95 %% / last | %s / %s / %s |\n", seconds(r.Median()), seconds(r.Quantile(0.95)), seconds(slices.Max(r.Back)))
	fmt.Fprintf(&b, "| attempts per Conn, median / most | %d / %d |\n", r.MedianAttempts(), slices.Max(r.Attempts))
	fmt.Fprintf(&b, "| connections that the server's host accepted, all / in the busiest second | %d / %d |\n", r.Accepted, r.Peak)
	fmt.Fprintf(&b, "| refused or cut while the server was there | %s |\n", r.Refusals())
	fmt.Fprintf(&b, "| processor time of the server until then | %s |\n", seconds(r.CPU))
	return b.String()
}

// verdict is what a table says of its goal.
func verdict(err error) string {
	if err == nil {
		return "met"
	}
	return "**missed**: " + strings.ReplaceAll(err.Error(), "\n", "; ")
}
