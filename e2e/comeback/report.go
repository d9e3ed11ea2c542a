package comeback

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// String says it in a line.
func (r *Result) String() string {
	return fmt.Sprintf("%d Conns: back after %v in the median, %v at last; %d attempts in the median, %d at most; %d connections, %d in one second; the server took %v of processor; refused: %s",
		r.Conns, r.Median().Round(time.Millisecond), slices.Max(r.Back).Round(time.Millisecond), r.MedianAttempts(), slices.Max(r.Attempts),
		r.Accepted, r.Peak, r.CPU, r.Refusals())
}

// Median is when half of the Conns were back.
func (r *Result) Median() time.Duration { return r.Quantile(0.5) }

// Quantile is when that part of the Conns was back.
func (r *Result) Quantile(q float64) time.Duration { return quantile(r.Back, q) }

// MedianAttempts is how often a Conn tried.
func (r *Result) MedianAttempts() int { return quantile(r.Attempts, 0.5) }

// Refusals are what Conns heard that did not get through though the server was there, and how many heard it.
func (r *Result) Refusals() string {
	if len(r.Refused) == 0 {
		return "none"
	}
	var said []string
	for _, why := range slices.Sorted(maps.Keys(r.Refused)) {
		said = append(said, fmt.Sprintf("%d × %s", r.Refused[why], why))
	}
	return strings.Join(said, ", ")
}

func quantile[T int | time.Duration](values []T, q float64) T {
	return slices.Sorted(slices.Values(values))[int(q*float64(len(values)-1)+0.5)]
}
