// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// Recalibration returns intercept a and slope b of the logistic regression of
// the outcome on the log-odds of the prediction:
//
//	logit P(y = 1) = a + b zᵢ,  zᵢ = ln(pᵢ / (1 - pᵢ)),  pᵢ clipped to [1e-15, 1 - 1e-15]
//
// fitted by weighted maximum likelihood. Perfect predictions have a = 0 and
// b = 1; b < 1 means that they are too extreme, b > 1 that they are too timid.
// p, y and w are as Measure describes.
//
// Both results are NaN where the maximum does not exist or is not unique: no
// rows, one class only, one value of z only, or outcomes that a threshold on p
// separates (equality included). So they are with a NaN among p or w.
//
// Source: Cox, Biometrika 45 (1958); Van Calster et al., BMC Medicine 17
// (2019).
func Recalibration(p, y, w []float64) (a, b float64) {
	if !defined(p, y, w) {
		return math.NaN(), math.NaN()
	}
	z := logOdds(p)
	if separated(z, y) {
		return math.NaN(), math.NaN()
	}
	return fitLine(z, y, w)
}

// InTheLarge returns the intercept a of the recalibration whose slope is fixed
// at 1, the root of
//
//	Σᵢ wᵢ (yᵢ - σ(a + zᵢ)) = 0,  zᵢ = ln(pᵢ / (1 - pᵢ)),  pᵢ clipped to [1e-15, 1 - 1e-15]
//
// Above 0 more churned than was predicted. p, y and w are as Measure
// describes. The result is NaN without rows, with one class only, or with a
// NaN among p or w.
//
// Source: Van Calster et al., BMC Medicine 17 (2019).
func InTheLarge(p, y, w []float64) float64 {
	if !defined(p, y, w) || oneClass(y) {
		return math.NaN()
	}
	z := logOdds(p)
	// The root lies in this bracket; a Newton step that leaves it is replaced by
	// the middle, because far from the root the curvature is next to nothing.
	low, high := -2*maxLogOdds, 2*maxLogOdds
	a := 0.0
	for range maxSteps {
		gradient, curvature := largeStep(a, z, y, w)
		step := gradient / curvature
		if math.Abs(step) <= stepTol*(1+math.Abs(a)) {
			return a + step
		}
		if gradient > 0 {
			low = a
		} else {
			high = a
		}
		if a += step; !(a > low && a < high) {
			a = low + (high-low)/2
		}
	}
	return a
}

// OE returns the ratio of observed to expected churn, Σᵢ wᵢ yᵢ / Σᵢ wᵢ pᵢ.
// Above 1 more churned than was predicted. p, y and w are as Measure
// describes. The result is NaN without rows, where nothing was expected
// (every p is 0), or with a NaN among p or w.
func OE(p, y, w []float64) float64 {
	if !defined(p, y, w) {
		return math.NaN()
	}
	var observed, expected float64
	for i := range p {
		wi := weight(w, i)
		observed += float64(wi * y[i])
		expected += float64(wi * p[i])
	}
	if expected == 0 {
		return math.NaN()
	}
	return observed / expected
}

const (
	maxLogOdds = 34.6 // no clipped p has larger log-odds: ln(1e15) = 34.54
	maxSteps   = 200  // Newton needs about 8; bisection of the whole bracket to a double needs 60
	// stepTol ends Newton: it converges quadratically, so that a last step of
	// 1e-9 leaves an error of about 1e-18.
	stepTol = 1e-9
	// sureStep, in standard deviations of z, is so short a step that Newton cannot
	// go astray from there: the likelihood is not looked at any more.
	sureStep = 0.01
)

// logOdds returns ln(p / (1 - p)) of the clipped probabilities.
func logOdds(p []float64) []float64 {
	z := make([]float64, len(p))
	for i := range p {
		z[i] = logOddsOf(p[i])
	}
	return z
}

func logOddsOf(p float64) float64 {
	p = min(max(p, clipP), 1-clipP)
	return math.Log(p) - math.Log1p(-p)
}

func oneClass(y []float64) bool {
	for i := range y {
		if y[i] != y[0] {
			return false
		}
	}
	return true
}

// separated reports whether no unique finite maximum exists: with one
// regressor and an intercept that is so exactly if the ranges of z of the two
// classes do not overlap in more than a point (Albert and Anderson, Biometrika
// 71 (1984)). One class only, or one value of z, is a case of it.
func separated(z, y []float64) bool {
	low := [2]float64{math.Inf(1), math.Inf(1)}
	high := [2]float64{math.Inf(-1), math.Inf(-1)}
	for i := range z {
		k := int(y[i])
		low[k] = min(low[k], z[i])
		high[k] = max(high[k], z[i])
	}
	return high[0] <= low[1] || high[1] <= low[0]
}

