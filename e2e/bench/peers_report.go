package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/telepath-iot/telepath/e2e/rig"
)

func writePeers(text *bytes.Buffer, r *peersResult) {
	fmt.Fprintf(text, "\n## Side by side\n\n%d samples of %d bytes a second, %d subjects at the same time, each on an emulated link of its own with the same conditions and the same seed; relay and viewer are at the same end of it, the device at the other. "+
		"Rounds: %d, of which the median is shown. TCP's congestion control: %s. The processors were %.0f %% busy.\n", rate, sampleSize, min(r.atOnce, len(r.contestants())), r.rounds, congestion(), median(r.busy))
	writeSteady(text, r)
	writeOutages(text, r)
	fmt.Fprintf(text, "\nNothing is tuned to a link. The bare ones reconnect when a connection fails: TCP_USER_TIMEOUT, WebSocket pings and MQTT's keep alive say so after %v, "+
		"a new TCP connection may take %v, and pion's ICE says so after 30 s. The MQTT client is paho, the broker %s.\n", keepAlive, dialTime, mosquittoVersion())
}

func writeSteady(text *bytes.Buffer, r *peersResult) {
	if !slices.ContainsFunc(steady, func(c crossing) bool { return r.rows[c.name] != nil }) {
		return
	}
	fmt.Fprintf(text, "\nWhat came within %v, what came at all up to a second later, and the age of that, until its line was read from the viewer; bytes and packets of the link, both directions, for each sample made; "+
		"processor time for each sample made. × UDP and × TCP: beside raw UDP and raw TCP of the same round. [The distribution of the ages](%s).\n\n"+
		"| link | | within %v | came | p50 ms | p95 ms | p99 ms | p99 × UDP | p99 × TCP | bytes | × UDP | × TCP | packets | µs: device + relay + viewer | |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
		liveDeadline, plotName, liveDeadline)
	for _, c := range steady {
		for _, who := range contestants {
			if row := r.rows[c.name][who.Name]; row != nil {
				writeSteadyRow(text, c, who.Name, row, r.rows[c.name])
			}
		}
	}
}

func writeSteadyRow(text *bytes.Buffer, c crossing, who string, row *peerRow, all map[string]*peerRow) {
	fmt.Fprintf(text, "| %s | %s | ", c.name, who)
	if len(row.within) == 0 {
		fmt.Fprintf(text, "**fails** | | | | | | | | | | | | %s |\n", row.remark())
		return
	}
	udp, tcp := all[rawUDP], all[rawTCP]
	fmt.Fprintf(text, "%.2f %% | %.2f %% | %.1f | %.1f | %.1f | %s | %s | %.0f | %s | %s | %.2f | %s | %s |\n",
		median(row.within), median(row.came), median(row.p50), median(row.p95), median(row.p99), beside(row, udp, ofP99), beside(row, tcp, ofP99),
		median(row.bytes), beside(row, udp, ofBytes), beside(row, tcp, ofBytes), median(row.packets),
		row.processors(), row.steadyRemark(c.name, who))
}

// withinGoals are what has to come in time of a subject on a link, in % (P12: what the product falls back on is to be as good as a bare one).
var withinGoals = map[string]map[string]float64{"100-5": {"telepath ws": 98.5}}

func (r *peerRow) steadyRemark(link, who string) string {
	goal, judged := withinGoals[link][who]
	if !judged {
		return r.remark()
	}
	return strings.TrimPrefix(fmt.Sprintf("%s; ≥ %.1f %%: %s", r.remark(), goal, verdict(median(r.within) >= goal)), "; ")
}

// processors is the time of device, relay, if there is one, and viewer.
func (r *peerRow) processors() string {
	relay := "–"
	if spent := median(r.relay); spent > 0 {
		relay = fmt.Sprintf("%.0f", spent)
	}
	return fmt.Sprintf("%.0f + %s + %.0f", median(r.device), relay, median(r.viewer))
}

