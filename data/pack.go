// SPDX-License-Identifier: Apache-2.0

package data

import "math"

// Millionths is the unit in which decimal values are summed: a value with up
// to six digits after the point and below 1,000,000,000 is a whole number of
// them, of at most 15 digits, which a float64 tells apart. Sums of such values
// are exact and do not depend on order.
const Millionths = 1_000_000

const maxMillionths = 1e15

// ToMillionths returns v in millionths. ok is false for a value that is no
// whole number of them, or too large to tell; NaN is neither.
func ToMillionths(v float64) (m int64, ok bool) {
	x := v * Millionths
	if !(math.Abs(x) < maxMillionths) {
		return 0, false
	}
	m = int64(math.RoundToEven(x))
	return m, float64(m)/Millionths == v
}

// A packed value takes four bytes in a record: the upper 28 bits are a signed
// whole number m, the lower 4 bits say what it means.
//
//	0 to 6  the value is m / 10^k
//	14      the value is number m of the source's table of odd values
//	15      the value is missing
//
// Nearly all values in practice are decimals with few digits, money above all;
// the others are kept once in a table beside the records.
type packed uint32

const (
	oddValue     = 14
	missingValue = 15
	maxDecimals  = 6
	maxMantissa  = 1<<27 - 1
)

const noValue packed = missingValue

var powers = [maxDecimals + 1]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6}

// toMillions turns m / 10^k into millionths: m times toMillions[k].
var toMillions = [16]int64{1_000_000, 100_000, 10_000, 1_000, 100, 10, 1}

func decimal(m int64, k int) packed { return packed(uint32(m)<<4 | uint32(k)) }

// pack packs a value that is a decimal of up to six digits after the point and
// nine in all. hint is the number of digits to try first.
func pack(v float64, hint int) (p packed, k int, ok bool) {
	x := v * powers[hint]
	if !(math.Abs(x) <= maxMantissa) {
		return packLarge(v)
	}
	m := int64(math.RoundToEven(x))
	if float64(m)/powers[hint] != v {
		if hint == maxDecimals {
			return 0, hint, false
		}
		return pack(v, hint+1)
	}
	for k = hint; k > 0 && m%10 == 0; k-- { // one form for each value
		m /= 10
	}
	return decimal(m, k), hint, true
}

// packLarge packs a value that has too many digits before the point for the
// digits after it that were tried.
func packLarge(v float64) (packed, int, bool) {
	for k := range powers {
		x := v * powers[k]
		if !(math.Abs(x) <= maxMantissa) {
			break
		}
		if m := int64(math.RoundToEven(x)); float64(m)/powers[k] == v {
			return decimal(m, k), k, true
		}
	}
	return 0, 0, false
}

// number returns the value; odd is the source's table.
func (p packed) number(odd []float64) float64 {
	k := p & 15
	m := int32(p) >> 4
	switch {
	case k <= maxDecimals:
		return float64(m) / powers[k]
	case k == oddValue:
		return odd[m]
	}
	return math.NaN()
}
