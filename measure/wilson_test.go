package measure

import (
	"math"
	"testing"
)

// The intervals of method 3, the score method, in table I of R. G. Newcombe,
// "Two-sided confidence intervals for the single proportion", Statistics in
// Medicine 17 (1998) 857-872.
func TestWilsonPublished(t *testing.T) {
	for _, c := range []struct {
		hits, n   int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0.0000, 0.1611},
		{1, 29, 0.0061, 0.1718},
	} {
		low, high := Wilson(c.hits, c.n)
		if math.Abs(low-c.low) > 0.00005 || math.Abs(high-c.high) > 0.00005 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.hits, c.n, low, high, c.low, c.high)
		}
	}
}

// Each bound p is a solution of |rate - p| = z * sqrt(p(1-p)/n), which is what
// the interval means, and mirrors that of the complement.
func TestWilsonMeaning(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 29, 250, 29_734, 1_000_000} {
		for _, hits := range []int{0, 1, n / 3, n / 2, n - 1, n} {
			low, high := Wilson(hits, n)
			rate := float64(hits) / float64(n)
			if low < 0 || high > 1 || low > rate || high < rate {
				t.Errorf("%d of %d: %v to %v", hits, n, low, high)
			}
			for _, p := range []float64{low, high} {
				if distance := math.Abs(rate-p) - z*math.Sqrt(p*(1-p)/float64(n)); math.Abs(distance) > 1e-9 {
					t.Errorf("%d of %d: bound %v is off by %v", hits, n, p, distance)
				}
			}
			if l, h := Wilson(n-hits, n); math.Abs(l-(1-high)) > 1e-12 || math.Abs(h-(1-low)) > 1e-12 {
				t.Errorf("%d of %d: %v to %v, and of the others %v to %v", hits, n, low, high, l, h)
			}
			if hits == 0 && low != 0 || hits == n && high != 1 {
				t.Errorf("%d of %d: %v to %v", hits, n, low, high)
			}
		}
	}
	if low, high := Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("of none: %v to %v", low, high)
	}
	// 97.5% of the normal distribution lie below z.
	if got := (1 + math.Erf(z/math.Sqrt2)) / 2; math.Abs(got-0.975) > 1e-12 {
		t.Errorf("z is the quantile of %v", got)
	}
}
