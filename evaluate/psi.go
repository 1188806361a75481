// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/holdfast-churn/holdfast/features"
)

// A Shift is how far the distribution of one figure has moved between two sets
// of rows: the reference, such as those a model was trained on, and today's.
type Shift struct {
	Name string `json:"name"`
	// PSI is the population stability index Σ_k (q_k - r_k) ln(q_k / r_k) over the
	// bins of the reference.
	PSI Number `json:"psi"`
	// Chance is what PSI stays below in 95 % of cases if nothing has moved. It
	// falls with the number of rows: the usual bounds .1 and .25 know nothing of it.
	Chance Number `json:"chance_95"`
	// Moved is the effect size: the least share of rows that must have changed
	// their bin, ½ Σ |q_k - r_k|.
	Moved   Number     `json:"moved"`
	Missing [2]Number  `json:"missing"` // share of rows without a value, before and now
	Median  [2]Number  `json:"median"`  // of numbers, before and now
	Size    ShiftSize  `json:"size"`
	Bins    []ShiftBin `json:"bins,omitempty"`
}

// A ShiftBin is one bin with the weighted share of rows in it.
type ShiftBin struct {
	Name   string `json:"name"`
	Before Number `json:"before"`
	Now    Number `json:"now"`
}

// A ShiftSize says in words how large a shift is.
type ShiftSize string

// The sizes. Below its chance band a PSI says nothing; above it, .1 and .25 are
// the usual bounds of credit scoring (Siddiqi 2006).
const (
	ShiftChance   ShiftSize = "within chance"
	ShiftSmall    ShiftSize = "small"
	ShiftModerate ShiftSize = "moderate"
	ShiftLarge    ShiftSize = "large"
)

// The bins of a Shift: deciles of a number, the commonest levels.
const (
	shiftBins   = 10
	shiftLevels = 20
)

// newShift compares weights by bin. Counts get half a row each, so that an empty
// bin has a logarithm; with k bins, and n and m renewals before and now, PSI of
// one and the same distribution is about χ²_{k-1} (1/n + 1/m).
//
// Source: Yurdakul and Naranjo, Statistical properties of the population
// stability index, Journal of Risk Model Validation 14 (2020).
func newShift(name string, names []string, before, now []float64) Shift {
	nan := Number(math.NaN())
	s := Shift{Name: name, PSI: nan, Chance: nan, Moved: nan, Missing: [2]Number{nan, nan}, Median: [2]Number{nan, nan},
		Size: ShiftChance, Bins: []ShiftBin{}}
	n, m, k := sum(before), sum(now), float64(len(names))
	if n == 0 || m == 0 || k < 2 {
		return s
	}
	var psi, moved float64
	for i := range names {
		r, q := (before[i]+0.5)/(n+k/2), (now[i]+0.5)/(m+k/2)
		psi += float64((q - r) * math.Log(q/r))
		moved += math.Abs(now[i]/m-before[i]/n) / 2
		s.Bins = append(s.Bins, ShiftBin{names[i], Number(before[i] / n), Number(now[i] / m)})
	}
	s.PSI, s.Moved = Number(psi), Number(moved)
	s.Chance = Number(distuv.ChiSquared{K: k - 1}.Quantile(bandLevel) * (1/n + 1/m))
	switch {
	case s.PSI <= s.Chance:
	case s.PSI < 0.1:
		s.Size = ShiftSmall
	case s.PSI < 0.25:
		s.Size = ShiftModerate
	default:
		s.Size = ShiftLarge
	}
	return s
}

