// SPDX-License-Identifier: Apache-2.0

package evaluate

import "github.com/holdfast-churn/holdfast/predict"

// Promotion says whether the subject of a report may be published: it must be
// better than the base rate, with the interval of the difference below 0.
func (r *Report) Promotion() predict.Verdict {
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Name != r.Subject {
			continue
		}
		if c.VersusBase == nil {
			return predict.Verdict{Reason: "the backtest failed: " + c.Failure}
		}
		return predict.Verdict{Pass: c.VersusBase.Finding == Better, Reason: c.VersusBase.Words}
	}
	return predict.Verdict{Reason: "the report compares no model with the base rate"}
}
