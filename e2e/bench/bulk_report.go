package main

import (
	"bytes"
	"fmt"
)

// The goals (P11).
const bulkBeside = 5 // ms that the 99th percentile of Live's age may grow by

// bulkGoals are MB/s.
var bulkGoals = map[bulkWay]float64{
	{false, "udp"}: 40, {false, "relay-udp"}: 40, {false, "ws"}: 250,
	{true, "udp"}: 4, {true, "relay-udp"}: 4, {true, "ws"}: 4,
}

func writeBulk(text *bytes.Buffer, r *bulkResult) {
	fmt.Fprintf(text, "\n## Bulk\n\nWhat a device has kept, in values of %d bytes, %d MiB on loopback and %d MiB at 100 ms round trip: MB/s (10⁶ bytes) of payload, from the first value to the last, in a viewer that asks for everything at its start. "+
		"Next to it, a bare library that moves as much in messages of that size: pion's reliable channel without a relay, coder/websocket through a relay. %d samples of %d bytes a second are live on the same path: their age during the transfer and after it, all rounds together, ms. "+
		"The viewer counts and prints no values. Median of %d interleaved rounds.\n\n"+
		"| | MB/s | ratio | goal | Live beside it, p50 | p99 | idle, p50 | p99 | p99 ≤ idle + %d ms |\n|---|---|---|---|---|---|---|---|---|\n",
		bulkSize, bulkNear>>20, bulkFar>>20, rate, sampleSize, r.rounds, bulkBeside)
	for _, w := range bulkWays {
		ours, bare := r.ours[w], r.bare[w]
		fmt.Fprintf(text, "| bare %s | %.1f | 1 | | | | | | |\n", map[string]string{"pion": "pion channel", "socket": "WebSocket relay"}[w.bare()]+ofPlace(w), median(bare.rate))
		fmt.Fprintf(text, "| telepath, %s | %.1f | %.2f | ≥ %.0f: %s | %s |\n", w, median(ours.rate), ratio(ours.rate, bare.rate), bulkGoals[w], verdict(median(ours.rate) >= bulkGoals[w]), ours.besides())
	}
}

func ofPlace(w bulkWay) string {
	if w.far {
		return " at 100 ms"
	}
	return ""
}

// besides are the columns of Live.
func (b *bulkRow) besides() string {
	if len(b.beside) == 0 || len(b.idle) == 0 {
		return "none came | | | | " + verdict(false)
	}
	beside, idle := percentile(b.beside, 0.99), percentile(b.idle, 0.99)
	return fmt.Sprintf("%.1f | %.1f | %.1f | %.1f | %s", percentile(b.beside, 0.5), beside, percentile(b.idle, 0.5), idle, verdict(beside <= idle+bulkBeside))
}
