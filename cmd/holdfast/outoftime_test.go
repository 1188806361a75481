// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/train"
)

var deep = flag.Bool("deep", false, "backtest the large histories too")

// backtested runs the rolling-origin backtest of a real history, with our
// candidate and the base rate only.
func backtested(t *testing.T, name string) *evaluate.Report {
	t.Helper()
	if !*deep && name != "online_retail" {
		t.Skipf("the backtest of %s takes a minute: make test-deep, as CI does", name)
	}
	l := history(t, name)
	if name == "oulad" {
		l.project.fit.Stages = train.StagesLinear // splines reach .1243 in several times the time
	}
	a := &app{progress: new(progress), workers: 2}
	o := a.backtestOptions()
	o.Origins = l.origins
	r, err := evaluate.Backtest(context.Background(), built(t, l, 2).Frame, a.candidates(l.project, &l.spec)[:2], o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Report
}

// The limits are what a plain logistic regression in Python reaches on the
// same rows: ../shared/reference/baselines. Rows, AUC and mean prediction
// are those the first issue names.
func TestOutOfTime(t *testing.T) {
	for _, c := range []struct {
		history      string
		rows         int
		logLoss, auc float64
	}{
		{"online_retail", 1416, 0.5639, 0.743},
		{"oulad", 69369, 0.1254, 0.730},
	} {
		t.Run(c.history, func(t *testing.T) {
			r := backtested(t, c.history)
			m := r.Candidates[0].Pooled
			if m == nil {
				t.Fatalf("failed: %s", r.Candidates[0].Failure)
			}
			t.Logf("log loss %.4f, AUC %.4f, mean p %.4f, observed %.4f, rows %d", m.LogLoss, m.AUC, m.MeanP, m.Rate, m.Rows)
			if m.Rows != c.rows {
				t.Errorf("%d test rows, want %d", m.Rows, c.rows)
			}
			if m.LogLoss > evaluate.Number(c.logLoss) {
				t.Errorf("log loss %.4f, want at most %.4f", m.LogLoss, c.logLoss)
			}
			if m.AUC < evaluate.Number(c.auc) {
				t.Errorf("AUC %.4f, want at least %.3f", m.AUC, c.auc)
			}
			if off := float64(m.MeanP/m.Rate - 1); math.Abs(off) > 0.1 {
				t.Errorf("mean prediction %.4f is %+.0f %% off the observed rate %.4f", m.MeanP, 100*off, m.Rate)
			}
			off := 0
			for _, o := range r.Candidates[0].Origins {
				named := strings.Contains(strings.Join(r.OffOrigins, "\n"), o.Origin)
				if far := math.Abs(float64(o.Metrics.MeanP/o.Metrics.Rate-1)) > 0.1; far != named {
					t.Errorf("origin %s: mean p %.4f, rate %.4f, named in the report: %v", o.Origin, o.Metrics.MeanP, o.Metrics.Rate, named)
				} else if far {
					off++
				}
			}
			t.Logf("%d of %d origins are more than 10 %% off", off, len(r.Candidates[0].Origins))
		})
	}
}

// What is wrong with the dirty history is found.
func TestRavenstackIsDirty(t *testing.T) {
	l := history(t, "ravenstack")
	early := make(map[string]string)
	suspect := ""
	findings, err := data.Check(l.history, l.sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		switch f.Check {
		case "before_created":
			early[f.Subject] = fmt.Sprintf("%d of %d", f.Rows, f.Of)
		case "leak_suspect":
			suspect += f.Subject + ": " + f.Message
		}
	}
	for subject, want := range map[string]string{"product.usage": "13198 of 25000", "product.ticket": "1077 of 2000"} {
		if early[subject] != want {
			t.Errorf("%s before the account was created: %q, want %q", subject, early[subject], want)
		}
	}
	for _, want := range []string{"accounts.final_churn_flag_LEAKS", "by its name", "no valid-from"} {
		if !strings.Contains(suspect, want) {
			t.Errorf("leak suspects %q do not say %q", suspect, want)
		}
	}
}

// The near-random history: the backtest says that no skill is shown.
func TestRavenstackIsTheNullItIs(t *testing.T) {
	r := backtested(t, "ravenstack")
	v := r.Candidates[0].VersusBase
	if v == nil {
		t.Fatalf("failed: %s", r.Candidates[0].Failure)
	}
	t.Logf("%s", v.Words)
	verdict := strings.Join(r.Verdict, " ")
	t.Logf("%s", r.Candidates[0].VersusOwnMean.Words)
	if covers := v.LogLoss.Low <= 0 && v.LogLoss.High >= 0; covers != (v.Finding == evaluate.NoSkill) {
		t.Errorf("the interval %v to %v covers 0: %v; the finding is %q", v.LogLoss.Low, v.LogLoss.High, covers, v.Finding)
	}
	// Churn doubles over the year, so that a model that follows its level beats
	// the base rate of all the past; it cannot tell one account from another.
	said := strings.ToLower(verdict)
	if !strings.Contains(said, "no skill shown") && !strings.Contains(said, "tells accounts apart wrongly") {
		t.Errorf("the verdict does not say that no skill is shown: %s", verdict)
	}
	if p := r.Promotion(); p.Pass {
		t.Errorf("the model may be promoted: %s", p.Reason)
	}
}

// Mean test log loss over the given splits of a ready table. Plain logistic
// regression in Python reaches .4169.
func TestTelcoSplits(t *testing.T) {
	path := filepath.Join(shared, "tabular", "telco", "telco.parquet")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the ready tables are not beside the checkout: %v", err)
	}
	a := &app{fsys: data.Disk{}, progress: new(progress)}
	f, spec, _, err := a.tableFrame(tableFlags{path: path, label: "target", id: "customerID"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const splits = 5
	sum := 0.0
	for split := range splits {
		parts := splitOf(t, filepath.Join(shared, "tabular", "splits", fmt.Sprintf("telco_split%d.csv", split)))
		m, err := train.Fit(context.Background(), f.Select(parts["train"]), *spec, tableProject(tableFlags{}).trainOptions(a))
		if err != nil {
			t.Fatal(err)
		}
		test := f.Select(parts["test"])
		p, err := m.Prob(nil, test)
		if err != nil {
			t.Fatal(err)
		}
		sum += meanLogLoss(p, test)
	}
	t.Logf("mean log loss %.4f", sum/splits)
	if sum/splits > 0.4180 {
		t.Errorf("mean log loss %.4f, want at most .4180", sum/splits)
	}
}

// meanLogLoss is the definition itself, apart from the package that is tested.
func meanLogLoss(p []float64, f *features.Frame) float64 {
	sum := 0.0
	for i := range p {
		if f.Rows[i].Y == 1 {
			sum -= math.Log(p[i])
		} else {
			sum -= math.Log(1 - p[i])
		}
	}
	return sum / float64(len(p))
}

// splitOf reads a file of row numbers and parts.
func splitOf(t *testing.T, name string) map[string][]int {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	parts := make(map[string][]int)
	for _, r := range records[1:] {
		row, err := strconv.Atoi(r[0])
		if err != nil {
			t.Fatal(err)
		}
		parts[r[1]] = append(parts[r[1]], row)
	}
	return parts
}
