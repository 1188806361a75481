// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

// A model of nothing but its intercept scores, and has no reasons.
func TestContributionsOfConstant(t *testing.T) {
	m := &Model{Logit: Logit{Intercept: -2, Calibration: Calibration{Method: "none", Slope: 1}}}
	s, err := m.Bind(&features.Frame{SpecDigest: m.Spec.Digest(), Rows: make([]features.Row, 3)})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Contributions(nil); len(got) != 0 {
		t.Errorf("contributions %v", got)
	}
}
