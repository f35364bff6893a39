package bench

import (
	"math"
	"slices"
	"time"
)

// Spread is how a set of times is distributed, in milliseconds. Percentiles are
// by nearest rank: p99.9 of fewer than 1,000 times is the largest of them.
type Spread struct {
	N    int     `json:"n"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p99_9_ms"`
	Max  float64 `json:"max_ms"`
}

// spread sorts a copy of times.
func spread(times []time.Duration) Spread {
	sorted := slices.Sorted(slices.Values(times))
	return Spread{len(sorted), ms(percentile(sorted, 50)), ms(percentile(sorted, 99)), ms(percentile(sorted, 99.9)), ms(percentile(sorted, 100))}
}

// percentile is the smallest of sorted that at least p percent of them do not
// exceed; zero when there are none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p*float64(len(sorted))/100 - 1e-9)) // 99.9 has no exact float
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median is the middle of values, or the mean of the two in the middle; NaN when
// there are none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
