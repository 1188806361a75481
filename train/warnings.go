// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Outcomes a model needs before it counts as firm (METHODS.md section 7).
const (
	firmChurned = 100
	firmRenewed = 300
)

// warnings says in words what is doubtful about a fitted model; none of it is
// an error.
func warnings(m *predict.Model, s *sample, d *design, fit *solution, cv *crossValidation) []string {
	list := provisional(s.churn, s.total)
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if len(m.Terms) == 0 {
		warn("no feature carries information: every row gets the base rate")
	}
	if cv != nil && cv.edge {
		prefers := "almost no penalty"
		if cv.lambda > 1 {
			prefers = "almost no effects"
		}
		warn("the best penalty, %.3g, is the end of the grid: cross-validation prefers %s", cv.lambda, prefers)
	}
	if names := combinations(m.Terms, d, fit); len(names) > 0 {
		warn("collinear: %s can be computed from the features before them; "+
			"weights are shared, and separate effects are not known", strings.Join(names, ", "))
	}
	return append(list, turned(m)...)
}

// provisional warns of too few outcomes.
func provisional(churn, total float64) []string {
	if renewed := total - churn; churn < firmChurned || renewed < firmRenewed {
		return []string{fmt.Sprintf("provisional: %.0f churned and %.0f renewed in training; %d and %d make a model firm",
			churn, renewed, firmChurned, firmRenewed)}
	}
	return []string{}
}

// turned warns of numbers whose effect goes against their declared direction.
func turned(m *predict.Model) []string {
	var list []string
	for j := range m.Terms {
		t := &m.Terms[j]
		declared, sign := directionOf(&m.Spec, t.Feature)
		if e := t.Effect; sign*e.Estimate < 0 && t.Kind == string(features.NumberKind) {
			sure := ""
			if (e.Low < 0) == (e.High < 0) {
				sure = ", an interval that excludes 0"
			}
			list = append(list, fmt.Sprintf("%s was declared %s, but its effect is %+.3f log-odds (%.3f to %.3f%s)",
				t.Feature, declared, e.Estimate, e.Low, e.High, sure))
		}
	}
	return list
}

// directionOf returns a feature's declared direction and the sign that it gives
// to the effect on the log-odds of churn, 0 where it is free.
func directionOf(spec *features.Spec, name string) (features.Direction, float64) {
	for i := range spec.Features {
		if f := &spec.Features[i]; f.Name == name {
			switch f.Direction {
			case features.Risky:
				return f.Direction, 1
			case features.Healthy:
				return f.Direction, -1
			}
		}
	}
	return features.Free, 0
}

// combinations returns the numbers whose linear column is explained by the
// columns before it: R² > 1 − 1e-8 in the regression weighted like the last
// Newton step. The pivots of a Cholesky factor of X'WX scaled to a unit
// diagonal are these 1 − R².
func combinations(terms []predict.Term, d *design, fit *solution) []string {
	const explained = 1e-8
	n := d.cols
	a := make([]float64, n*n)
	scale := make([]float64, n)
	for j := range n {
		a[j*n+j] = fit.a[j*n+j]
		if j > 0 {
			a[j*n+j] -= fit.lambda
		}
		scale[j] = math.Sqrt(max(a[j*n+j], 0))
	}
	for i := range n {
		for j := i; j < n; j++ {
			v := fit.a[i*n+j]
			if i == j {
				v = a[j*n+j]
			}
			if scale[i] > 0 && scale[j] > 0 {
				a[i*n+j] = v / (scale[i] * scale[j])
			}
		}
	}
	dependent := dependentColumns(a, n, explained)
	var names []string
	at := 1
	for j := range terms {
		for k := range terms[j].Columns {
			if dependent[at] && terms[j].Columns[k].Kind == predict.Linear {
				names = append(names, terms[j].Feature)
			}
			at++
		}
	}
	return names
}

// dependentColumns runs a Cholesky factorisation of a correlation matrix, n×n
// row-major in its upper triangle, and marks the columns whose pivot is below
// small; they are left out of what follows. a is overwritten.
func dependentColumns(a []float64, n int, small float64) []bool {
	dependent := make([]bool, n)
	for k := range n {
		row := a[k*n : (k+1)*n]
		if !(row[k] > small) {
			dependent[k] = true
			continue
		}
		for i := k + 1; i < n; i++ {
			ratio := row[i] / row[k]
			for j := i; j < n; j++ {
				a[i*n+j] -= float64(ratio * row[j])
			}
		}
	}
	return dependent
}
