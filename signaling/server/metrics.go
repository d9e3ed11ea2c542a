package server

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// metrics serves what the server counts, read when it is asked for.
func (s *Server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{s}, portCollector{s.tcp, s.udp}, turnCollector{s.turn, s.onlySTUN()}, s.rest)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("telepath_"+name, help, labels, nil)
}

var (
	descLinks    = describe("links", "Open links, by role of their token and by what they are made of.", "role", "rung")
	descDevices  = describe("devices", "Known devices, by presence.", "state")
	descSilence  = describe("device_silence_seconds", "Longest time since a linked device was last heard.")
	descQueued   = describe("queue_bytes", "Bytes that wait in the queues of all links.")
	descFrames   = describe("relayed_frames_total", "Frames that came in and were passed on; one for however many viewers.")
	descBytes    = describe("relayed_bytes_total", "Bytes of those frames.")
	descPackets  = describe("link_packets_total", "Packets on links.", "direction")
	descTraffic  = describe("link_bytes_total", "Bytes of those packets.", "direction")
	descDrops    = describe("drops_total", "Frames that were not passed on, by reason (docs/protocol.md, section 5.3).", "reason")
	descOpening  = describe("channels_opening", "Links over data channels that are being made.")
	descOpenings = describe("channels_openings_total", "Links over data channels that were answered, by what became of them.", "outcome")
	descRefusals = describe("refused_total", "Requests, links and frames that were refused, by code (section 6.6).", "code")
)

// linkRungs are what links are made of.
var linkRungs = []ladder.Rung{ladder.RelayUDP, ladder.RelayTCP, ladder.WS, ladder.SSE, ladder.Poll}

// collector turns a server's counts into metrics.
type collector struct{ s *Server }

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descLinks, descDevices, descSilence, descQueued, descFrames, descBytes, descPackets, descTraffic, descDrops, descOpening, descOpenings, descRefusals} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	total := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	links := c.s.clients.count()
	for _, role := range auth.Roles {
		for _, rung := range linkRungs {
			gauge(descLinks, float64(links[sort{role, rung}]), string(role), rung.String())
		}
	}
	for state, n := range c.s.room.Count() {
		gauge(descDevices, float64(n), state)
	}
	gauge(descSilence, c.s.room.Silence(time.Now()).Seconds())
	opening, openings := c.s.channels.openings.snapshot()
	gauge(descOpening, float64(opening))
	for what, n := range openings {
		total(descOpenings, n, outcomeNames[what])
	}
	refusals, stats := c.s.counts.snapshot(c.s.clients.all())
	refusals["too-many"] += c.s.gate.closed.Load()
	for code, n := range refusals {
		total(descRefusals, n, code)
	}
	gauge(descQueued, float64(stats.Queued.Bytes))
	total(descPackets, stats.Sent.Packets, "out")
	total(descPackets, stats.Received.Packets, "in")
	total(descTraffic, stats.Sent.Bytes, "out")
	total(descTraffic, stats.Received.Bytes, "in")
	relayed := c.s.room.Counters()
	total(descFrames, relayed.Frames.Load())
	total(descBytes, relayed.Bytes.Load())
	for reason, n := range c.drops(stats.Drops, refusals) {
		total(descDrops, n, reason)
	}
}

// drops are frames lost in queues and in the room, by reason.
func (c collector) drops(queues carrier.Drops, refusals map[string]uint64) map[string]uint64 {
	drops := make(map[string]uint64)
	for reason, n := range queues {
		drops[carrier.DropReason(reason).String()] += n
	}
	counted := c.s.room.Counters()
	drops["no-path"] += counted.NoPath.Load()
	drops["unknown-stream"] += counted.UnknownStream.Load()
	drops["limit"] += counted.Limit.Load() + refusals["too-large"]
	drops["role"] += counted.Role.Load()
	drops["malformed"] += refusals["malformed"]
	return drops
}
