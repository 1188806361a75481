// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/features"
)

// Origins are named exactly where the mean prediction is more than 10 % off.
func TestOffOrigins(t *testing.T) {
	f := history(400, 12, 1)
	for i := range f.Rows {
		if f.Rows[i].Snapshot >= day(t, "2022-09-01").UnixNano() &&
			f.Rows[i].Snapshot < day(t, "2022-10-01").UnixNano() {
			f.Rows[i].Y = int8(i / 12 % 2) // half of all, where a fifth was expected
		}
	}
	r := backtest(t, f, Options{}, byLevel()).Report
	var want []string
	for _, o := range scoresOf(t, r, "by_level").Origins {
		if m := o.Metrics; math.Abs(float64(m.MeanP/m.Rate)-1) > 0.1 {
			want = append(want, o.Origin)
		}
	}
	var got []string
	for _, s := range r.OffOrigins {
		got = append(got, strings.SplitN(s, ":", 2)[0])
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 || len(got) == r.Design.Tested {
		t.Errorf("origins that are off: %s", diff)
	}
	if text := strings.Join(r.OffOrigins, "\n"); !strings.Contains(text, "2022-09-01: predicted") ||
		!strings.Contains(text, "observed 50.0 %") ||
		!strings.Contains(text, "% too low (400 rows, 200 churned)") {
		t.Errorf("in words: %s", text)
	}
	if !strings.Contains(r.Verdict[1], "2022-09-01") {
		t.Errorf("the verdict does not name it: %q", r.Verdict[1])
	}
}

// What makes figures doubtful is said.
func TestWarnings(t *testing.T) {
	f := history(120, 8, 1)
	for i := range f.Rows {
		r := &f.Rows[i]
		if i%6 == 0 {
			r.Y, r.Mature = features.Unknown, features.Never
		}
		if i%7 == 1 {
			r.Status = features.Decided
		}
		r.Group = []string{"a", "b", "c"}[i%3]
	}
	r := backtest(t, f, Options{Origins: OriginOptions{First: time.Date(2022, 3, 1, 0, 0, 0, 0, time.UTC)}},
		byLevel()).Report
	text := strings.Join(r.Warnings, "\n")
	for _, want := range []string{
		"churned test rows: every figure here is uncertain",
		"3 accounts (or groups) in the test rows: the intervals are too narrow",
		"are censored",
		"get no probability (decided or due too late)",
		"origins could not be tested",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no warning says %q:\n%s", want, text)
		}
	}
	if clean := backtest(t, history(400, 12, 1), Options{}, byLevel()).Report; len(clean.Warnings) != 0 {
		t.Errorf("warnings about nothing: %q", clean.Warnings)
	}
}

// A candidate that knows how the level of churn moves, and nothing else, beats
// an expanding base rate and is still said to have no skill.
func TestLevelAloneIsNoSkill(t *testing.T) {
	f := history(400, 12, 1)
	for i := range f.Rows {
		month := i % 12 // churn of every account rises from month to month
		f.Rows[i].Y = 0
		if (i/12+7*month)%40 < 2+2*month {
			f.Rows[i].Y = 1
		}
	}
	latest := Candidate{Name: "latest", Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
		newest := int64(math.MinInt64)
		for i := range f.Rows {
			newest = max(newest, f.Rows[i].Snapshot)
		}
		return baseRate(churnRate(f.Rows, f.Where(func(r *features.Row) bool { return r.Snapshot == newest }))), nil
	}}
	r := backtest(t, f, Options{}, latest).Report
	s := scoresOf(t, r, "latest")
	if s.VersusBase.Finding != Better {
		t.Fatalf("against the base rate: %s", s.VersusBase.Words)
	}
	if d := s.VersusOwnMean.LogLoss.Estimate; s.VersusOwnMean.Finding != NoSkill || math.Abs(float64(d)) > 1e-12 {
		t.Errorf("against its own mean, which it predicts: %s", s.VersusOwnMean.Words)
	}
	if text := strings.Join(r.Verdict, " "); !strings.Contains(text, "No skill shown in telling accounts apart") {
		t.Errorf("the verdict does not say so: %s", text)
	}
	if v := r.Promotion(); v.Pass || !strings.Contains(v.Reason, "No skill shown") {
		t.Errorf("it may be promoted: %+v", v)
	}
	// One that ranks does tell accounts apart.
	if s := scoresOf(t, backtest(t, history(400, 12, 1), Options{}, byLevel()).Report, "by_level"); s.VersusOwnMean.Finding != Better {
		t.Errorf("by level: %s", s.VersusOwnMean.Words)
	}
}

