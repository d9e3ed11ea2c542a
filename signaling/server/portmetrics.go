package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/telepath-iot/telepath/signaling/port"
)

var (
	descPortServed = describe("port_served_total", "Connections and datagrams that were handed to a side of the port.", "transport", "side")
	descPortDrops  = describe("port_drops_total", "Connections that were closed and datagrams that were dropped before a side had them, by reason.", "transport", "reason")
)

// portCollector turns what the ports count into metrics.
type portCollector struct {
	tcp *port.TCP
	udp *port.UDP // nil: none
}

// Describe implements prometheus.Collector.
func (c portCollector) Describe(to chan<- *prometheus.Desc) {
	to <- descPortServed
	to <- descPortDrops
}

// Collect implements prometheus.Collector.
func (c portCollector) Collect(to chan<- prometheus.Metric) {
	collectPort(to, "tcp", c.tcp.Counts())
	if c.udp != nil {
		collectPort(to, "udp", c.udp.Counts())
	}
}

func collectPort(to chan<- prometheus.Metric, transport string, counts port.Counts) {
	total := func(d *prometheus.Desc, v uint64, label string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), transport, label)
	}
	for _, side := range port.Sides {
		total(descPortServed, counts.Served[side], side.String())
	}
	for _, why := range port.Reasons {
		total(descPortDrops, counts.Dropped[why], why.String())
	}
}
