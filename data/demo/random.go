// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"math"
	"math/rand/v2"
)

// A purpose keeps the random streams of one account apart, so that a change in
// how one thing is drawn leaves everything else as it was.
type purpose uint64

const (
	forGroup purpose = iota + 1
	forTraits
	forLatents
	forTerms
	forUsage
	forTickets
	forSurveys
	forInvoices
	forTouchpoints
	forOrphans
	forLinear
	forCustomer
	forPace
	forOrders
	forAftermath
	forNewsletters
	forLeaving
)

// newStream returns the random stream of one purpose for one account. It
// depends on its three arguments and on nothing else: account i has the same
// history whether 10 or 10,000 accounts are made.
func newStream(seed uint64, p purpose, account int) *rand.Rand {
	return rand.New(rand.NewPCG(mix(seed^mix(uint64(p))), mix(uint64(account))))
}

// mix scatters the bits of x, so that neighbouring seeds and account numbers
// start far apart. It is the finaliser of SplitMix64.
//
// Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number
// Generators, OOPSLA 2014.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// poisson draws a Poisson count; none = e^-lambda is the chance of no event,
// passed in because it stays the same for a week of days. It multiplies
// uniform draws until they fall below none (Knuth), which suits lambda < 10.
func poisson(r *rand.Rand, none float64) int {
	n := 0
	for u := r.Float64(); u > none; u *= r.Float64() {
		n++
	}
	return n
}

// between draws a whole number in [lo, hi], both included.
func between(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// choose draws the index of a share; shares sum to 1.
func choose(r *rand.Rand, shares []float64) int {
	u := r.Float64()
	for i, s := range shares {
		if u -= s; u < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// sigmoid returns 1/(1 + e^-z), rounded to nine decimals: math.Exp may differ
// in its last bit from one processor to another, and the tables must not.
func sigmoid(z float64) float64 { return round(1/(1+math.Exp(-z)), 1e9) }

// round returns the multiple of 1/n nearest to x.
func round(x, n float64) float64 { return math.Round(x*n) / n }
