package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// question is a row of the table in short: a figure of one crossing of `peers`.
type question struct {
	text, crossing, unit string
	of                   func(*peerRow) []float64
	most                 bool // the greatest is the best, else the least
}

var questions = []question{
	{"100 ms round trip, 5 % lost each way: samples that arrive within 250 ms", "100-5", " %", func(r *peerRow) []float64 { return r.within }, true},
	{"the same: age of 99 of 100", "100-5", " ms", ofP99, false},
	{"300 ms, 10 % lost, 1 Mbit/s: samples that arrive within 250 ms", "300-10", " %", func(r *peerRow) []float64 { return r.within }, true},
	{"50 ms, nothing lost: bytes on the link for each sample of 100", "50", "", ofBytes, false},
	{"after 10 s of silence, until something fresh comes", "blackhole", " ms", ofFresh, false},
	{"the device gets another address, and knows it", "moved", " ms", ofFresh, false},
	{"its router gets another address, and tells nobody", "rerouted", " ms", ofFresh, false},
}

// inShort is the table that says most in little: the product's direct path beside the best of the others.
func (r *peersResult) inShort() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %d samples of %d bytes a second, all at the same time, each on a link of its own | telepath, direct | raw UDP | best of raw TCP, MQTT, a WebSocket relay and pion |\n|---|---|---|---|\n", rate, sampleSize)
	for _, q := range questions {
		if rows := r.rows[q.crossing]; rows != nil {
			best, who := q.best(rows)
			fmt.Fprintf(&b, "| %s | **%s** | %s | %s%s |\n", q.text, q.figure(rows["telepath udp"]), q.figure(rows[rawUDP]), best, who)
		}
	}
	return b.String()
}

// inShort names what each path bears.
func (r *poleResult) inShort() string {
	var paths []string
	for _, row := range r.paths {
		if row.bore < 0 {
			paths = append(paths, fmt.Sprintf("none on `%s`", row.path))
			continue
		}
		paths = append(paths, fmt.Sprintf("%d %% on `%s`", row.bore, row.path))
	}
	return fmt.Sprintf("\nA simulated pole, balanced over a round trip of 100 ms, stays up for %v at these losses each way: %s.\n", r.length, strings.Join(paths, ", "))
}

// best is that of the others, but for raw UDP, which repeats nothing and connects to nobody.
func (q question) best(rows map[string]*peerRow) (figure, who string) {
	found := math.NaN()
	for _, c := range contestants {
		row := rows[c.Name]
		if row == nil || c.Name == rawUDP || strings.HasPrefix(c.Name, "telepath") || len(q.of(row)) == 0 || len(row.failed) > 0 {
			continue
		}
		if got := median(q.of(row)); math.IsNaN(found) || q.most && got > found || !q.most && got < found {
			found, figure, who = got, q.figure(row), " ("+c.Name+")"
		}
	}
	if figure == "" {
		return q.figure(nil), ""
	}
	return figure, who
}

func (q question) figure(row *peerRow) string {
	if row == nil || len(q.of(row)) == 0 {
		return "–"
	}
	got := median(q.of(row))
	switch {
	case math.IsInf(got, 1):
		return fmt.Sprintf("not within %v", comeBack)
	case q.most:
		return fmt.Sprintf("%.2f%s", got, q.unit)
	}
	return fmt.Sprintf("%.0f%s", got, q.unit)
}

// The marks between which a table stands in the README.
const (
	markBegin = "<!-- bench -->\n"
	markEnd   = "<!-- /bench -->\n"
)

// between puts a table in its place.
func between(text []byte, table string) ([]byte, error) {
	before, rest, begins := strings.Cut(string(text), markBegin)
	_, after, ends := strings.Cut(rest, markEnd)
	if !begins || !ends {
		return nil, errors.New("the README has no place for the table: the two marks are missing")
	}
	return []byte(before + markBegin + table + "\n" + markEnd + after), nil
}
