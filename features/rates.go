// SPDX-License-Identifier: Apache-2.0

package features

import "math"

// exposure returns the days of a window that lie within an account's life,
//
//	min(W, tenure),
//
// and its tenure where the window has no bound (days 0). It is missing where
// that is less than a day or the creation is not known.
func exposure(days int, tenure float64) float64 {
	if !(tenure >= 1) {
		return math.NaN()
	}
	if days > 0 {
		return math.Min(float64(days), tenure)
	}
	return tenure
}

// perDay scales what was added up in a window to a day of the account's life,
// so that young accounts compare with old ones: n / min(W, tenure).
func perDay(n float64, days int, tenure float64) float64 { return n / exposure(days, tenure) }

// lifetimeValue returns the average purchase times the purchases per day times
// the lifespan in days,
//
//	sum / n x n / min(W, tenure) x lifespan,
//
// in which n, the events with a value, falls out. It is missing without one.
func lifetimeValue(w *tally, days int, tenure float64, lifespan int) float64 {
	if w.valued == 0 {
		return math.NaN()
	}
	return perDay(w.sum.value(), days, tenure) * float64(lifespan)
}
