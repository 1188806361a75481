// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/holdfast-churn/holdfast/features"
)

// A Change is a text that differs.
type Change struct {
	Name string `json:"name"`
	Was  string `json:"was"`
	Is   string `json:"is"`
}

// A NumberChange is a number of both models.
type NumberChange struct {
	Name string  `json:"name"`
	Was  float64 `json:"was"`
	Is   float64 `json:"is"`
}

// A WeightChange is a basis column whose weight differs, 0 where the model does
// not have it. Weights are of standardised columns, so that those of different
// training rows can be compared only by and large.
type WeightChange struct {
	Feature string  `json:"feature"`
	Column  string  `json:"column"`
	Was     float64 `json:"was"`
	Is      float64 `json:"is"`
}

// metricChanges returns figures of both models, also those that are alike.
func metricChanges(was, is *Model) []NumberChange {
	return []NumberChange{
		{"log_loss", was.OutOfFold.LogLoss, is.OutOfFold.LogLoss},
		{"base_log_loss", was.OutOfFold.BaseLoss, is.OutOfFold.BaseLoss},
		{"auc", was.OutOfFold.AUC, is.OutOfFold.AUC},
		{"rows", float64(was.Provenance.Rows), float64(is.Provenance.Rows)},
		{"renewals", float64(was.Provenance.Renewals), float64(is.Provenance.Renewals)},
		{"churned", float64(was.Provenance.Churned), float64(is.Provenance.Churned)},
		{"intercept", was.Intercept, is.Intercept},
		{"lambda", was.Provenance.Lambda, is.Provenance.Lambda},
	}
}

// settingChanges returns what differs of provenance, calibration, score
// constants, and what the spec says beside features.
func settingChanges(was, is *Model) []Change {
	out := []Change{}
	compare := func(name string, a, b any) {
		if s, t := compact(a), compact(b); s != t {
			out = append(out, Change{name, s, t})
		}
	}
	p, q := was.Provenance, is.Provenance
	compare("data", p.Data, q.Data)
	compare("as_of", p.AsOf, q.AsOf)
	compare("version", p.Version, q.Version)
	compare("parent", p.Parent, q.Parent)
	compare("seed", p.Seed, q.Seed)
	compare("timezone", was.Spec.Timezone, is.Spec.Timezone)
	compare("outcome", was.Spec.Outcome, is.Spec.Outcome)
	compare("sources", was.Spec.Sources, is.Spec.Sources)
	compare("calibration", was.Calibration, is.Calibration)
	compare("score", was.Score, is.Score)
	return out
}

// compact writes a value as one line of JSON, a text without its quotes.
func compact(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error() // NaN, which no valid model has
	}
	return string(b)
}

// featureChanges returns the features of the spec that differ, "" where there is
// none.
func featureChanges(was, is *features.Spec) []Change {
	a, b := make(map[string]string), make(map[string]string)
	for _, f := range was.Features {
		a[f.Name] = compact(f)
	}
	for _, f := range is.Features {
		b[f.Name] = compact(f)
	}
	return changes(a, b)
}

// changes returns the entries of two maps that differ, by name.
func changes(was, is map[string]string) []Change {
	all := maps.Clone(was)
	maps.Copy(all, is)
	out := []Change{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if was[name] != is[name] {
			out = append(out, Change{name, was[name], is[name]})
		}
	}
	return out
}

// weightChanges returns the weights that differ, by size of the change.
func weightChanges(was, is *Model) []WeightChange {
	type key struct{ feature, column string }
	at := make(map[key]int)
	out := []WeightChange{}
	each := func(m *Model, set func(w *WeightChange, weight float64)) {
		for i := range m.Terms {
			for k := range m.Terms[i].Columns {
				c := &m.Terms[i].Columns[k]
				id := key{m.Terms[i].Feature, columnName(c)}
				j, ok := at[id]
				if !ok {
					j = len(out)
					at[id] = j
					out = append(out, WeightChange{Feature: id.feature, Column: id.column})
				}
				set(&out[j], c.Weight)
			}
		}
	}
	each(was, func(w *WeightChange, weight float64) { w.Was = weight })
	each(is, func(w *WeightChange, weight float64) { w.Is = weight })
	out = slices.DeleteFunc(out, func(w WeightChange) bool { return w.Was == w.Is })
	sort.SliceStable(out, func(i, j int) bool { return math.Abs(out[i].Is-out[i].Was) > math.Abs(out[j].Is-out[j].Was) })
	return out
}

// columnName tells the columns of a term apart.
func columnName(b *Basis) string {
	switch b.Kind {
	case Level:
		return b.Level
	case Spline, Cumulated:
		return fmt.Sprintf("%s %d", b.Kind, b.Index)
	case Value, Spike:
		return fmt.Sprintf("%s %g", b.Kind, b.At)
	}
	return string(b.Kind)
}
