package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/pins"
	"github.com/telepath-iot/telepath/e2e/report"
	"github.com/telepath-iot/telepath/e2e/safety"
)

const (
	gpioTimes = 20
	// gpioPulse is how long the horn is to sound, and gpioError how much longer or shorter it may, where the processor is no program.
	gpioPulse = 300 * time.Millisecond
	gpioError = 50 * time.Millisecond
)

// gpioMeans says what the faults are.
var gpioMeans = map[string]string{
	"stop":           "an operator stops the device",
	"hand-gone":      "heartbeats no longer come",
	"agent-stopped":  "the agent is stopped (SIGSTOP)",
	"agent-killed":   "the agent is killed (SIGKILL)",
	"holder-killed":  "the process that holds the pins is killed: its lines keep their levels until they are taken again",
	"holder-stopped": "that process is stopped, and nobody else can set what it holds",
	"both-stopped":   "the agent and that process are stopped",
	"both-killed":    "both are killed: only the guard is left",
}

// gpioBy says what ran the machine.
var gpioBy = map[string]string{
	"kvm": "A program on each processor does nothing but keep it busy.",
	"tcg": "It is emulated (QEMU's TCG), and slow.",
}

// gpioApart says what the goal is not.
var gpioApart = map[string]string{"tcg": fmt.Sprintf(" That is not the promise, which is %v and can be judged only on a processor of its own.", safety.Promise)}

// gpioGoal is until when all is to be safe. On an emulated processor only that it becomes so, by itself, can be judged.
func gpioGoal(by string) time.Duration {
	if by == "kvm" {
		return safety.Promise
	}
	return 5 * time.Second
}

// soakGPIO does each fault so often.
func soakGPIO(only string, times int) (string, error) {
	if times == 0 {
		times = gpioTimes
	}
	result, err := pins.Run(pins.Order{Times: times, Only: only}, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
	if result == nil {
		return "", err
	}
	errs := []error{err}
	for name, all := range result.Safe {
		if worst := slices.Max(all); worst > gpioGoal(result.By) {
			errs = append(errs, fmt.Errorf("%s: safe after %v, want %v", name, worst, gpioGoal(result.By)))
		}
	}
	for _, pulse := range result.Pulses {
		if result.By == "kvm" && (pulse-gpioPulse).Abs() > gpioError {
			errs = append(errs, fmt.Errorf("the horn sounded for %v, want %v", pulse, gpioPulse))
		}
	}
	return gpioTable(result), errors.Join(errs...)
}

func gpioTable(r *pins.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Pins of a board\n\n%s. A virtual machine of 2 processors with Debian's Linux %s, its driver of a chip with four lines (hid-mcp2221), and the built programs. The chip is a program, and its record of levels is the judge; a line keeps its level when nobody holds it. %s Dead-man time 300 ms.\n\n", report.When(), r.Kernel, gpioBy[r.By])
	fmt.Fprintf(&b, "What is done while three lines are moved: until all are safe, and stay so; goal ≤ %v.%s\n\n| | times | median | worst | |\n|---|---|---|---|---|\n", gpioGoal(r.By), gpioApart[r.By])
	for _, name := range pins.Faults {
		all := slices.Sorted(slices.Values(r.Safe[name]))
		if len(all) == 0 {
			continue
		}
		met := "met"
		if all[len(all)-1] > gpioGoal(r.By) {
			met = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s |\n", name, len(all), sinceFault(all[len(all)/2]), sinceFault(all[len(all)-1]), met)
	}
	if worst := worstSafe(r); r.By != "kvm" && worst > 0 && worst <= safety.Promise {
		b.WriteString("\nEven so, none was later than promised.\n")
	}
	if len(r.Pulses) > 0 {
		fmt.Fprintf(&b, "\nA pulse of %v, called from a terminal: %v at the shortest of %d, %v at the longest.\n", gpioPulse,
			slices.Min(r.Pulses).Round(time.Millisecond/10), len(r.Pulses), slices.Max(r.Pulses).Round(time.Millisecond/10))
	}
	b.WriteString("\n")
	for _, name := range pins.Faults {
		if len(r.Safe[name]) > 0 {
			fmt.Fprintf(&b, "- %s: %s\n", name, gpioMeans[name])
		}
	}
	return b.String()
}

// worstSafe is the longest time until all was safe, of all faults.
func worstSafe(r *pins.Result) (worst time.Duration) {
	for _, all := range r.Safe {
		worst = max(worst, slices.Max(all))
	}
	return worst
}

func sinceFault(d time.Duration) string {
	if d.Milliseconds() >= pins.Never {
		return "not while it was watched"
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
