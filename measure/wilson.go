package measure

import "math"

// z is the quantile of the normal distribution for an interval of 95%: 2.5%
// lie on either side.
const z = 1.959963984540054

// Wilson returns the score interval of a proportion, at 95%: E. B. Wilson,
// "Probable inference, the law of succession, and statistical inference",
// Journal of the American Statistical Association 22 (1927) 209-212, without a
// correction for continuity. Unlike the textbook's it holds for rates near 0 and
// 1 and for few rows (Brown, Cai, DasGupta, "Interval estimation for a binomial
// proportion", Statistical Science 16 (2001) 101-133). Without rows nothing is
// known: 0 to 1.
func Wilson(hits, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	k, of := float64(hits), float64(n)
	middle := (k + z*z/2) / (of + z*z)
	half := z / (of + z*z) * math.Sqrt(k*(of-k)/of+z*z/4)
	low, high = max(0, middle-half), min(1, middle+half)
	// Exactly, where rounding would leave a trace.
	if hits == 0 {
		low = 0
	}
	if hits == n {
		high = 1
	}
	return low, high
}
