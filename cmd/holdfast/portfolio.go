// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/evaluate/report"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// forecastSeed fixes the simulated futures of a summary.
const forecastSeed = 1

// summarise sums up the scores of a project at asOf by a model of that id.
func (a *app) summarise(l *loaded, asOf time.Time, id string, scores *data.Table) (*predict.Summary, error) {
	a.progress.begin("forecast")
	o := predict.SummaryOptions{Forecast: predict.ForecastOptions{Seed: forecastSeed}}
	for _, c := range l.history.Show {
		o.Show = append(o.Show, c.Name)
	}
	if l.outcome.Mode == features.Renewal {
		o.Forecast.Kept = features.KeptShares(l.history, &l.outcome, asOf.UnixNano())
	}
	var err error
	o.Forecast.ShockSD, o.ShockFrom, err = a.shock(l.project, id)
	if err != nil {
		return nil, err
	}
	return predict.Summarise(scores, o), nil
}

// shock returns the standard deviation of a quarter's common shock and where it
// comes from: the report beside the model, or the default.
func (a *app) shock(p *project, id string) (sd float64, from string, err error) {
	r, err := a.readReport(p, id)
	if err != nil {
		return 0, "", err
	}
	if r != nil {
		for i := range r.Candidates {
			if c := &r.Candidates[i]; c.Name == r.Subject {
				if sd, ok := predict.ShockSD(resultsOf(c.Origins)); ok {
					return sd, fmt.Sprintf("from the %d origins of the model's backtest", len(c.Origins)), nil
				}
			}
		}
	}
	return predict.DefaultShockSD, "a default, for the model has no backtest of three origins or more", nil
}

func resultsOf(origins []evaluate.OriginScores) []predict.QuarterResult {
	var out []predict.QuarterResult
	for _, o := range origins {
		if m := o.Metrics; m != nil {
			out = append(out, predict.QuarterResult{N: float64(m.Weight), Rate: float64(m.Rate), MeanP: float64(m.MeanP)})
		}
	}
	return out
}

// reportPath is where the backtest of a model lies.
func reportPath(p *project, id string) string {
	return filepath.Join(p.registry.Dir, id, "report.json")
}

// readReport reads the backtest report beside a model, nil where there is none.
func (a *app) readReport(p *project, id string) (*evaluate.Report, error) {
	name := reportPath(p, id)
	f, err := a.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := new(evaluate.Report)
	if err := json.NewDecoder(io.NewSectionReader(f, 0, 64<<20)).Decode(r); err != nil {
		return nil, fmt.Errorf("reading %s: %w: %v", name, predict.ErrIntegrity, err)
	}
	return r, nil
}

// summaryPage writes a summary as a page.
func (a *app) summaryPage(name string, l *loaded, s *predict.Summary) error {
	return data.WriteFile(a.fsys, name, func(w io.Writer) error { return report.WriteSummaryHTML(w, l.name, s) })
}

// summaryName is where the page of a score file goes: beside it.
func summaryName(scores string) string {
	return strings.TrimSuffix(scores, filepath.Ext(scores)) + "-summary.html"
}

// summaryLines is how many rows of a list the terminal shows.
const summaryLines = 5

// showSummary prints a summary for people.
func (a *app) showSummary(s *predict.Summary) {
	a.printf("\nportfolio as of %s, model %s: %d of %d rows have a probability\n", s.AsOf, s.ModelID, s.Scored, s.Rows)
	for _, t := range s.Tiers {
		a.printf("  %-8s %7d  %5.1f %%\n", t.Name, t.Rows, 100*float64(t.Rows)/float64(max(1, s.Scored)))
	}
	for _, n := range s.Notes {
		a.printf("  %s\n", n)
	}
	for i, g := range s.Segments {
		if i == 0 {
			a.printf("\n  %-20s %7s  %7s  %7s\n", "segment", "scored", "at_risk", "mean p")
		}
		a.printf("  %-20s %7d  %7d  %5.1f %%\n", orDefault(g.Segment, "-"), g.Scored, g.AtRisk, 100*g.MeanP)
	}
	for i, m := range s.Money {
		if i == 0 {
			a.printf("\n%-9s %-4s %8s %14s %14s   %-24s %s\n", "due", "", "renewals", "value", "value at risk", "GRR (90 % interval)", "NRR (90 % interval)")
		}
		for _, k := range s.Months {
			if k.Currency == m.Currency {
				a.showRetention(k.Month, k.Currency, k.AtRisk, &k.Retention)
			}
		}
		a.showRetention("all", m.Currency, m.AtRisk, &m.Retention)
		a.printf("          lifetime value %.0f; %d more renewals, worth %.0f, are early or decided and not in it\n", m.Lifetime, m.Unscored, m.UnscoredValue)
	}
	if len(s.Money) > 0 {
		a.printf("\nintervals: a quarter's common shock has a standard deviation of %.2f in log-odds, %s; %s\n", s.ShockSD, s.ShockFrom, keptWords(s.Kept))
	}
	for _, list := range predict.Lists {
		if entries := s.Lists[list]; len(entries) > 0 {
			a.printf("\n%s: %s\n", list, report.ListWords(list))
			for _, e := range entries[:min(summaryLines, len(entries))] {
				reason := e.Reason
				if list != predict.Support {
					reason = e.Helps
				}
				a.printf("  %-14s %-10s %5.1f %% %5.0f  %-8s %s\n", e.Account, e.Due, 100*e.P, e.Health, e.Tier, reason)
			}
		}
	}
}

func (a *app) showRetention(name, currency string, atRisk float64, r *predict.Retention) {
	if r.Renewals == 0 {
		return
	}
	interval := func(f *predict.Forecast) string {
		return fmt.Sprintf("%5.1f %% (%.1f to %.1f)", 100*f.Mean, 100*f.P90.Low, 100*f.P90.High)
	}
	a.printf("%-9s %-4s %8d %14.0f %14.0f   %-24s %s\n", name, currency, r.Renewals, r.Value, atRisk, interval(&r.GRR), interval(&r.NRR))
}

func keptWords(kept int) string {
	if kept == 0 {
		return "no past renewal says what it kept, so each simulated one keeps all"
	}
	return fmt.Sprintf("each simulated renewal keeps as much as one of %d past ones", kept)
}
