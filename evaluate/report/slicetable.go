// SPDX-License-Identifier: Apache-2.0

package report

import "github.com/holdfast-churn/holdfast/evaluate"

// A sliceLine is one line of the table of slices, the first of its kind with the
// kind's name.
type sliceLine struct {
	Kind string
	*evaluate.Slice
	Scores *evaluate.SliceScores // of the subject
}

// sliceLines lists what the subject reached by lead, segment and kind of account.
func sliceLines(r *evaluate.Report, subject *evaluate.Scores) (lines []sliceLine) {
	kind := ""
	for i := range r.Slices {
		a := &r.Slices[i]
		for k := range a.Scores {
			if a.Scores[k].Candidate != subject.Name {
				continue
			}
			line := sliceLine{Slice: a, Scores: &a.Scores[k]}
			if a.Kind != kind {
				line.Kind = a.Kind
			}
			kind = a.Kind
			lines = append(lines, line)
		}
	}
	return lines
}
