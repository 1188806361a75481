// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// A Difference is what two models, was and is, do not have in common.
type Difference struct {
	Settings []Change       `json:"settings"` // provenance, calibration, score constants, and what the spec says beside features
	Features []Change       `json:"features"` // of the spec: "" where there is none
	Metrics  []NumberChange `json:"metrics"`  // all of them, also those that are alike
	Terms    []TermChange   `json:"terms"`    // by size of the change
	Weights  []WeightChange `json:"weights"`  // by size of the change
	Parts    []Change       `json:"parts"`    // pairs and tables of one model alone
}

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

// A TermChange is a term whose effect (Term.Effect) differs, nil where the
// model does not have it.
type TermChange struct {
	Feature string            `json:"feature"`
	Label   string            `json:"label"`
	Was     *predict.Interval `json:"was"`
	Is      *predict.Interval `json:"is"`
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

// Diff compares two models.
func Diff(was, is *predict.Model) Difference {
	return Difference{Settings: settingChanges(was, is), Features: featureChanges(&was.Spec, &is.Spec), Terms: termChanges(was, is),
		Weights: weightChanges(was, is), Parts: partChanges(was, is), Metrics: []NumberChange{
			{"log_loss", was.OutOfFold.LogLoss, is.OutOfFold.LogLoss},
			{"base_log_loss", was.OutOfFold.BaseLoss, is.OutOfFold.BaseLoss},
			{"auc", was.OutOfFold.AUC, is.OutOfFold.AUC},
			{"rows", float64(was.Provenance.Rows), float64(is.Provenance.Rows)},
			{"renewals", float64(was.Provenance.Renewals), float64(is.Provenance.Renewals)},
			{"churned", float64(was.Provenance.Churned), float64(is.Provenance.Churned)},
			{"intercept", was.Intercept, is.Intercept},
			{"lambda", was.Provenance.Lambda, is.Provenance.Lambda},
		}}
}

// Same reports whether nothing differs.
func (d *Difference) Same() bool {
	return len(d.Settings)+len(d.Features)+len(d.Terms)+len(d.Weights)+len(d.Parts) == 0
}

func settingChanges(was, is *predict.Model) []Change {
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

func termChanges(was, is *predict.Model) []TermChange {
	at := make(map[string]int)
	out := []TermChange{}
	for i := range was.Terms {
		t := &was.Terms[i]
		at[t.Feature] = len(out)
		out = append(out, TermChange{Feature: t.Feature, Label: t.Label, Was: &t.Effect})
	}
	for i := range is.Terms {
		t := &is.Terms[i]
		if k, ok := at[t.Feature]; ok {
			out[k].Is = &t.Effect
		} else {
			out = append(out, TermChange{Feature: t.Feature, Label: t.Label, Is: &t.Effect})
		}
	}
	out = slices.DeleteFunc(out, func(t TermChange) bool { return t.Was != nil && t.Is != nil && *t.Was == *t.Is })
	sort.SliceStable(out, func(i, j int) bool { return out[i].size() > out[j].size() })
	return out
}

// size is how much the estimate moved.
func (t *TermChange) size() float64 {
	var was, is float64
	if t.Was != nil {
		was = t.Was.Estimate
	}
	if t.Is != nil {
		is = t.Is.Estimate
	}
	return math.Abs(is - was)
}

func weightChanges(was, is *predict.Model) []WeightChange {
	type key struct{ feature, column string }
	at := make(map[key]int)
	out := []WeightChange{}
	each := func(m *predict.Model, set func(w *WeightChange, weight float64)) {
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
func columnName(b *predict.Basis) string {
	switch b.Kind {
	case predict.Level:
		return b.Level
	case predict.Spline, predict.Cumulated:
		return fmt.Sprintf("%s %d", b.Kind, b.Index)
	case predict.Value, predict.Spike:
		return fmt.Sprintf("%s %g", b.Kind, b.At)
	}
	return string(b.Kind)
}

// partChanges names the pairs and tables that one model has and the other has
// not, or has otherwise.
func partChanges(was, is *predict.Model) []Change {
	parts := func(m *predict.Model) map[string]string {
		of := make(map[string]string)
		for i := range m.Pairs {
			p := &m.Pairs[i]
			of[fmt.Sprintf("pair %s, %s", p.Sides[0].Feature, p.Sides[1].Feature)] = fmt.Sprintf("%d cells, %.3f of the variance of z", len(p.Cells), p.Share)
		}
		for i := range m.Tables {
			of[fmt.Sprintf("table %d", i+1)] = fmt.Sprintf("%d rules, %.3f of the variance of z", len(m.Tables[i].Rules), m.Tables[i].Share)
		}
		return of
	}
	return changes(parts(was), parts(is))
}
