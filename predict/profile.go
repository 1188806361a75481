// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// A ProfiledScores is the score table of one profile: of all rows, though only
// some are its own.
type ProfiledScores struct {
	Name  string
	Rule  string // which rows are its own, in words
	Table *data.Table
}

// MergeProfiles returns the score table in which row i is that of profile of[i],
// with the columns profile and profile_rule before model_id. All tables are of
// the same rows; where the model of one has no pillar of another, that
// sub-score is missing.
func MergeProfiles(profiles []ProfiledScores, of []int) *data.Table {
	n := len(of)
	out := &data.Table{Name: profiles[0].Table.Name, Rows: n}
	for _, name := range mergedNames(profiles) {
		if name == "model_id" {
			out.Columns = append(out.Columns, data.TextOf("profile", n, func(i int) string { return profiles[of[i]].Name }),
				data.TextOf("profile_rule", n, func(i int) string { return profiles[of[i]].Rule }))
		}
		columns := make([]*data.Column, len(profiles))
		for k := range profiles {
			columns[k] = profiles[k].Table.Column(name)
		}
		out.Columns = append(out.Columns, chosen(name, columns, of))
	}
	return out
}

// chosen returns the column whose row i is that of columns[of[i]]; where that is
// nil, only numbers can be missing.
func chosen(name string, columns []*data.Column, of []int) data.Column {
	kind := columns[slices.IndexFunc(columns, func(c *data.Column) bool { return c != nil })].Kind
	switch kind {
	case data.Text:
		return data.TextOf(name, len(of), func(i int) string { return columns[of[i]].Text(i) })
	case data.Float:
		return data.FloatOf(name, len(of), func(i int) float64 {
			if c := columns[of[i]]; c != nil {
				return c.Floats[i]
			}
			return math.NaN()
		})
	}
	return data.IntOf(name, kind, len(of), func(i int) (int64, bool) { return columns[of[i]].Ints[i], !columns[of[i]].Missing(i) })
}

// mergedNames returns the columns of all tables in their order, pillars that only
// some have among the others.
func mergedNames(profiles []ProfiledScores) []string {
	names := slices.Clone(profiles[0].Table.Names())
	for _, p := range profiles[1:] {
		for _, name := range p.Table.Names() {
			if slices.Contains(names, name) {
				continue
			}
			at := slices.IndexFunc(names, func(other string) bool { return isPillarColumn(other) && other > name })
			if at < 0 {
				at = slices.Index(names, "reason_1")
			}
			names = slices.Insert(names, at, name)
		}
	}
	return names
}

func isPillarColumn(name string) bool {
	return strings.HasPrefix(name, "health_") && !strings.HasPrefix(name, "health_change_")
}
