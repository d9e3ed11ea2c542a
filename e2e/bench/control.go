package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/e2e/rig"
)

// loopGoal is how much longer a setpoint and its echo may take than a bare channel's ping and pong.
const loopGoal = 1.3

// pingEvery is the time between two setpoints, and two pings.
const pingEvery = 20 * time.Millisecond

// controlResult holds the subjects of a run.
type controlResult struct {
	bare, ours   ages
	alone, heavy ages // of a setpoint across besideLink: alone, and with streams and history beside it

	hands, handsAlone, handsHeavy []*inputs // at a page, in the order of byHands: on loopback, and the same two
	empty                         []*inputs // at a page with nothing on it
}

func newControlResult() *controlResult {
	r := &controlResult{
		bare: ages{name: "bare pion channel, ping and pong"}, ours: ages{name: "telepath, setpoint and applied value"},
		alone: ages{name: "across a link, alone"}, heavy: ages{name: "across a link, streams and history beside it"},
	}
	for _, hand := range byHands {
		r.empty = append(r.empty, &inputs{name: hand.name + ", an empty page"})
		r.hands = append(r.hands, &inputs{name: hand.name})
		r.handsAlone = append(r.handsAlone, &inputs{name: hand.name + ", across a link, alone"})
		r.handsHeavy = append(r.handsHeavy, &inputs{name: hand.name + ", across a link, streams and history beside it"})
	}
	return r
}

// measureControl runs them in turn, round by round.
func measureControl(rounds int, length time.Duration) (*controlResult, error) {
	l, err := lab.New("solo")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	_, far, end, err := newFar(besideLink, "-rt")
	if err != nil {
		return nil, err
	}
	defer end()
	r := newControlResult()
	for round := range rounds {
		fmt.Printf("control: round %d of %d\n", round+1, rounds)
		if err := r.round(l.Host("solo"), far, length); err != nil {
			return nil, err
		}
	}
	return r, r.enough()
}

func (r *controlResult) round(host *lab.Host, far *rig.FarLink, length time.Duration) error {
	start, err := starting(host)
	if err != nil {
		return err
	}
	if err := measure(&r.bare, func() ([]float64, error) { return loopOfPion(start, length) }); err != nil {
		return err
	}
	if err := measureEmpty(host, r.empty); err != nil {
		return err
	}
	alone, heavy := acrossLink(far), acrossLink(far)
	heavy.beside = true
	for _, s := range []struct {
		at    site
		loops *ages
		hands []*inputs
	}{
		{onLoopback(host), &r.ours, r.hands}, {alone, &r.alone, r.handsAlone}, {heavy, &r.heavy, r.handsHeavy},
	} {
		if err := measure(s.loops, func() ([]float64, error) { return loopOfProduct(s.at, length) }); err != nil {
			return err
		}
		if err := measureInputs(s.at, s.hands); err != nil {
			return err
		}
	}
	return nil
}

// enough refuses figures of too few inputs: a history that came to its end too early, or a hand that was never there.
func (r *controlResult) enough() error {
	for _, in := range r.empty {
		if len(in.page) < rate {
			return fmt.Errorf("%s: only %d inputs", in.name, len(in.page))
		}
	}
	for _, in := range slices.Concat(r.hands, r.handsAlone, r.handsHeavy) {
		if len(in.took) < rate {
			return fmt.Errorf("%s: only %d inputs had an effect, and %d none", in.name, len(in.took), in.without)
		}
	}
	return nil
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
func loopOfProduct(at site, length time.Duration) ([]float64, error) {
	r, _, end, err := at.serve("machine", nil, "--source", "machine")
	defer end()
	if err != nil {
		return nil, err
	}
	start, err := starting(at.here)
	if err != nil {
		return nil, err
	}
	order := []string{"telepath-driver", r.URL, r.Token("operator")}
	if at.beside {
		order = append(order, "beside")
	}
	var c loops
	driver, err := start(c.line, order...)
	if err != nil {
		return nil, err
	}
	defer driver.Kill()
	if _, err := driver.WaitFor(loopLine, 30*time.Second); err != nil { // it is on udp, and obeyed
		return nil, err
	}
	return c.collect(length), nil
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
