// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// segmentEvents is the number of churned (and renewed) renewals in the
// calibration slice from which a segment gets a shift, METHODS.md section 4.
const segmentEvents = 30

// segmentFeature returns the feature that holds the segment, where a model of
// the sample has a term for it, or "". Without a term no reason could name the
// shift.
func segmentFeature(spec *features.Spec, s *sample) string {
	for i := range spec.Features {
		f := &spec.Features[i]
		if f.Agg != features.SegmentFact || f.Kind != features.LevelKind {
			continue
		}
		if _, dropped := levelTerm(s.frame.Column(f.Name), s.weights(), s.total); dropped == "" {
			return f.Name
		}
	}
	return ""
}

// A segmentSlice is the part of a calibration slice that lies in one segment.
type segmentSlice struct {
	calibrationSlice
	level    string
	shift    float64 // maximum likelihood, with the map's log-odds as offset
	variance float64
}

// shiftSegments adds partially pooled shifts d_g of the segments to a fitted
// map, for segments with enough events:
//
//	d_g ~ N(0, τ²),   d_g = argmax of the segment's log likelihood − d²/(2 τ²)
//
// with the map's log-odds as offset. The variance between segments is estimated
// from the unshrunk shifts D_g of variance V_g, by the method of moments:
//
//	τ² = max(0, Σ_g (D_g² − V_g)/V_g / Σ_g 1/V_g),   V_g = 1/Σ_i w_i p_i (1 − p_i)
//
// Where τ² is 0 the segments differ by no more than chance, and none is shifted;
// nor where shifts do not help on parts of the slice they were not learned from.
//
// Source: empirical Bayes; DerSimonian and Laird (1986), around a known mean.
func (c *calibrationSlice) shiftSegments(m *predict.Calibration, feature string, f *features.Frame) {
	if m.Method == CalibrationNone {
		return
	}
	column := f.Column(feature)
	segments := c.bySegment(m, column)
	if len(segments) == 0 {
		return
	}
	gains, rows := c.segmentGains(m, column)
	if mean, se := c.meanBy(gains, rows); !(mean > 2*se) || !c.everyPart(gains, rows) {
		m.Reason += fmt.Sprintf("; segments are not shifted: on rows unseen that would take %.5f off the log loss (standard error %.5f)", mean, se)
		return
	}
	shifts, tau2 := shrunkShifts(segments)
	if shifts == nil {
		m.Reason += fmt.Sprintf("; %d segments of %d churned or more differ by no more than chance: none is shifted",
			len(segments), segmentEvents)
		return
	}
	out := &predict.Segments{Feature: feature, SD: math.Sqrt(tau2), Shifts: shifts}
	total := 0.0
	for i, code := range column.Codes {
		total += f.Rows[i].Weight
		if code >= 0 {
			out.Mean += float64(f.Rows[i].Weight * out.Of(column.Levels[code]))
		}
	}
	out.Mean /= total
	m.Segments = out
	m.Reason += fmt.Sprintf("; %d segments of %d churned or more shifted, shrunk to 0 (sd between segments %.2f)",
		len(out.Shifts), segmentEvents, out.SD)
}

// segmentGains returns what shifts learned from the other parts of the slice,
// from the parts before where they follow each other, take off the log loss of
// the rows of a part, and these rows. Segments whose fortunes change from one
// block to the next are better left alone: on one history of courses, shifts
// raised the log loss out of time from .125 to .129.
func (c *calibrationSlice) segmentGains(m *predict.Calibration, column *features.Column) (d []float64, rows []int) {
	for _, part := range c.parts() {
		past, test := c.without(part)
		shifts, _ := shrunkShifts(past.bySegment(m, column))
		if shifts == nil {
			continue
		}
		of := predict.Segments{Shifts: shifts}
		for _, i := range test {
			shift := 0.0
			if code := column.Codes[c.rows[i]]; code >= 0 {
				shift = of.Of(column.Levels[code])
			}
			z := m.LogOdds(c.z[i])
			d = append(d, predict.Softplus(z)-predict.Softplus(z+shift)+float64(c.y[i]*shift))
			rows = append(rows, i)
		}
	}
	return d, rows
}

// everyPart reports whether the mean of d is above 0 in each part, and there are
// two or more, or four where they follow each other in time.
func (c *calibrationSlice) everyPart(d []float64, rows []int) bool {
	sums := make(map[int]float64)
	for k, i := range rows {
		sums[c.part[i]] += float64(c.w[i] * d[k])
	}
	for _, sum := range sums {
		if sum <= 0 {
			return false
		}
	}
	least := 2
	if c.forward {
		least = 4
	}
	return len(sums) >= least
}

// shrunkShifts returns the partially pooled shifts and the variance τ² between
// them; nil where that is 0.
func shrunkShifts(segments []segmentSlice) (shifts []predict.Shift, tau2 float64) {
	if len(segments) == 0 {
		return nil, 0
	}
	above, precision := 0.0, 0.0
	for i := range segments {
		s := &segments[i]
		above += (float64(s.shift*s.shift) - s.variance) / s.variance
		precision += 1 / s.variance
	}
	tau2 = above / precision
	if !(tau2 > 0) {
		return nil, 0
	}
	for i := range segments {
		s := &segments[i]
		d, _, err := fitMap(s.z, s.y, s.w, mapPrior{intercept: 1 / tau2, slope: math.Inf(1)})
		if err != nil {
			continue
		}
		churned, _ := s.events()
		shifts = append(shifts, predict.Shift{Level: s.level, Intercept: d, Events: int(math.Round(churned))})
	}
	return shifts, tau2
}

// bySegment returns the segments with enough events in order of level, each
// with its unshrunk shift. Their z are calibrated.
func (c *calibrationSlice) bySegment(m *predict.Calibration, column *features.Column) []segmentSlice {
	first := make(map[string]int) // two codes may share a name
	for code, level := range column.Levels {
		if _, ok := first[level]; !ok {
			first[level] = code
		}
	}
	bySegment := make([]segmentSlice, len(column.Levels))
	for k, i := range c.rows {
		if code := column.Codes[i]; code >= 0 {
			s := &bySegment[first[column.Levels[code]]]
			s.z, s.y, s.w = append(s.z, m.LogOdds(c.z[k])), append(s.y, c.y[k]), append(s.w, c.w[k])
		}
	}
	var enough []segmentSlice
	for code := range bySegment {
		s := &bySegment[code]
		s.level = column.Levels[code]
		if churned, renewed := s.events(); min(churned, renewed) < segmentEvents {
			continue
		}
		free := mapPrior{slope: math.Inf(1)}
		var err error
		if s.shift, _, err = fitMap(s.z, s.y, s.w, free); err != nil {
			continue
		}
		s.variance = mapCovariance(s.z, s.y, s.w, s.shift, 1, free)[0]
		enough = append(enough, *s)
	}
	slices.SortFunc(enough, func(a, b segmentSlice) int {
		if a.level < b.level {
			return -1
		}
		return 1
	})
	return enough
}
