package bench

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPercentileIsByNearestRank(t *testing.T) {
	upTo := func(n int) (list []time.Duration) {
		for i := range n {
			list = append(list, time.Duration(i+1)*time.Millisecond)
		}
		return list
	}
	for _, c := range []struct {
		n    int
		p    float64
		want int // ms
	}{
		{0, 50, 0},
		{1, 50, 1},
		{1, 99.9, 1},
		{2, 50, 1},
		{3, 50, 2},
		{100, 50, 50},
		{100, 99, 99},
		{100, 100, 100},
		{101, 99, 100},
		{500, 99.9, 500},
		{1000, 99.9, 999},
		{1001, 99.9, 1000},
		{10, 0, 1},
	} {
		if got := percentile(upTo(c.n), c.p); ms(got) != float64(c.want) {
			t.Errorf("p%g of 1..%d is %v, want %d ms", c.p, c.n, got, c.want)
		}
	}
}

func TestSpreadSortsACopy(t *testing.T) {
	times := []time.Duration{3 * time.Millisecond, time.Millisecond, 1500 * time.Microsecond}
	want := Spread{N: 3, P50: 1.5, P99: 3, P999: 3, Max: 3}
	if diff := cmp.Diff(want, spread(times)); diff != "" {
		t.Error(diff)
	}
	if times[0] != 3*time.Millisecond {
		t.Error("the caller's times were sorted")
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 2, 3}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %v", values, got)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing is %v", got)
	}
}