// numberShift compares numbers, missing ones in a bin of their own, in the
// deciles of the reference.
func numberShift(name string, before, wBefore, now, wNow []float64) Shift {
	var known []float64
	for _, v := range before {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	slices.Sort(known)
	var cuts []float64
	for k := 1; k < shiftBins && len(known) > 0; k++ {
		if cut := known[k*len(known)/shiftBins]; cut > known[0] {
			cuts = append(cuts, cut)
		}
	}
	cuts = slices.Compact(cuts)
	names := []string{"missing"}
	for k := range len(cuts) + 1 {
		switch {
		case len(cuts) == 0:
			names = append(names, "any")
		case k == 0:
			names = append(names, "below "+short(cuts[0]))
		case k == len(cuts):
			names = append(names, "from "+short(cuts[k-1]))
		default:
			names = append(names, short(cuts[k-1])+" to "+short(cuts[k]))
		}
	}
	fill := func(x, w []float64) []float64 {
		bins := make([]float64, len(names))
		for i, v := range x {
			k := 0
			if !math.IsNaN(v) {
				at, found := slices.BinarySearch(cuts, v)
				if found {
					at++
				}
				k = at + 1
			}
			bins[k] += w[i]
		}
		return bins
	}
	a, b := fill(before, wBefore), fill(now, wNow)
	missing := [2]Number{Number(a[0] / sum(a)), Number(b[0] / sum(b))}
	if a[0] == 0 && b[0] == 0 {
		names, a, b = names[1:], a[1:], b[1:]
	}
	s := newShift(name, names, a, b)
	s.Missing, s.Median = missing, [2]Number{medianOf(before), medianOf(now)}
	return s
}

func short(v float64) string { return Number(v).format("%.4g", v) }

func medianOf(x []float64) Number {
	x = slices.DeleteFunc(slices.Clone(x), math.IsNaN)
	if len(x) < 2 {
		return Number(math.NaN())
	}
	slices.Sort(x)
	return Number(quantile(x, 0.5))
}

// levelShift compares levels: the commonest of both sets, the others together.
func levelShift(name string, before *features.Column, wBefore []float64, now *features.Column, wNow []float64) Shift {
	weigh := func(c *features.Column, w []float64) map[string]float64 {
		by := map[string]float64{}
		for i, code := range c.Codes {
			if code < 0 {
				by[""] += w[i]
			} else {
				by[c.Levels[code]] += w[i]
			}
		}
		return by
	}
	a, b := weigh(before, wBefore), weigh(now, wNow)
	var names []string
	for level := range a {
		names = append(names, level)
	}
	for level := range b {
		if _, ok := a[level]; !ok {
			names = append(names, level)
		}
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Or(cmp.Compare(a[y]+b[y], a[x]+b[x]), cmp.Compare(x, y)) })
	var shown []string
	var before2, now2 []float64
	for k, level := range names {
		if k < shiftLevels {
			text := level
			if level == "" {
				text = "missing"
			}
			shown, before2, now2 = append(shown, text), append(before2, a[level]), append(now2, b[level])
			continue
		}
		if k == shiftLevels {
			shown, before2, now2 = append(shown, "others"), append(before2, 0), append(now2, 0)
		}
		before2[shiftLevels] += a[level]
		now2[shiftLevels] += b[level]
	}
	s := newShift(name, shown, before2, now2)
	s.Missing = [2]Number{Number(a[""] / max(sum(before2), 1)), Number(b[""] / max(sum(now2), 1))}
	return s
}

// FeatureShifts compares the columns of two frames of one spec, the largest
// shift above its chance band first.
func FeatureShifts(before, now *features.Frame) []Shift {
	wBefore, wNow := rowWeights(before), rowWeights(now)
	shifts := []Shift{}
	for k := range before.Columns {
		c := &before.Columns[k]
		d := now.Column(c.Feature.Name)
		if d == nil || d.IsLevel() != c.IsLevel() {
			continue
		}
		if c.IsLevel() {
			shifts = append(shifts, levelShift(c.Feature.Name, c, wBefore, d, wNow))
		} else {
			shifts = append(shifts, numberShift(c.Feature.Name, c.Num, wBefore, d.Num, wNow))
		}
	}
	excess := func(s *Shift) float64 {
		if !s.PSI.Defined() {
			return math.Inf(-1)
		}
		return float64(s.PSI - s.Chance)
	}
	slices.SortStableFunc(shifts, func(a, b Shift) int { return cmp.Compare(excess(&b), excess(&a)) })
	return shifts
}

func rowWeights(f *features.Frame) []float64 {
	w := make([]float64, len(f.Rows))
	for i := range w {
		w[i] = f.Rows[i].Weight
	}
	return w
}
