// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate/report"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// giveExplained prints an explained account, or writes it to a file.
func (a *app) giveExplained(e *explained, output string) error {
	var b bytes.Buffer
	switch ext(output) {
	case ".svg":
		picture, err := pictureOf(e)
		if err != nil {
			return err
		}
		if err := data.WriteFile(a.fsys, output, func(w io.Writer) error { return report.WriteAccountSVG(w, picture) }); err != nil {
			return err
		}
	case ".json":
		if err := json.NewEncoder(&b).Encode(e); err != nil {
			return fmt.Errorf("writing %s: %w", output, err)
		}
	case ".txt":
		text := *a
		text.json, text.stdout = false, &b
		text.showExplained(e)
	}
	if b.Len() > 0 {
		if err := data.WriteBytes(a.fsys, output, b.Bytes()); err != nil {
			return err
		}
	}
	switch {
	case a.json:
		return a.printJSON(e)
	case output != "":
		a.printf("%s\n", output)
	default:
		a.showExplained(e)
	}
	return nil
}

// pictureOf returns what is drawn of an explained account: its first row with a
// score.
func pictureOf(e *explained) (*report.Account, error) {
	for i := range e.Rows {
		r := &e.Rows[i]
		if r.Score == nil {
			continue
		}
		s := r.Score
		p := &report.Account{Title: strings.TrimSpace(fmt.Sprintf("%s %s as of %s", e.Account, r.Contract, e.AsOf)),
			Lead:      fmt.Sprintf("Due %s in %d days; %s; health %.0f, %s; model %s", r.Due, r.LeadDays, s.probability(), s.Health, s.Tier, e.ModelID),
			Waterfall: *s.Waterfall}
		for _, t := range s.Trend {
			health := math.NaN()
			if t.Health != nil {
				health = *t.Health
			}
			p.Trend = append(p.Trend, report.TrendPoint{Date: t.Date, Days: t.Days, Health: health})
		}
		return p, nil
	}
	return nil, fmt.Errorf("drawing the account: %w: it has no score as of %s; %s", registry.ErrNotFound, e.AsOf, strings.Join(e.Notes, "; "))
}

// probability writes p with its interval.
func (s *explainedScore) probability() string {
	text := fmt.Sprintf("p_churn %.1f %%", 100*s.P)
	if s.Low != nil && s.High != nil {
		text += fmt.Sprintf(" (90 %% interval %.1f to %.1f)", 100**s.Low, 100**s.High)
	}
	return text
}

// showScore prints a score and how it came about.
func (a *app) showScore(s *explainedScore, e *explained) {
	a.printf("  model %s: %s, health %.0f, %s\n", e.ModelID, s.probability(), s.Health, s.Tier)
	if e.Profile != "" {
		a.printf("    profile %s\n", e.Profile)
	}
	if s.Stability != nil && s.Main != "" {
		a.printf("    main pillar %s; the first would stay first with probability %.2f\n", s.Main, *s.Stability)
	}
	for _, text := range s.Reasons {
		a.printf("    raises the risk  %s\n", text)
	}
	for _, text := range s.Helps {
		a.printf("    lowers the risk  %s\n", text)
	}
	a.printf("  trend, by this model from what was known then\n   ")
	for _, t := range s.Trend {
		if t.Health == nil {
			a.printf(" %s -", t.Date)
		} else {
			a.printf(" %s %.0f", t.Date, *t.Health)
		}
	}
	a.printf("\n")
	a.showWaterfall(s.Waterfall)
	if len(s.Changes) > 0 {
		a.printf("  changed in %d days, by data\n", changeDays)
	}
	for _, c := range s.Changes {
		a.printf("    %+6.2f  %s: %s, was %s\n", c.Effect, c.Label, c.To, c.From)
	}
	if m := s.Model; m != nil {
		a.printf("  changed by model\n    %+6.1f points of health against %s, the champion before, which says %.1f %% and %.0f\n", m.Change, m.ModelID, 100*m.P, m.Health)
	}
	for i, w := range s.WhatIfs[:min(whatIfsListed, len(s.WhatIfs))] {
		if i == 0 {
			a.printf("  what if, all else as it is (association, not effect: accounts with such values churned less)\n")
		}
		which := "the best of training"
		if w.Typical {
			which = "the median"
		}
		a.printf("    health %3.0f (%+.0f), p %4.1f %%  %s: %s, not %s (%s)\n", w.Health, w.Change, 100*w.P, w.Label, w.To, w.From, which)
	}
}

// waterfallFeatures is how many features of a pillar the terminal shows.
const waterfallFeatures = 3

// showWaterfall prints the steps from the base rate to the account.
func (a *app) showWaterfall(w *predict.Waterfall) {
	a.printf("  steps from the base rate, in log-odds of churn\n")
	step := func(indent int, effect float64, label string) {
		bar := strings.Repeat("▇", min(30, int(math.Abs(effect)*10+.5)))
		a.printf("%s\n", strings.TrimRight(fmt.Sprintf("    %s%+6.2f  %-*s %s", strings.Repeat(" ", indent), effect, 44-indent, label, bar), " "))
	}
	a.printf("    %6.2f  base rate, health 60\n", w.Base)
	step(0, w.Average, "average account")
	for _, p := range w.Pillars {
		step(0, p.Effect, fmt.Sprintf("%s, sub-score %.0f", p.Name, p.Health))
		for _, f := range p.Features[:min(waterfallFeatures, len(p.Features))] {
			if f.Effect != 0 {
				step(4, f.Effect, f.Label+": "+f.Value)
			}
		}
	}
	if w.Map != 0 {
		step(0, w.Map, "calibration map")
	}
	a.printf("    %6.2f  this account\n", w.Z)
}
