// SPDX-License-Identifier: Apache-2.0

package features

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// covered makes a frame with n snapshots in each of the given months of 2024,
// whose number is there in the first valued[m] of them.
func covered(n int, months []time.Month, valued []int) *Frame {
	f := &Frame{}
	x := Column{Feature: Feature{Name: "x", Kind: NumberKind}}
	level := Column{Feature: Feature{Name: "plan", Kind: LevelKind}, Levels: []string{"pro"}}
	empty := Column{Feature: Feature{Name: "nothing", Kind: NumberKind}}
	for m, month := range months {
		for i := range n {
			f.Rows = append(f.Rows, Row{Snapshot: time.Date(2024, month, 1+i%28, 0, 0, 0, 0, time.UTC).UnixNano()})
			v := math.NaN()
			if i < valued[m] {
				v = 0 // a value like any other
			}
			x.Num, level.Codes, empty.Num = append(x.Num, v), append(level.Codes, int32(i%2)-1), append(empty.Num, math.NaN())
		}
	}
	f.Columns = []Column{x, level, empty}
	return f
}

func TestCoverage(t *testing.T) {
	c := CoverageOf(covered(4, []time.Month{1, 3, 4}, []int{4, 2, 0}), time.UTC)
	want := &Coverage{Months: []string{"2024-01", "2024-02", "2024-03", "2024-04"}, Snapshots: []int{4, 0, 4, 4},
		Features: []FeatureCoverage{{"x", 6, []int{4, 0, 2, 0}}, {"plan", 6, []int{2, 0, 2, 2}}, {"nothing", 0, []int{0, 0, 0, 0}}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	if c := CoverageOf(&Frame{Columns: []Column{{Feature: Feature{Name: "x", Kind: NumberKind}}}}, time.UTC); len(c.Months) != 0 || c.Total() != 0 ||
		len(c.Findings()) != 0 {
		t.Errorf("an empty frame: %+v", c)
	}
	// A month is one of the project's time zone.
	tokyo := time.FixedZone("Tokyo", 9*60*60)
	f := &Frame{Rows: []Row{{Snapshot: time.Date(2024, 1, 31, 15, 0, 0, 0, time.UTC).UnixNano()}}}
	if c := CoverageOf(f, tokyo); !slices.Equal(c.Months, []string{"2024-02"}) {
		t.Errorf("midnight of the first of February in Tokyo is in %v", c.Months)
	}
}

// A fall is 25 points or more from all earlier months to the last three that
// have snapshots.
func TestCoverageFell(t *testing.T) {
	months := []time.Month{1, 2, 3, 5, 6}
	for _, c := range []struct {
		name   string
		valued []int
		want   []string
	}{
		{"steady", []int{20, 20, 20, 20, 20}, []string{"no_coverage"}},
		{"24 points", []int{20, 20, 16, 15, 15}, []string{"no_coverage"}}, // 100 % to 46/60 = 77 %
		{"25 points", []int{20, 20, 15, 15, 15}, []string{"coverage_fell", "no_coverage"}},
		{"it rose", []int{0, 0, 20, 20, 20}, []string{"no_coverage"}},
	} {
		var got []string
		for _, f := range CoverageOf(covered(20, months, c.valued), time.UTC).Findings() {
			got = append(got, f.Check)
			if f.Check == "coverage_fell" && f.Message != "1 features have a value in far fewer snapshots from 2024-03 on: x (100 % to 75 %)" {
				t.Error(f.Message)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Each renewal counts once, in the month in which it was due.
func TestLabels(t *testing.T) {
	at := func(month time.Month, day int) int64 {
		return time.Date(2024, month, day, 0, 0, 0, 0, time.UTC).UnixNano()
	}
	now := at(7, 1)
	o := &Outcome{Mode: Renewal, GraceDays: 10}
	f := &Frame{Rows: []Row{
		{Contract: "a", Due: at(3, 1), Mature: at(3, 11), Y: 1},
		{Contract: "a", Due: at(3, 1), Mature: at(3, 11), Y: 1}, // its second snapshot
		{Contract: "b", Due: at(5, 31), Mature: at(6, 10), Y: 0},
		{Contract: "c", Due: at(6, 21), Mature: now, Y: 0},         // known at the end of the data
		{Contract: "d", Due: at(6, 22), Mature: at(7, 2), Y: 0},    // signed early: not mature before a churn would be
		{Contract: "e", Due: at(7, 20), Mature: at(6, 1), Y: 1},    // known before it is due
		{Contract: "f", Due: at(6, 21), Mature: Never, Y: Unknown}, // what happens on the last day of grace is still to come
		{Contract: "g", Due: at(6, 20), Mature: Never, Y: Unknown}, // nothing says what became of it
		{Contract: "h", Due: at(6, 5), Mature: at(6, 15), Y: 1},    //
		{Contract: "i", Due: at(6, 5), Mature: at(6, 15), Y: 1},    // another one, due on the same day
		{Contract: "", Due: at(6, 5), Mature: at(6, 5), Y: 0},      // without contracts each snapshot counts
		{Contract: "", Due: at(6, 5), Mature: at(6, 5), Y: 0},      //
	}}
	l := LabelsOf(f, o, now, time.UTC)
	want := &Labels{
		Months: []LabelMonth{{Month: "2024-03", Churned: 1}, {Month: "2024-04"}, {Month: "2024-05", Renewed: 1},
			{Month: "2024-06", Churned: 2, Renewed: 3, NotMature: 2, Censored: 1}, {Month: "2024-07", NotMature: 1}},
		Total:         LabelMonth{Churned: 3, Renewed: 4, NotMature: 3, Censored: 1},
		RecentChurned: 3, RecentRenewed: 4, RecentDays: 112, // from the 11th of March, when the first matured
	}
	if diff := cmp.Diff(want, l); diff != "" {
		t.Error(diff)
	}
	// A year later the same outcomes are no longer recent, but for the last.
	l = LabelsOf(f, o, at(7, 1)+int64(364*24*time.Hour), time.UTC)
	if l.RecentChurned != 1 || l.RecentRenewed != 2 || l.RecentDays != 365 || l.Total.NotMature != 0 {
		t.Errorf("%+v", l)
	}
}
