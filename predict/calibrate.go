// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"sort"

	"github.com/holdfast-churn/holdfast/features"
)

// Values of Calibration.Method whose maps are stated as knots.
const (
	Isotonic = "isotonic" // rises in steps
	Bends    = "bends"    // a slope that bends
)

// Apply stores the calibrated log-odds of z in dst, without the shifts of
// segments, and returns it:
//
//	dst_i = Intercept + Slope g(z_i)
//
// g is the identity, or, for isotonic and bends, logit of the probability that lies
// on the straight line between the knots on either side of z, and outside them is
// that of the nearest. Slope is positive, so that no two accounts change
// places. dst may be z. If dst is nil, a new slice is made; it panics if the
// lengths differ.
func (c *Calibration) Apply(dst, z []float64) []float64 {
	dst = sized(dst, len(z))
	for i, zi := range z {
		dst[i] = c.LogOdds(zi)
	}
	return dst
}

// LogOdds returns the calibrated log-odds of one raw log-odds z, without the
// shift of a segment.
func (c *Calibration) LogOdds(z float64) float64 {
	if len(c.Knots) > 0 {
		z = LogOddsOf(Interpolate(c.Knots, z))
	}
	return c.Intercept + float64(c.Slope*z)
}

// Additive reports whether contributions to the raw log-odds stay
// contributions, times Slope, to the calibrated ones. Where they do not, with
// isotonic or bends, contributions and reasons are stated before calibration.
func (c *Calibration) Additive() bool { return len(c.Knots) == 0 }

// ReasonSlope is what a contribution to the raw log-odds is multiplied by to
// become a reason: Slope, or 1 where reasons are stated before calibration.
func (c *Calibration) ReasonSlope() float64 {
	if c.Additive() {
		return c.Slope
	}
	return 1
}

// Reference returns z_ref, the log-odds that reasons are measured against, from
// the mean raw log-odds of the training rows: its calibrated value plus the mean
// shift of their segments, or z itself where reasons are stated before
// calibration.
func (c *Calibration) Reference(z float64) float64 {
	switch {
	case !c.Additive():
		return z
	case c.Segments != nil:
		return c.LogOdds(z) + c.Segments.Mean
	}
	return c.LogOdds(z)
}

// Variance returns the variance that the fitted map adds to the calibrated
// log-odds of a raw z,
//
//	Var(a) + 2 z Cov(a, s) + z² Var(s)
//
// It is 0 where nothing was fitted; a map of knots states none.
func (c *Calibration) Variance(z float64) float64 {
	if len(c.Covariance) != 3 {
		return 0
	}
	return c.Covariance[0] + float64(2*z*c.Covariance[1]) + float64(z*z*c.Covariance[2])
}

// Interpolate returns the probability at z on the straight lines between the
// knots, which rise in Z; outside them, that of the first or last.
func Interpolate(knots []Knot, z float64) float64 {
	k := sort.Search(len(knots), func(i int) bool { return knots[i].Z >= z })
	switch {
	case k == len(knots):
		return knots[k-1].P
	case k == 0 || knots[k].Z == z:
		return knots[k].P
	}
	a, b := knots[k-1], knots[k]
	t := (z - a.Z) / (b.Z - a.Z)
	// Rounding must not leave the interval, or the map would fall at a knot.
	return min(max(a.P+float64(t*(b.P-a.P)), a.P), b.P)
}

// LogOddsOf returns ln(p/(1−p)), the inverse of Sigmoid. It is −Inf at 0 and +Inf
// at 1.
func LogOddsOf(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

// Of returns the shift of a level, 0 for one that has none.
func (s *Segments) Of(level string) float64 {
	k := sort.Search(len(s.Shifts), func(i int) bool { return s.Shifts[i].Level >= level })
	if k < len(s.Shifts) && s.Shifts[k].Level == level {
		return s.Shifts[k].Intercept
	}
	return 0
}

// each calls add with the shift of every one of the rows that begin at from,
// numbered from 0. The column is the one named by Feature; a missing value has
// no shift.
func (s *Segments) each(column *features.Column, from, rows int, add func(i int, shift float64)) {
	byCode := make([]float64, len(column.Levels))
	for code, level := range column.Levels {
		byCode[code] = s.Of(level)
	}
	for i, code := range column.Codes[from : from+rows] {
		if code >= 0 && byCode[code] != 0 {
			add(i, byCode[code])
		}
	}
}

// Calibrate turns the raw log-odds of every row of a frame, in z, into the
// calibrated ones, the shifts of segments included.
func (m *Model) Calibrate(z []float64, f *features.Frame) { m.calibrate(z, f, 0) }

// calibrate is Calibrate of the rows that begin at from.
func (m *Model) calibrate(z []float64, f *features.Frame, from int) {
	m.Calibration.Apply(z, z)
	if s := m.Calibration.Segments; s != nil {
		s.each(f.Column(s.Feature), from, len(z), func(i int, shift float64) { z[i] += shift })
	}
}

// calibration checks that a map can be applied and does not fall.
func (v *validator) calibration(c *Calibration, of func(feature string) features.ValueKind) {
	switch c.Method {
	case "none", "intercept", "platt", Isotonic, Bends:
	default:
		v.check(false, "calibration method %q; expected none, intercept, platt, isotonic or bends", c.Method)
	}
	v.finite("calibration", c.Intercept, c.Slope)
	v.check(c.Slope > 0, "calibration slope %v; the map must increase", c.Slope)
	v.check((c.Method == Isotonic || c.Method == Bends) == (len(c.Knots) > 0), "calibration method %q with %d knots", c.Method, len(c.Knots))
	for i, k := range c.Knots {
		v.finite("calibration knot", k.Z)
		v.check(k.P > 0 && k.P < 1, "calibration knot %d: probability %v; expected between 0 and 1", i, k.P)
		v.check(i == 0 || c.Knots[i-1].Z < k.Z && c.Knots[i-1].P <= k.P, "calibration knot %d does not rise", i)
	}
	v.check(len(c.Covariance) == 0 || len(c.Covariance) == 3, "calibration covariance of %d numbers; expected 3", len(c.Covariance))
	v.finite("calibration covariance", c.Covariance...)
	if s := c.Segments; s != nil {
		v.check(of(s.Feature) == features.LevelKind, "calibration by segment: %q is no level term of the model", s.Feature)
		v.finite("calibration by segment", s.SD, s.Mean)
		for i, shift := range s.Shifts {
			v.finite("calibration by segment", shift.Intercept)
			v.check(i == 0 || s.Shifts[i-1].Level < shift.Level, "calibration by segment: level %q is out of order", shift.Level)
		}
	}
}
