package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/telepath-iot/telepath/signaling/turn"
)

var (
	descAllocations = describe("turn_allocations", "Relayed addresses that clients have allocated.")
	descSessions    = describe("turn_sessions", "Conns that have allocations.")
	descStreams     = describe("turn_connections", "Clients of TURN over TCP and TLS, with an allocation or not yet.")
	descTURNPackets = describe("turn_packets_total", "Packets handed over between the ends of Conns.")
	descTURNBytes   = describe("turn_bytes_total", "Bytes of those packets.")
	descTURNDrops   = describe("turn_drops_total", "Packets that were not handed over, by reason.", "reason")
	descTURNRefused = describe("turn_refused_total", "Requests, frames and connections that were refused, by reason.", "reason")
)

// turnCollector turns the counts of the TURN server into metrics. onlySTUN: it lets nobody allocate.
type turnCollector struct {
	s        *turn.Server
	onlySTUN bool
}

// Describe implements prometheus.Collector.
func (c turnCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descAllocations, descSessions, descStreams, descTURNPackets, descTURNBytes, descTURNDrops, descTURNRefused} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c turnCollector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	total := func(d *prometheus.Desc, v uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	stats := c.s.Stats()
	for why := range stats.Refused {
		total(descTURNRefused, stats.Refused[why].Load(), turn.Refusal(why).String())
	}
	if c.onlySTUN {
		return
	}
	gauge(descAllocations, stats.Allocations)
	gauge(descSessions, stats.Sessions)
	gauge(descStreams, stats.Connections)
	total(descTURNPackets, stats.Packets.Load())
	total(descTURNBytes, stats.Bytes.Load())
	for why := range stats.Drops {
		total(descTURNDrops, stats.Drops[why].Load(), turn.Drop(why).String())
	}
}
