// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
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

// A candidate that gains by its level alone is not said to rank.
func TestVerdictOnRanking(t *testing.T) {
	m := &Metrics{AUC: 0.52, Lift: 1.1}
	better := &Comparison{Finding: Better}
	if got := rankWords(&Scores{Pooled: m, VersusBase: better}); !strings.Contains(got,
		"hardly better than chance") || !strings.Contains(got, "level") {
		t.Error(got)
	}
	m.AUC = Number(math.NaN())
	if got := rankWords(&Scores{Pooled: m}); !strings.Contains(got, "cannot be said") {
		t.Error(got)
	}
}

// Only a report with a finding for the model lets it be promoted.
func TestPromotion(t *testing.T) {
	tests := []struct {
		name   string
		report Report
		pass   bool
		reason string
	}{
		{"better", Report{Subject: "m", Candidates: []Scores{{Name: "m",
			VersusBase: &Comparison{Finding: Better, Words: "by much"}}}}, true, "by much"},
		{"no skill", Report{Subject: "m", Candidates: []Scores{{Name: "m",
			VersusBase: &Comparison{Finding: NoSkill, Words: "none"}}}}, false, "none"},
		{"failed", Report{Subject: "m", Candidates: []Scores{{Name: "m", Failure: "no rows"}}}, false,
			"no rows"},
		{"nothing", Report{}, false, "compares no model"},
	}
	for _, test := range tests {
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
