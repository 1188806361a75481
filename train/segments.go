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
		w := make([]float64, len(s.frame.Rows))
		for k := range w {
			w[k] = s.frame.Rows[k].Weight
		}
		if _, dropped := levelTerm(s.frame.Column(f.Name), w, s.total); dropped == "" {
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
// Where τ² is 0 the segments differ by no more than chance, and none is shifted.
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
	above, precision := 0.0, 0.0
	for i := range segments {
		s := &segments[i]
		above += (float64(s.shift*s.shift) - s.variance) / s.variance
		precision += 1 / s.variance
	}
	tau2 := above / precision
	if !(tau2 > 0) {
		m.Reason += fmt.Sprintf("; %d segments of %d churned or more differ by no more than chance: none is shifted",
			len(segments), segmentEvents)
		return
	}
	out := &predict.Segments{Feature: feature, SD: math.Sqrt(tau2)}
	for i := range segments {
		s := &segments[i]
		d, _, err := fitMap(s.z, s.y, s.w, mapPrior{intercept: 1 / tau2, slope: math.Inf(1)})
		if err != nil {
			continue
		}
		churned, _ := s.events()
		out.Shifts = append(out.Shifts, predict.Shift{Level: s.level, Intercept: d, Events: int(math.Round(churned))})
	}
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
