package main

import (
	"bytes"
	"fmt"
	"slices"
)

const (
	inputGoal  = 20.0 // ms from an input at a page until the actuator has what it asks for, at p99
	besideGoal = 5.0  // ms that p99 may rise by with streams and history beside it
)

func writeControl(text *bytes.Buffer, c *controlResult) {
	fmt.Fprintf(text, "\n## A setpoint and its echo\n\nFrom when a setpoint is given to the operator's program until the value that the device has applied is there, next to a ping and its pong on a channel set up like the product's; "+
		"one every %v, in processes of their own, median of %d interleaved rounds, ms. On loopback; and across a link (`%s`), alone and while the same operator watches %d streams at %d Hz and is sent the device's history on the same connection.\n\n"+
		"| | p50 | p99 | ratio p50 | ratio p99 | goal |\n|---|---|---|---|---|---|\n", pingEvery, len(c.ours.p50), besideLink, besideStreams, rate)
	p50, p99 := ratio(c.ours.p50, c.bare.p50), ratio(c.ours.p99, c.bare.p99)
	fmt.Fprintf(text, "| %s | %.2f | %.2f | 1 | 1 | |\n", c.bare.name, median(c.bare.p50), median(c.bare.p99))
	fmt.Fprintf(text, "| %s | %.2f | %.2f | %.2f | %.2f | ≤ %.1f: %s |\n", c.ours.name, median(c.ours.p50), median(c.ours.p99), p50, p99, loopGoal, verdict(p50 <= loopGoal && p99 <= loopGoal))
	fmt.Fprintf(text, "| %s | %.2f | %.2f | | | |\n", c.alone.name, median(c.alone.p50), median(c.alone.p99))
	fmt.Fprintf(text, "| %s | %.2f | %.2f | | | %s |\n", c.heavy.name, median(c.heavy.p50), median(c.heavy.p99), riseGoal(later(c.heavy.p99, c.alone.p99)))
	writeInputs(text, c)
}

func riseGoal(rise float64) string {
	return fmt.Sprintf("p99 %+.1f ms, ≤ %+.0f: %s", rise, besideGoal, verdict(rise <= besideGoal))
}

// writeInputs judges all rounds together: a hundredth of one round's inputs are two.
func writeInputs(text *bytes.Buffer, c *controlResult) {
	clocks := 0.0
	for _, in := range slices.Concat(c.hands, c.handsAlone, c.handsHeavy) {
		clocks = max(clocks, in.clocks)
	}
	fmt.Fprintf(text, "\n## From an input in Chromium to the actuator\n\nSomebody holds one axis on the device's page and moves another one about %.0f times a second: with keys, and with a thumb on the stick of a page of 360 × 740. From the browser's own time of the input event until the program behind the agent's "+
		"standard output has read the line that sets the axis to it, ms, all %d rounds together. The time until the first script in the page is called is the browser's: it is shown for an empty page too. The browser's event clock and the machine's were at most %.1f ms apart, which is corrected. "+
		"The page has been open for %v by then. Beside it, as above: the page draws the streams, and only inputs made while the history came are counted.\n\n"+
		"| | inputs | without effect | p50 | p95 | p99 | worst | until the page, p50 | p99 | goal |\n|---|---|---|---|---|---|---|---|---|---|\n",
		1/inputEvery.Seconds(), len(c.ours.p50), clocks, settling)
	for i := range byHands {
		empty, near, alone, heavy := c.empty[i], c.hands[i], c.handsAlone[i], c.handsHeavy[i]
		fmt.Fprintf(text, "| %s | %d | | | | | | %.1f | %.1f | |\n", empty.name, len(empty.page), percentile(empty.page, 0.50), percentile(empty.page, 0.99))
		p99 := percentile(near.took, 0.99)
		writeInput(text, near, fmt.Sprintf("p99 ≤ %.0f: %s", inputGoal, verdict(p99 <= inputGoal && near.without == 0)))
		writeInput(text, alone, "")
		writeInput(text, heavy, riseGoal(percentile(heavy.took, 0.99)-percentile(alone.took, 0.99)))
	}
}

func writeInput(text *bytes.Buffer, in *inputs, goal string) {
	fmt.Fprintf(text, "| %s | %d | %d | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f | %s |\n", in.name, len(in.took)+in.without, in.without,
		percentile(in.took, 0.50), percentile(in.took, 0.95), percentile(in.took, 0.99), percentile(in.took, 1), percentile(in.page, 0.50), percentile(in.page, 0.99), goal)
}