func ofP99(r *peerRow) []float64   { return r.p99 }
func ofBytes(r *peerRow) []float64 { return r.bytes }
func ofFresh(r *peerRow) []float64 { return r.fresh }

// beside is the median of the rounds' ratios; empty if one of the two did not finish all rounds.
func beside(row, base *peerRow, of func(*peerRow) []float64) string {
	if base == nil || len(of(row)) == 0 || len(row.failed)+len(base.failed) > 0 {
		return ""
	}
	if factor := ratio(of(row), of(base)); !math.IsInf(factor, 0) && !math.IsNaN(factor) {
		return fmt.Sprintf("%.2f", factor)
	}
	return ""
}

// remark is what else is to be known of a row.
func (r *peerRow) remark() string {
	said := r.remarks
	for _, reason := range r.failed {
		said = append(said, "failed: "+strings.ReplaceAll(reason, "|", "/"))
	}
	return strings.Join(said, "; ")
}

// outageGoals are what the product has to be back within, in ms (P6, P7).
var outageGoals = map[string]float64{"blackhole": 200, "moved": 400, "rerouted": 1000}

func writeOutages(text *bytes.Buffer, r *peersResult) {
	happened := r.happened()
	if len(happened) == 0 {
		return
	}
	fmt.Fprintf(text, "\nTime until the first sample made afterwards came, in ms, at a round trip of 50 ms, and how many samples came later than %v. *blackhole*: %v of nothing. *moved*: the device gets another address, and its system knows. "+
		"*rerouted*: the router in front of the device gets another public address, and tells nobody. What becomes of events then is in docs/soak.md.\n\n| |", liveDeadline, dark)
	for _, c := range happened {
		fmt.Fprintf(text, " %s | × UDP | × TCP | late |", c.name)
	}
	fmt.Fprintf(text, " |\n|---|%s---|\n", strings.Repeat("---|---|---|---|", len(happened)))
	for _, who := range r.contestants() {
		var notes []string
		fmt.Fprintf(text, "| %s |", who.Name)
		for _, c := range happened {
			cells, note := outageCells(r.rows[c.name], who.Name)
			text.WriteString(cells)
			if goal, row := outageGoals[c.name], r.rows[c.name][who.Name]; who.Name == "telepath udp" && len(row.fresh) > 0 {
				note += fmt.Sprintf("≤ %.0f ms: %s", goal, verdict(median(row.fresh) <= goal))
			}
			if note != "" {
				notes = append(notes, c.name+" "+note)
			}
		}
		fmt.Fprintf(text, " %s |\n", strings.Join(notes, "; "))
	}
}

// happened are the outages that were measured.
func (r *peersResult) happened() (some []crossing) {
	for _, c := range outages {
		if r.rows[c.name] != nil {
			some = append(some, c)
		}
	}
	return some
}

// outageCells is one contestant after one outage.
func outageCells(rows map[string]*peerRow, who string) (cells, note string) {
	row := rows[who]
	if len(row.fresh) == 0 {
		return " **fails** | | | |", row.remark()
	}
	fresh := fmt.Sprintf("%.0f", median(row.fresh))
	if math.IsInf(median(row.fresh), 0) {
		fresh = fmt.Sprintf("> %.0f", milliseconds(comeBack))
	}
	return fmt.Sprintf(" %s | %s | %s | %.0f |", fresh, beside(row, rows[rawUDP], ofFresh), beside(row, rows[rawTCP], ofFresh), median(row.late)), row.remark()
}

func congestion() string {
	text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// mosquittoVersion is the first line of its help.
func mosquittoVersion() string {
	out, _ := exec.Command(rig.Mosquitto, "-h").Output() // it ends with an error after its help
	line, _, _ := strings.Cut(string(out), "\n")
	if line == "" {
		return "mosquitto, which is not installed here"
	}
	return line
}
