// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"strings"

	"github.com/holdfast-churn/holdfast/predict"
)

// Promotion says whether the subject of a report may be published: no proof
// against leaks may have failed, and it must be better than the base rate and
// tell accounts apart, each with the interval of its difference below 0. Where
// no proof was tried, the reason says so.
func (r *Report) Promotion() predict.Verdict {
	if r.Leaks != nil && r.Leaks.Failure() != "" {
		return predict.Verdict{Reason: r.Leaks.Failure()}
	}
	v := r.skill()
	if v.Pass && (r.Leaks == nil || r.Leaks.Features == nil || r.Leaks.Features.Empty()) {
		v.Reason = strings.TrimSuffix(v.Reason, ".") + "; that nothing leaks from the future was not proved."
	}
	return v
}

// skill judges the subject by its figures alone.
func (r *Report) skill() predict.Verdict {
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Name != r.Subject {
			continue
		}
		switch {
		case c.VersusBase == nil:
			return predict.Verdict{Reason: "the backtest failed: " + c.Failure}
		case c.VersusBase.Finding == Better && c.VersusOwnMean.Finding != Better:
			return predict.Verdict{Reason: c.VersusOwnMean.Words}
		}
		return predict.Verdict{Pass: c.VersusBase.Finding == Better, Reason: c.VersusBase.Words}
	}
	return predict.Verdict{Reason: "the report compares no model with the base rate"}
}
