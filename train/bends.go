// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/predict"
)

// Calibration with bends, of rows without a time.
const (
	bendEvents = 100  // churned, and renewed, from which it is tried
	bends      = 6    // of the map
	bendSE     = 2    // standard errors by which it must be better: straight maps keep effects additive
	bendStep   = 0.25 // of raw log-odds between published knots, or a mostKnots-th of their range
	mostKnots  = 400
	mostSure   = 20 // log-odds beyond which the map is level: p is to stay short of 1
)

// bendAt returns the places of the bends: the sevenths of z by weight.
func bendAt(z, w []float64) []float64 {
	values := make([]weighted, len(z))
	for i := range z {
		values[i] = weighted{z[i], w[i]}
	}
	at := make([]float64, bends)
	for k := range at {
		at[k] = quantile(values, float64(k+1)/(bends+1))
	}
	return at
}

// bent fits Platt's map with bends to the slice,
//
//	m(z) = a + s z + Σ_k b_k (softplus(z − κ_k) − its mean),   k = 1 … 6
//
// κ_k the sevenths of z, by maximum a posteriori under s ~ N(1, .3²), b_k ~ N(0, .3²),
// and returns it as knots, level where it would fall. A model that holds back its
// rules, say, is not sure enough at one end only, which no slope mends. ok is false
// where there is no optimum.
//
// Source: Lucena (2018), arXiv:1809.07751, for splines; the prior is that of Platt.
func (c *calibrationSlice) bent() (knots []predict.Knot, ok bool) {
	at := bendAt(c.z, c.w)
	x := [][]float64{c.z}
	means := make([]float64, bends)
	for k := range at {
		column := make([]float64, len(c.z))
		total := 0.0
		for i, z := range c.z {
			column[i] = predict.Softplus(z - at[k])
			means[k] += float64(c.w[i] * column[i])
			total += c.w[i]
		}
		means[k] /= total
		for i := range column {
			column[i] -= means[k]
		}
		x = append(x, column)
	}
	penalty, prior := make([]float64, 1+bends), make([]float64, 1+bends)
	for j := range penalty {
		penalty[j] = 1 / (priorSD * priorSD)
	}
	prior[0] = 1
	theta, _, err := smallFit(x, c.y, c.w, penalty, prior)
	if err != nil {
		return nil, false
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, z := range c.z {
		low, high = min(low, z), max(high, z)
	}
	if !(high > low) {
		return nil, false
	}
	n := int(min(math.Ceil((high-low)/bendStep), mostKnots))
	for i := range n + 1 {
		z := low + float64((high-low)*float64(i)/float64(n))
		m := theta[0] + float64(theta[1]*z)
		for k := range at {
			m += float64(theta[2+k] * (predict.Softplus(z-at[k]) - means[k]))
		}
		k := predict.Knot{Z: z, P: predict.Sigmoid(min(max(m, -mostSure), mostSure))}
		if i > 0 {
			k.P = max(k.P, knots[i-1].P)
		}
		knots = append(knots, k)
	}
	return knots, true
}

// fitBends fits bends, and reports whether they predict unseen rows of the slice
// better than Platt's map by more than bendSE standard errors; only then is m set.
func (c *calibrationSlice) fitBends(m *predict.Calibration) bool {
	knots, ok := c.bent()
	if !ok {
		return false
	}
	d, rows := c.lossDifferences((*calibrationSlice).bent)
	mean, se := c.meanBy(d, rows)
	if len(rows) == 0 || !(mean > bendSE*se) {
		return false
	}
	m.Method, m.Knots = CalibrationBends, knots
	m.Reason += fmt.Sprintf("a slope and bends, shrunk to 1 and 0, since they are better than a slope by more than %d standard errors "+
		"(log loss less by %.5f on unseen rows, standard error %.5f)", bendSE, mean, se)
	return true
}