// Only a report whose gates all pass lets its model be promoted.
func TestPromotion(t *testing.T) {
	skilled := func(change func(*Scores)) Report {
		m := Scores{Name: "m", VersusBase: &Comparison{Finding: Better, PBetter: 1, Words: "by much"},
			VersusOwnMean: &Comparison{Finding: Better}, Excess: &Excess{Upper: 0.001, Bound: 0.005}}
		change(&m)
		return Report{Candidates: []Scores{m}, Design: Design{MatureChurned: 100, MatureRenewed: 300}}
	}
	champion := func(v *Comparison, e *Excess) func(r *Report) {
		return func(r *Report) {
			r.Candidates = append(r.Candidates, Scores{Name: ChampionName, VersusSubject: v, Excess: e})
		}
	}
	segment := func(p ...Number) func(r *Report) {
		return func(r *Report) {
			for i, p := range p {
				r.Slices = append(r.Slices, Slice{Kind: BySegment, Name: fmt.Sprint("s", i), Scores: []SliceScores{{Excess: &Excess{P: p}}}})
			}
		}
	}
	same := func(*Scores) {}
	tests := []struct {
		name   string
		report Report
		with   func(*Report)
		pass   bool
		reason string
	}{
		{"better", skilled(same), nil, true, "by much"},
		{"not surely", skilled(func(s *Scores) { s.VersusBase.PBetter = 0.949 }), nil, false, "by much"},
		{"level only", skilled(func(s *Scores) { s.VersusOwnMean = &Comparison{Finding: NoSkill, Words: "no ranking"} }), nil, false, "no ranking"},
		{"no skill", skilled(func(s *Scores) { s.VersusBase = &Comparison{Finding: NoSkill, Words: "none"} }), nil, false, "none"},
		{"failed", Report{Candidates: []Scores{{Name: "m", Failure: "no rows"}}}, nil, false, "no rows"},
		{"nothing", Report{Candidates: []Scores{{Name: BaseRateName}}}, nil, false, "compares no model"},
		{"miscalibrated", skilled(func(s *Scores) { s.Excess.Upper = 0.006 }), nil, false, "calibrated"},
		{"miscalibrated, and provisional", skilled(func(s *Scores) { s.Excess.Upper, s.Excess.P = 0.006, 0.11 }),
			func(r *Report) { r.Design.MatureChurned = 99 }, true, "provisional"},
		{"miscalibrated beyond doubt, and provisional", skilled(func(s *Scores) { s.Excess.Upper, s.Excess.P = 0.006, 0.09 }),
			func(r *Report) { r.Design.MatureChurned = 99 }, false, "calibrated"},
		{"no worse calibrated than the champion", skilled(func(s *Scores) { s.Excess.Upper, s.Excess.E = 0.006, 0.003 }),
			champion(nil, &Excess{E: 0.003}), true, "by much"},
		{"worse than the champion", skilled(same), champion(&Comparison{PNotWorse: 0.89, Words: "it lost"}, nil), false, "it lost"},
		{"no worse than the champion", skilled(same), champion(&Comparison{PNotWorse: 0.9, Words: "it lost"}, nil), true, "by much"},
		{"provisional", skilled(same), func(r *Report) { r.Design.MatureChurned = 99 }, true, "provisional"},
		// Holm: the smallest of two p is asked for .05, the larger for .10.
		{"segments", skilled(same), segment(0.051, 0.09), true, "by much"},
		{"a segment", skilled(same), segment(0.5, 0.05), false, "s1"},
	}
	for _, test := range tests {
		if test.with != nil {
			test.with(&test.report)
		}
		test.report.Gates = test.report.gates()
		v := test.report.Promotion()
		if v.Pass != test.pass || !strings.Contains(v.Reason, test.reason) {
			t.Errorf("%s: %+v", test.name, v)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 69369: "69,369",
		1234567: "1,234,567"} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

// What report.json holds can be read back: the file is the struct.
func TestReportReadsBack(t *testing.T) {
	r := backtest(t, history(200, 10, 1), Options{}, byLevel()).Report
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, &back, undefinedAlike); diff != "" {
		t.Error(diff)
	}
}
