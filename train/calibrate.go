// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// Thresholds of METHODS.md section 4, counted in churned renewals.
const (
	plattEvents    = 50   // churned (and renewed) in the slice from which the slope is fitted
	isotonicEvents = 1000 // and from which a step-like map is tried

	// priorSD is the standard deviation of the normal priors on the shift
	// (intercept only) and on the slope around 1 (Platt).
	priorSD = 0.3
)

// calibrate fits the map from raw to calibrated log-odds on predictions for
// unseen rows. Forward-chained ones are taken where there is time and enough
// of it, since they meet the drift that publishing will meet; else those of
// cross-validation, if any. Segments get shifts of their own.
func calibrate(
	ctx context.Context, s *sample, fit *fitter, cv *crossValidation, o *Options,
) (predict.Calibration, error) {
	identity := predict.Calibration{Method: CalibrationNone, Slope: 1, Reason: "not asked for"}
	if o.Calibration == CalibrationNone {
		return identity, nil
	}
	var slice *calibrationSlice
	why := "no snapshot times"
	if o.Time {
		var err error
		if slice, why, err = forwardChained(ctx, s, fit); err != nil {
			return identity, err
		}
	}
	if slice == nil && cv != nil {
		slice = outOfFold(s, cv, why)
		slice.bends = !o.Time
	}
	if slice == nil {
		identity.Reason = why + ", and no cross-validation: nothing to calibrate on"
		return identity, nil
	}
	m := slice.fit(o.Calibration)
	if segment := segmentFeature(&fit.spec, s); segment != "" {
		slice.shiftSegments(&m, segment, s.frame)
	}
	return m, nil
}

// fit chooses the map by the number of events, unless a method is asked for,
// and fits it.
func (c *calibrationSlice) fit(method string) predict.Calibration {
	churned, renewed := c.events()
	m := predict.Calibration{Slope: 1, Slice: c.name, Rows: len(c.z), Events: int(math.Round(churned))}
	fewest := min(churned, renewed)
	m.Reason = fmt.Sprintf("%.0f churned and %.0f renewed in %s: ", churned, renewed, c.words)
	switch {
	case (method == CalibrationPlatt || method == CalibrationIsotonic) && fewest == 0:
		method = CalibrationIntercept
		m.Reason += "one outcome only, so a shift, shrunk to 0"
	case method != CalibrationAuto:
		m.Reason += method + " was asked for"
	case fewest < plattEvents:
		method = CalibrationIntercept
		m.Reason += fmt.Sprintf("fewer than %d, so a shift only, shrunk to 0", plattEvents)
	case c.bends && fewest >= bendEvents && c.fitBends(&m):
		return m
	case fewest < isotonicEvents:
		method = CalibrationPlatt
		m.Reason += "enough for a slope, shrunk to 1"
	default:
		var better bool
		if method, better = CalibrationPlatt, c.isotonicBetter(&m.Reason); better {
			method = CalibrationIsotonic
		}
	}
	if method == CalibrationIsotonic {
		m.Method, m.Knots = method, publishedIsotonic(c.z, c.y, c.w)
		return m
	}
	if method == CalibrationPlatt && c.fitSlope(&m) {
		return m
	}
	c.fitShift(&m)
	return m
}

// events returns how many churned and renewed renewals the slice holds.
func (c *calibrationSlice) events() (churned, renewed float64) {
	for i, y := range c.y {
		churned += float64(c.w[i] * y)
		renewed += float64(c.w[i] * (1 - y))
	}
	return churned, renewed
}

// fitSlope fits Platt's map, and reports whether it rises. A falling one would
// turn the ranking round: the model found nothing that lasts.
func (c *calibrationSlice) fitSlope(m *predict.Calibration) bool {
	prior := mapPrior{slope: 1 / (priorSD * priorSD)}
	a, slope, err := fitMap(c.z, c.y, c.w, prior)
	if err != nil || !(slope > 0) {
		m.Reason += fmt.Sprintf("; the slope came out as %.3g, so a shift only", slope)
		return false
	}
	m.Method, m.Intercept, m.Slope = CalibrationPlatt, a, slope
	m.Covariance = mapCovariance(c.z, c.y, c.w, a, slope, prior)
	return true
}

