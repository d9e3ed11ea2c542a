package ping

import (
	"slices"
	"time"
)

// Summary is what a series of pings says in all.
type Summary struct {
	Sent, Received               int
	Min, Avg, P50, P95, P99, Max time.Duration // all 0 without a reply
	Until                        bool          // the reply came that Config.Until waits for
}

// Loss is the share of pings without a reply, in percent.
func (s Summary) Loss() float64 {
	if s.Sent == 0 {
		return 0
	}
	return 100 * float64(s.Sent-s.Received) / float64(s.Sent)
}

// summarize sorts the round trips.
func summarize(sent int, trips []time.Duration) Summary {
	s := Summary{Sent: sent, Received: len(trips)}
	if len(trips) == 0 {
		return s
	}
	slices.Sort(trips)
	var sum time.Duration
	for _, t := range trips {
		sum += t
	}
	s.Min, s.Max, s.Avg = trips[0], trips[len(trips)-1], sum/time.Duration(len(trips))
	s.P50, s.P95, s.P99 = percentile(trips, 50), percentile(trips, 95), percentile(trips, 99)
	return s
}

// percentile is the smallest value that p percent of the sorted ones do not exceed (nearest rank).
func percentile(sorted []time.Duration, p int) time.Duration {
	rank := (p*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}