// largeStep returns derivative and curvature of the log likelihood at a.
func largeStep(a float64, z, y, w []float64) (gradient, curvature float64) {
	for i := range z {
		wi, q := weight(w, i), predict.Sigmoid(a+z[i])
		gradient += float64(wi * (y[i] - q))
		curvature += float64(wi * float64(q*(1-q)))
	}
	return gradient, curvature
}

// fitLine maximises the weighted log likelihood of a + b z. The regressor is
// standardised first, so that the 2×2 Hessian is well conditioned whatever the
// spread of z; a Newton step that lowers the likelihood is halved.
func fitLine(z, y, w []float64) (a, b float64) {
	mean, sd := moments(z, w)
	u := make([]float64, len(z))
	for i := range z {
		u[i] = (z[i] - mean) / sd
	}
	c, d := coarseLine(u, y, w) // log-odds c + d u
	loss, dc, dd := lineStep(c, d, u, y, w)
	for range maxSteps {
		if math.Abs(dc)+math.Abs(dd) <= stepTol*(1+math.Abs(c)+math.Abs(d)) {
			c, d = c+dc, d+dd
			break
		}
		if math.Abs(dc)+math.Abs(dd) <= sureStep {
			c, d = c+dc, d+dd
			dc, dd = newtonStep(c, d, u, y, w)
			continue
		}
		nextLoss, nextC, nextD := lineStep(c+dc, d+dd, u, y, w)
		for nextLoss > loss && math.Abs(dc)+math.Abs(dd) > sureStep {
			dc, dd = dc/2, dd/2
			nextLoss, nextC, nextD = lineStep(c+dc, d+dd, u, y, w)
		}
		c, d = c+dc, d+dd
		loss, dc, dd = nextLoss, nextC, nextD
	}
	b = d / sd
	return c - float64(b*mean), b
}

// The bins of a first, coarse fit, and from how many rows on there is one.
const (
	coarseBins = 512
	coarseFrom = 16 * coarseBins
)

// coarseLine returns where fitLine starts: at 0, or with many rows at the fit of
// bins of equal width from -4 to 4 standard deviations.
func coarseLine(u, y, w []float64) (c, d float64) {
	if len(u) < coarseFrom {
		return 0, 0
	}
	var all, wu, wy [coarseBins]float64
	for i := range u {
		k := int(min(max((u[i]+4)*(coarseBins/8), 0), coarseBins-1))
		wi := weight(w, i)
		all[k] += wi
		wu[k] += float64(wi * u[i])
		wy[k] += float64(wi * y[i])
	}
	var x, rate, mass []float64
	for k := range all {
		if all[k] > 0 {
			x, rate, mass = append(x, wu[k]/all[k]), append(rate, wy[k]/all[k]), append(mass, all[k])
		}
	}
	for range 20 {
		dc, dd := newtonStep(c, d, x, rate, mass)
		if !(math.Abs(dc)+math.Abs(dd) < 2) { // astray, or nothing to fit: start at 0
			return 0, 0
		}
		if c, d = c+dc, d+dd; math.Abs(dc)+math.Abs(dd) < sureStep/100 {
			break
		}
	}
	return c, d
}

// moments returns weighted mean and standard deviation.
func moments(z, w []float64) (mean, sd float64) {
	var total, sum, squares float64
	for i := range z {
		wi := weight(w, i)
		total += wi
		sum += float64(wi * z[i])
	}
	mean = sum / total
	for i := range z {
		d := z[i] - mean
		squares += float64(weight(w, i) * float64(d*d))
	}
	return mean, math.Sqrt(squares / total)
}

// lineStep returns the loss Σᵢ wᵢ [ln(1 + e^sᵢ) - yᵢ sᵢ] with sᵢ = c + d uᵢ and
// the Newton step -H⁻¹g from there.
func lineStep(c, d float64, u, y, w []float64) (loss, dc, dd float64) {
	for i := range u {
		s := c + float64(d*u[i])
		_, softplus := predict.SigmoidSoftplus(s)
		loss += float64(weight(w, i) * (softplus - float64(y[i]*s)))
	}
	dc, dd = newtonStep(c, d, u, y, w)
	return loss, dc, dd
}

// newtonStep returns the Newton step alone.
func newtonStep(c, d float64, u, y, w []float64) (dc, dd float64) {
	var g0, g1, h00, h01, h11 float64
	for i := range u {
		q := predict.Sigmoid(c + float64(d*u[i]))
		wi := weight(w, i)
		r := float64(wi * (y[i] - q))
		v := float64(wi * float64(q*(1-q)))
		g0 += r
		g1 += float64(r * u[i])
		h00 += v
		h01 += float64(v * u[i])
		h11 += float64(v * float64(u[i]*u[i]))
	}
	det := float64(h00*h11) - float64(h01*h01)
	return (float64(h11*g0) - float64(h01*g1)) / det, (float64(h00*g1) - float64(h01*g0)) / det
}
