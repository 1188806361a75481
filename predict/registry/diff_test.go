// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

func TestDiff(t *testing.T) {
	term := func(name string, effect float64, weights ...float64) predict.Term {
		out := predict.Term{Feature: name, Label: "the " + name, Effect: predict.Interval{Estimate: effect}}
		for i, w := range weights {
			out.Columns = append(out.Columns, predict.Basis{Kind: predict.Spline, Index: i, Weight: w})
		}
		return out
	}
	was, is := model(-1), model(-1)
	if d := Diff(was, is); !d.Same() {
		t.Errorf("a model and itself: %+v", d)
	}
	was.Terms = []predict.Term{term("logins", -0.5, 1, 2), term("tickets", 0.3, 0.5), term("seats", 0.1, 0.25)}
	is.Terms = []predict.Term{term("logins", -0.75, 1, 2.5), term("seats", 0.1, 0.25), term("nps", -1, 4)}
	was.Spec.Features = []features.Feature{{Name: "logins"}, {Name: "tickets"}}
	is.Spec.Features = []features.Feature{{Name: "logins"}, {Name: "nps"}}
	is.Provenance.Data, is.OutOfFold.AUC = "f00", 0.75
	is.Pairs = []predict.Pair{{Sides: [2]predict.Side{{Feature: "logins"}, {Feature: "nps"}}, Cells: make([]predict.Cell, 9), Share: 0.125}}

	d := Diff(was, is)
	effect := func(x float64) *predict.Interval { return &predict.Interval{Estimate: x} }
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"settings", d.Settings, []Change{{"data", "", "f00"}}},
		{"terms", d.Terms, []TermChange{{"nps", "the nps", nil, effect(-1)}, {"tickets", "the tickets", effect(0.3), nil}, {"logins", "the logins", effect(-0.5), effect(-0.75)}}},
		{"weights", d.Weights, []WeightChange{{"nps", "spline 0", 0, 4}, {"logins", "spline 1", 2, 2.5}, {"tickets", "spline 0", 0.5, 0}}},
		{"parts", d.Parts, []Change{{"pair logins, nps", "", "9 cells, 0.125 of the variance of z"}}},
		{"AUC", d.Metrics[2], NumberChange{"auc", 0, 0.75}},
		{"features", []string{d.Features[0].Name, d.Features[0].Is, d.Features[1].Name, d.Features[1].Was}, []string{"nps", d.Features[0].Is, "tickets", d.Features[1].Was}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
	if len(d.Features) != 2 || d.Features[0].Was != "" || d.Features[1].Is != "" || d.Same() {
		t.Errorf("features %+v", d.Features)
	}
}
