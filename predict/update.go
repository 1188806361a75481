// SPDX-License-Identifier: Apache-2.0

package predict

import "slices"

// The outcomes of a closed test between retrainings, values of Update.Kind.
const (
	UpdateKeep      = "keep"      // the model stays as it is
	UpdateIntercept = "intercept" // its log-odds are shifted
	UpdateSlope     = "slope"     // shifted and stretched
	UpdateRefit     = "refit"     // trained anew
)

// An Update says how a version came from the one before it. A version whose
// Kind is intercept or slope is a minor one: the same weights under another
// calibration map.
type Update struct {
	Kind     string `json:"kind"`     // keep, intercept, slope or refit
	Of       string `json:"of"`       // id of the model that was tested
	Since    string `json:"since"`    // its as-of date: the test saw what matured after it
	Renewals int    `json:"renewals"` // that matured since
	Churned  int    `json:"churned"`
	// Intercept and Slope are the change of the calibrated log-odds,
	// Intercept + Slope z; 0 and 1 where Kind is keep or refit.
	Intercept float64      `json:"intercept"`
	Slope     float64      `json:"slope"`
	Tests     []UpdateTest `json:"tests"`
	Reason    string       `json:"reason"`
}

// An UpdateTest compares a full revision of the model with a simpler one.
type UpdateTest struct {
	Against   string  `json:"against"`   // keep, intercept or slope
	Statistic float64 `json:"statistic"` // likelihood ratio, scaled; chi-squared with Freedom degrees where nothing more changed
	Freedom   int     `json:"freedom"`
	P         float64 `json:"p"`
}

// Recalibrated returns a copy of the model whose calibrated log-odds are
// a + s z of the model's own, shifts of segments included:
//
//	Intercept' = a + s Intercept,  Slope' = s Slope,  d' = s d
//
// s is positive. covariance holds Var(a), Cov(a, s) and Var(s). The mean of the
// reasons moves along; where they are stated before calibration it stays.
func (m *Model) Recalibrated(a, s float64, covariance []float64) *Model {
	n := *m
	c := &n.Calibration
	if len(c.Covariance) == 3 && len(covariance) == 3 {
		// The variance of a + s (Intercept + Slope z) as a polynomial in z, the
		// two maps having been fitted to different outcomes.
		i, k := c.Intercept, c.Slope
		c.Covariance = []float64{
			covariance[0] + float64(2*i*covariance[1]) + float64(i*i*covariance[2]) + float64(s*s*c.Covariance[0]),
			float64(k*covariance[1]) + float64(i*k*covariance[2]) + float64(s*s*c.Covariance[1]),
			float64(k*k*covariance[2]) + float64(s*s*c.Covariance[2]),
		}
	} else if c.Additive() && len(covariance) == 3 { // nothing was fitted before: Intercept 0 and Slope 1
		c.Covariance = slices.Clone(covariance)
	}
	c.Intercept, c.Slope = a+float64(s*c.Intercept), float64(s*c.Slope)
	if old := c.Segments; old != nil {
		c.Segments = &Segments{Feature: old.Feature, SD: float64(s * old.SD), Mean: float64(s * old.Mean), Shifts: slices.Clone(old.Shifts)}
		for k := range c.Segments.Shifts {
			c.Segments.Shifts[k].Intercept *= s
		}
	}
	if c.Additive() {
		n.Score.ZRef = a + float64(s*n.Score.ZRef)
	}
	if c.Method == "none" {
		c.Method = "platt"
		if s == 1 {
			c.Method = "intercept"
		}
	}
	return &n
}
