// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// Every row is tested once, and no group is on both sides of a fold.
func TestFoldsKeepGroupsTogether(t *testing.T) {
	f := history(50, 4, 1)
	tested := make([]int, len(f.Rows))
	for _, o := range Folds(f, 5, 7) {
		if o.Skipped != "" {
			t.Fatalf("%s: %s", o.Name, o.Skipped)
		}
		if len(o.Train)+len(o.Test) != len(f.Rows) {
			t.Errorf("%s: %d + %d of %d rows", o.Name, len(o.Train), len(o.Test), len(f.Rows))
		}
		groups := map[string]bool{}
		for _, i := range o.Test {
			tested[i]++
			groups[f.Rows[i].Group] = true
		}
		for _, i := range o.Train {
			if groups[f.Rows[i].Group] {
				t.Errorf("%s: group %s is on both sides", o.Name, f.Rows[i].Group)
			}
		}
	}
	if slices.Max(tested) != 1 || slices.Min(tested) != 1 {
		t.Errorf("rows are tested between %d and %d times", slices.Min(tested), slices.Max(tested))
	}
}

// A row without an outcome, or without a probability, is counted once.
func TestFoldsCountRowsOnce(t *testing.T) {
	f := history(50, 4, 1)
	for i := range f.Rows {
		switch {
		case i%10 == 0:
			f.Rows[i].Y = features.Unknown
		case i%10 == 1:
			f.Rows[i].Status = features.Decided
		}
	}
	rows, censored, notScored := 0, 0, 0
	for _, o := range Folds(f, 5, 7) {
		rows, censored, notScored = rows+len(o.Test), censored+o.Censored, notScored+o.NotScored
	}
	if want := len(f.Rows) / 10; censored != want || notScored != want || rows != len(f.Rows)-2*want {
		t.Errorf("%d tested, %d censored, %d not scored of %d rows", rows, censored, notScored, len(f.Rows))
	}
}

// A fold follows from seed and group, not from the order of rows.
func TestFoldsIgnoreTheOrderOfRows(t *testing.T) {
	f := history(50, 4, 1)
	last := len(f.Rows) - 1
	backwards := make([]int, len(f.Rows))
	for i := range backwards {
		backwards[i] = last - i
	}
	g := f.Select(backwards)
	for k, o := range Folds(f, 5, 7) {
		var mirrored []int
		for _, i := range Folds(g, 5, 7)[k].Test {
			mirrored = append(mirrored, last-i)
		}
		slices.Reverse(mirrored)
		if !slices.Equal(mirrored, o.Test) {
			t.Errorf("%s differs", o.Name)
		}
	}
	if slices.Equal(Folds(f, 5, 7)[0].Test, Folds(f, 5, 8)[0].Test) {
		t.Error("another seed gave the same fold")
	}
}

// Cross-validation ends in the same report, with folds for origins and no
// times in the predictions.
func TestCrossValidate(t *testing.T) {
	f := history(400, 2, 1)
	result, err := CrossValidate(context.Background(), f, []Candidate{byLevel()},
		Options{Bootstrap: quick, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	r := result.Report
	if r.Design.Kind != CrossValidation || r.Design.Tested != 5 || r.Design.TestRows != 800 ||
		r.Origins[0].Name != "fold 1" {
		t.Errorf("design %+v", r.Design)
	}
	if got := scoresOf(t, r, "by_level").VersusBase.Finding; got != Better {
		t.Errorf("finding %q", got)
	}
	p := result.Predictions
	if c := p.Column("origin"); c.Kind != data.Text || c.Text(0) != "fold 1" {
		t.Errorf("origin column %+v", c.Kind)
	}
	if !p.Column("snapshot").Missing(0) || !p.Column("due").Missing(0) || p.Column("y").Missing(0) {
		t.Error("a fold's predictions have a snapshot or a due date, or no outcome")
	}
	again, err := CrossValidate(context.Background(), f, []Candidate{byLevel()},
		Options{Bootstrap: quick, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again.Report, undefinedAlike); diff != "" {
		t.Error(diff)
	}
}

func TestCrossValidateWithoutOutcomes(t *testing.T) {
	f := history(50, 2, 1)
	for i := range f.Rows {
		f.Rows[i].Y = features.Unknown
	}
	var none *NoOriginsError
	if _, err := CrossValidate(context.Background(), f, nil, Options{}); !errors.As(err, &none) {
		t.Errorf("nothing known: %v", err)
	}
	for i := range f.Rows {
		f.Rows[i].Y = 0
	}
	_, err := CrossValidate(context.Background(), f, nil, Options{})
	want := "nothing to test: 0 of 5 folds can be used: 5 with no churned training rows; " +
		"100 of 100 rows have a known outcome"
	if !errors.As(err, &none) || err.Error() != want {
		t.Errorf("one outcome only: %v", err)
	}
}