// fitShift fits a shift, or leaves the predictions as they are where even that
// has no optimum.
func (c *calibrationSlice) fitShift(m *predict.Calibration) {
	prior := mapPrior{intercept: 1 / (priorSD * priorSD), slope: math.Inf(1)}
	a, _, err := fitMap(c.z, c.y, c.w, prior)
	if err != nil {
		m.Method = CalibrationNone
		m.Reason += "; " + err.Error()
		return
	}
	m.Method, m.Intercept = CalibrationIntercept, a
	m.Covariance = mapCovariance(c.z, c.y, c.w, a, 1, prior)
}

// A mapPrior holds the precisions (1/variance) of the normal priors on a
// calibration map: of its intercept around 0 and its slope around 1. Zero is
// no prior; an infinite one on the slope fixes it.
type mapPrior struct{ intercept, slope float64 }

// errMap says that a calibration map could not be fitted.
var errMap = errors.New("the calibration fit did not converge")

// fitMap returns the maximum a posteriori map a + s z of log-odds z with
// outcomes y and weights w: the minimum of
//
//	Σ_i w_i [softplus(a + s z_i) − y_i (a + s z_i)] + α/2 a² + β/2 (s − 1)²
//
// with α, β the precisions of the prior, by Newton's method with step halving.
//
// Source: Platt (1999); the logistic recalibration of Cox (1958) with a prior.
func fitMap(z, y, w []float64, prior mapPrior) (a, s float64, err error) {
	free := !math.IsInf(prior.slope, 1)
	a, s = 0, 1
	f, g := mapLoss(z, y, w, a, s, prior)
	for range 100 {
		da, ds := g.da/g.daa, 0.0
		if free {
			det := float64(g.daa*g.dss) - float64(g.das*g.das)
			da = (float64(g.da*g.dss) - float64(g.ds*g.das)) / det
			ds = (float64(g.ds*g.daa) - float64(g.da*g.das)) / det
		}
		decrement := float64(g.da*da) + float64(g.ds*ds)
		if !(decrement >= 0) { // NaN, or a matrix that rounding made indefinite
			return a, s, errMap
		}
		if decrement <= 1e-13*(1+math.Abs(f)) {
			return a - da, s - ds, nil
		}
		t := 1.0
		ft, gt := mapLoss(z, y, w, a-da, s-ds, prior)
		for ; !(ft <= f) && t > 1e-10; t /= 2 {
			ft, gt = mapLoss(z, y, w, a-t/2*da, s-t/2*ds, prior)
		}
		if !(ft <= f) {
			return a, s, errMap
		}
		a, s, f, g = a-t*da, s-t*ds, ft, gt
	}
	return a, s, errMap
}

// mapSlopes are the first and second derivatives of a map's loss.
type mapSlopes struct{ da, ds, daa, das, dss float64 }

// mapLoss returns the loss that fitMap minimises, and its derivatives. With an
// infinite precision the slope is 1 and its derivatives are 0.
func mapLoss(z, y, w []float64, a, s float64, prior mapPrior) (float64, mapSlopes) {
	f := float64(prior.intercept / 2 * a * a)
	g := mapSlopes{da: float64(prior.intercept * a), daa: prior.intercept}
	free := !math.IsInf(prior.slope, 1)
	for i, zi := range z {
		zc := a + float64(s*zi)
		p, soft := predict.SigmoidSoftplus(zc)
		f += float64(w[i] * (soft - float64(y[i]*zc)))
		e, q := float64(w[i]*(p-y[i])), float64(w[i]*p*(1-p))
		g.da += e
		g.daa += q
		if free {
			g.ds += float64(e * zi)
			g.das += float64(q * zi)
			g.dss += float64(q * zi * zi)
		}
	}
	if free {
		f += float64(prior.slope / 2 * (s - 1) * (s - 1))
		g.ds += float64(prior.slope * (s - 1))
		g.dss += prior.slope
	}
	return f, g
}

// mapCovariance returns the variance of the intercept, its covariance with the
// slope and the variance of the slope of a fitted map: the inverse of the
// second derivatives of its loss. Those of a fixed slope are 0.
func mapCovariance(z, y, w []float64, a, s float64, prior mapPrior) []float64 {
	_, g := mapLoss(z, y, w, a, s, prior)
	if math.IsInf(prior.slope, 1) {
		return []float64{1 / g.daa, 0, 0}
	}
	det := float64(g.daa*g.dss) - float64(g.das*g.das)
	return []float64{g.dss / det, -g.das / det, g.daa / det}
}
