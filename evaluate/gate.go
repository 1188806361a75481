// SPDX-License-Identifier: Apache-2.0

package evaluate

import "github.com/holdfast-churn/holdfast/predict"

// Promotion says whether the subject of a report may be published: it must be
// better than the base rate and tell accounts apart, each with the interval of
// its difference below 0.
func (r *Report) Promotion() predict.Verdict {
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
