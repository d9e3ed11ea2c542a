package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// loopGoal is how much longer a setpoint and its echo may take than a bare channel's ping and pong.
const loopGoal = 1.3

// pingEvery is the time between two setpoints, and two pings.
const pingEvery = 20 * time.Millisecond

// controlResult holds the subjects of a run.
type controlResult struct{ bare, ours ages }

// measureControl runs them in turn, round by round, on one host's loopback.
func measureControl(rounds int, length time.Duration) (*controlResult, error) {
	l, err := lab.New("solo")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	host := l.Host("solo")
	start, err := starting(host)
	if err != nil {
		return nil, err
	}
	r := &controlResult{bare: ages{name: "bare pion channel, ping and pong"}, ours: ages{name: "telepath, setpoint and applied value"}}
	for round := range rounds {
		fmt.Printf("control: round %d of %d\n", round+1, rounds)
		if err := measure(&r.bare, func() ([]float64, error) { return loopOfPion(start, length) }); err != nil {
			return nil, err
		}
		if err := measure(&r.ours, func() ([]float64, error) { return loopOfProduct(host, start, length) }); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// loopOfPion is what a bare channel takes there and back.
func loopOfPion(start starter, length time.Duration) ([]float64, error) {
	var c loops
	pinger, err := start(c.line, "pion-pinger")
	if err != nil {
		return nil, err
	}
	defer pinger.Kill()
	echo, err := start(nil, "pion-echo")
	if err != nil {
		return nil, err
	}
	defer echo.Kill()
	if err := carry(pinger, echo); err != nil {
		return nil, err
	}
	if err := carry(echo, pinger); err != nil {
		return nil, err
	}
	return c.collect(length), nil
}

// loopOfProduct is what a setpoint takes to the device, and the applied value back.
func loopOfProduct(host *lab.Host, start starter, length time.Duration) ([]float64, error) {
	r, end, err := served(host)
	if err != nil {
		return nil, err
	}
	defer end()
	device, err := r.StartDevice(host, "machine", "--source", "machine")
	if err != nil {
		return nil, err
	}
	defer device.Kill()
	if err := r.AwaitLive(host, "machine", 15*time.Second); err != nil {
		return nil, err
	}
	var c loops
	driver, err := start(c.line, "telepath-driver", r.URL, r.Token("operator"))
	if err != nil {
		return nil, err
	}
	defer driver.Kill()
	if _, err := driver.WaitFor(loopLine, 30*time.Second); err != nil { // it is on udp, and obeyed
		return nil, err
	}
	return c.collect(length), nil
}

func writeControl(text *bytes.Buffer, c *controlResult) {
	fmt.Fprintf(text, "\n## A setpoint and its echo on loopback\n\nFrom when a setpoint is given to the operator's program until the value that the device has applied is there, beside a ping and its pong on a channel that has what the product's has; "+
		"one each %v, processes of their own, median of %d interleaved rounds, ms.\n\n| | p50 | p99 | ratio p50 | ratio p99 | goal |\n|---|---|---|---|---|---|\n", pingEvery, len(c.ours.p50))
	fmt.Fprintf(text, "| %s | %.2f | %.2f | 1 | 1 | |\n", c.bare.name, median(c.bare.p50), median(c.bare.p99))
	p50, p99 := ratio(c.ours.p50, c.bare.p50), ratio(c.ours.p99, c.bare.p99)
	fmt.Fprintf(text, "| %s | %.2f | %.2f | %.2f | %.2f | ≤ %.1f: %s |\n", c.ours.name, median(c.ours.p50), median(c.ours.p99), p50, p99, loopGoal, verdict(p50 <= loopGoal && p99 <= loopGoal))
}

// loops gathers what a program says that one took.
type loops struct{ collector }

func (c *loops) line(line program.Line) {
	found := loopLine.FindStringSubmatch(line.Text)
	if found == nil {
		return
	}
	var ms float64
	if _, err := fmt.Sscan(found[1], &ms); err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open {
		c.ages = append(c.ages, ms)
	}
}
