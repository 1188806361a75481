// SPDX-License-Identifier: Apache-2.0

package train

import (
	"errors"

	"github.com/holdfast-churn/holdfast/predict"
)

// errSmallFit says that a fit of few columns did not reach its optimum.
var errSmallFit = errors.New("a logistic fit of few columns did not converge; are its columns of very different size?")

// smallFit minimises the log loss of a few columns, given column by column, with
// a normal prior on each weight:
//
//	F = L + Σ_j penalty_j/2 (b_j − prior_j)²,   L = Σ_i w_i [softplus(η_i) − y_i η_i],
//	η = b₀ + Σ_j b_j x_j
//
// by Newton's method from 0 with step halving, and returns (b₀, b₁ …) and L. The
// intercept has no prior. It is for tests of a handful of columns, not for
// published weights of many.
func smallFit(x [][]float64, y, w, penalty, prior []float64) (theta []float64, loss float64, err error) {
	n := len(x) + 1
	theta = make([]float64, n)
	step, trial := make([]float64, n), make([]float64, n)
	total := 0.0
	for _, wi := range w {
		total += wi
	}
	f := &smallLoss{x, y, w, penalty, prior, make([]float64, n)}
	for range maxNewton {
		grad, hessian := make([]float64, n), make([]float64, n*n)
		loss, penalised := f.at(theta, grad, hessian)
		factor, ok := factorise(hessian, n)
		if !ok {
			return nil, 0, errSmallFit
		}
		factor.solve(step, grad)
		if dot(grad, step) <= 1e-12*total {
			return theta, loss, nil
		}
		for t := 1.0; ; t /= 2 {
			for j := range trial {
				trial[j] = theta[j] - float64(t*step[j])
			}
			if _, ft := f.at(trial, nil, nil); ft <= penalised+1e-13*penalised {
				break
			}
			if t < 1e-10 {
				return nil, 0, errSmallFit
			}
		}
		theta, trial = trial, theta
	}
	return nil, 0, errSmallFit
}

// A smallLoss is what smallFit minimises.
type smallLoss struct {
	x                       [][]float64
	y, w, penalty, prior, u []float64 // u is room for one row
}

// at returns L and F, and, where grad is not nil, adds the gradient of F to it
// and the second derivatives to hessian, n×n row-major, upper triangle.
func (s *smallLoss) at(theta, grad, hessian []float64) (loss, penalised float64) {
	n := len(theta)
	s.u[0] = 1
	for i := range s.y {
		eta := theta[0]
		for j := range s.x {
			s.u[j+1] = s.x[j][i]
			eta += float64(theta[j+1] * s.x[j][i])
		}
		p, soft := predict.SigmoidSoftplus(eta)
		loss += float64(s.w[i] * (soft - float64(s.y[i]*eta)))
		if grad == nil {
			continue
		}
		e, q := float64(s.w[i]*(p-s.y[i])), float64(s.w[i]*p*(1-p))
		for j := range n {
			grad[j] += float64(e * s.u[j])
			for k := j; k < n; k++ {
				hessian[j*n+k] += float64(q * s.u[j] * s.u[k])
			}
		}
	}
	penalised = loss
	for j := 1; j < n; j++ {
		d := theta[j] - s.prior[j-1]
		penalised += float64(s.penalty[j-1] / 2 * d * d)
		if grad != nil {
			grad[j] += float64(s.penalty[j-1] * d)
			hessian[j*n+j] += s.penalty[j-1]
		}
	}
	return loss, penalised
}
