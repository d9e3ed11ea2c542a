package rest

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are for metrics.
type counts struct {
	posts, repeated  atomic.Uint64 // answered
	samples, refused atomic.Uint64 // of posts
	shown, unchanged atomic.Uint64 // answers to who asked for the latest
}

func (c *counts) took(t *taken) {
	c.posts.Add(1)
	c.samples.Add(uint64(t.samples))
	c.refused.Add(uint64(t.refused.count))
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("telepath_"+name, help, labels, nil)
}

var (
	descPosting = describe("posting_devices", "Devices that live in the server because somebody posts for them.")
	descPosts   = describe("posts_total", "Posts that were answered; repeated: with an Idempotency-Key that was known.", "result")
	descSamples = describe("posted_samples_total", "Samples that were posted; refused: lines, or records in them.", "result")
	descLatest  = describe("latest_total", "Requests for what is retained of a device that were answered.", "result")
)

// Describe implements prometheus.Collector.
func (r *Rest) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descPosting, descPosts, descSamples, descLatest} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (r *Rest) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetric(descPosting, prometheus.GaugeValue, float64(r.posting()))
	for _, total := range []struct {
		desc  *prometheus.Desc
		label string
		count *atomic.Uint64
	}{
		{descPosts, "taken", &r.counts.posts},
		{descPosts, "repeated", &r.counts.repeated},
		{descSamples, "taken", &r.counts.samples},
		{descSamples, "refused", &r.counts.refused},
		{descLatest, "shown", &r.counts.shown},
		{descLatest, "unchanged", &r.counts.unchanged},
	} {
		to <- prometheus.MustNewConstMetric(total.desc, prometheus.CounterValue, float64(total.count.Load()), total.label)
	}
}
