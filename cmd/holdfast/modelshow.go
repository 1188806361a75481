// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// Of a model's parts the largest are shown, so that 600 columns read as 20
// lines; --all shows the rest.
const partsShown = 20

// namesShown is the number of features named that were dropped for one reason.
const namesShown = 8

// showModel prints a model as people read it.
func (a *app) showModel(m *predict.Model, id string, all bool) {
	p, o := &m.Provenance, &m.OutOfFold
	a.printf("model %s\n", id)
	a.printf("  as of %s, %d rows of %d renewals, %d churned, ridge penalty %.4g\n", orDefault(p.AsOf, "-"),
		p.Rows, p.Renewals, p.Churned, p.Lambda)
	if u := p.Update; u != nil {
		a.printf("  %s of %s, by %d renewals since %s\n", u.Kind, u.Of, u.Renewals, u.Since)
	}
	if p.Streamed != nil {
		a.printf("  streamed: %s\n", streamedText(p.Streamed))
	}
	if o.Folds > 0 {
		a.printf("  out of fold (%d folds): log loss %.4f, %.4f for the churn rate alone, AUC %.3f\n", o.Folds, o.LogLoss, o.BaseLoss, o.AUC)
	}
	c := &m.Calibration
	a.printf("  calibration %s: log-odds %+.3f %+.3f z; %s\n", c.Method, c.Intercept, c.Slope, orDefault(c.Reason, "no reason given"))
	a.showShifts(c.Segments)
	a.showKinds(p.Contest)
	a.showParts(m, all)
	a.showTiers(&m.Score)
	a.showDropped(m.Dropped, all)
	for _, w := range m.Warnings {
		a.warn("%s", w)
	}
}

// showShifts prints the shifts of segments.
func (a *app) showShifts(s *predict.Segments) {
	if s == nil {
		return
	}
	words := make([]string, len(s.Shifts))
	for k, shift := range s.Shifts {
		words[k] = fmt.Sprintf("%s %+.2f", shift.Level, shift.Intercept)
	}
	a.printf("  shifts by %s: %s\n", s.Feature, strings.Join(words, ", "))
}

// showKinds prints which kinds of model were tried, what they gained, and what
// spoke against the ones that lost.
func (a *app) showKinds(tried []predict.Contestant) {
	if len(tried) == 0 {
		return
	}
	a.printf("\nkinds of model tried; gain: fall of the out-of-fold log loss from linear terms, with its standard error\n")
	for i := range tried {
		t := &tried[i]
		text := fmt.Sprintf("%-8s  log loss %.5f  gain %+.5f (%.5f)", t.Stage, t.LogLoss, t.Gain, t.SE)
		if t.Pairs > 0 {
			text += ", " + plural(t.Pairs, "pair")
		}
		if t.Rules > 0 {
			text += ", " + plural(t.Rules, "rule")
		}
		if l := t.Later; l != nil {
			text += fmt.Sprintf("; on later rows %+.5f (%.5f), better in %d of %d blocks", l.Mean, l.SE, l.Better, l.Blocks)
			if !l.Holds {
				text += ": not enough"
			}
		}
		if t.Chosen {
			text += "  chosen"
		}
		a.printf("  %s\n", text)
	}
}

// A modelPart is a term, a pair, a table or the scorecard as one line.
type modelPart struct {
	what   string // feature, pair, table or scorecard
	share  float64
	size   float64 // by which parts of equal share are sorted
	effect string  // with its interval, of a term
	curve  string  // a sparkline, of a term
	text   string
	detail []string // lines of their own with --all
}

// partsOf returns a model's parts, the largest share of the variance first.
func partsOf(m *predict.Model) []modelPart {
	var parts []modelPart
	for j := range m.Terms {
		parts = append(parts, termPart(&m.Terms[j]))
	}
	for k := range m.Pairs {
		if pair := &m.Pairs[k]; pair.OfSlopes() {
			parts = append(parts, slopesPart(m, pair))
		} else {
			parts = append(parts, pairPart(m, pair))
		}
	}
	for k := range m.Tables {
		parts = append(parts, tablePart(m, &m.Tables[k]))
	}
	if m.Scorecard != nil {
		parts = append(parts, cardPart(m.Scorecard))
	}
	slices.SortStableFunc(parts, func(a, b modelPart) int {
		return cmp.Or(cmp.Compare(b.share, a.share), cmp.Compare(b.size, a.size))
	})
	return parts
}

func (a *app) showParts(m *predict.Model, all bool) {
	parts := partsOf(m)
	shown := parts
	if !all && len(parts) > partsShown {
		shown = parts[:partsShown-1]
	}
	a.printf(`
log-odds of churn against the average account, before calibration; above 0 raises the risk
share: of the variance between accounts. effect: of the 75th against the 25th percentile,
or what is named, with its 90 %% interval. curve: from the lowest to the highest value
`)
	a.printf("  %6s  %7s  %-18s  %-8s\n", "share", "effect", "", "curve")
	for i := range shown {
		p := &shown[i]
		a.printf("  %6s  %-27s  %s  %s\n", shareText(p.share), p.effect, padded(p.curve, curveWidth), p.text)
		for _, line := range p.detail {
			if all {
				a.printf("  %s%s\n", strings.Repeat(" ", 2+6+2+27+2+curveWidth), line)
			}
		}
	}
	if rest := parts[len(shown):]; len(rest) > 0 {
		sum, counts := 0.0, map[string]int{}
		for i := range rest {
			sum += rest[i].share
			counts[rest[i].what]++
		}
		var words []string
		for _, what := range []string{"feature", "pair", "table", "scorecard"} {
			if n := counts[what]; n > 0 {
				words = append(words, plural(n, what))
			}
		}
		a.printf("  %6s  the other %s; --all shows them\n", shareText(sum), strings.Join(words, ", "))
	}
}

// cardPart shows a scorecard by what 12 points of it do, which halve the odds by
// hand.
func cardPart(c *predict.Scorecard) modelPart {
	const points = 12
	per := points / c.SD
	e := predict.NewInterval(per*c.Weight, per*c.SE)
	return modelPart{what: "scorecard", share: c.Share, size: math.Abs(e.Estimate),
		effect: fmt.Sprintf("%+7.3f  (%+.3f to %+.3f)", e.Estimate, e.Low, e.High),
		text:   fmt.Sprintf("%s, %d points more; made by hand %+.3f", orDefault(c.Name, "scorecard"), points, points*predict.PointWeight)}
}

// plural writes a count of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// shareText writes a share of the variance; models of before shares were
// written have none.
func shareText(share float64) string {
	if share == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// padded fills a text with spaces up to a number of characters.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(width-len([]rune(text)), 0))
}

func termPart(t *predict.Term) modelPart {
	e := t.Effect
	p := modelPart{what: "feature", share: t.Share, size: math.Abs(e.Estimate), text: orDefault(t.Label, t.Feature),
		effect: fmt.Sprintf("%+7.3f  (%+.3f to %+.3f)", e.Estimate, e.Low, e.High)}
	if contrast := strings.TrimSuffix(t.Contrast, " (75th against 25th percentile)"); contrast != "" {
		p.text += ", " + contrast
	}
	n := 2 // the ends of a line
	if len(t.Knots) > 0 {
		n = 5
	}
	points := t.Shape(n)
	if t.Kind != string(features.LevelKind) {
		p.curve = sparkline(t.Shape(curveWidth))
	} else { // of many levels the strongest
		slices.SortStableFunc(points, func(a, b predict.Point) int { return cmp.Compare(math.Abs(b.Effect), math.Abs(a.Effect)) })
		points = points[:min(5, len(points))]
	}
	if effect, met := t.MissingEffect(); met {
		points = append(points, predict.Point{Label: "missing", Effect: effect})
	}
	words := make([]string, len(points))
	for i, point := range points {
		words[i] = fmt.Sprintf("%s %+.2f", point.Label, point.Effect)
	}
	p.text += "; at " + strings.Join(words, ", ")
	return p
}

// slopesPart names what the weight of a number differs by in each segment.
func slopesPart(m *predict.Model, pair *predict.Pair) modelPart {
	p := modelPart{what: "pair", share: pair.Share}
	words := make([]string, len(pair.Cells))
	for k, c := range pair.Cells {
		words[k] = fmt.Sprintf("%s %+.2f", pair.Sides[0].Levels[c.I], c.Weight)
		p.size = max(p.size, math.Abs(c.Weight))
		e := predict.NewInterval(c.Weight, c.SE)
		p.detail = append(p.detail, fmt.Sprintf("%s %+.3f (%+.3f to %+.3f)", pair.Sides[0].Levels[c.I], e.Estimate, e.Low, e.High))
	}
	p.text = fmt.Sprintf("slope of %s by %s, for a standard deviation more: %s",
		m.Label(pair.Sides[1].Feature), m.Label(pair.Sides[0].Feature), strings.Join(words, ", "))
	return p
}

// pairPart names the values at which a pair adds most and least.
func pairPart(m *predict.Model, pair *predict.Pair) modelPart {
	one, other := m.Label(pair.Sides[0].Feature), m.Label(pair.Sides[1].Feature)
	p := modelPart{what: "pair", share: pair.Share, text: one + " with " + other}
	a, b, effect := pair.Grid()
	most, least := [2]int{}, [2]int{}
	for i := range a {
		for j := range b {
			if effect[i][j] > effect[most[0]][most[1]] {
				most = [2]int{i, j}
			}
			if effect[i][j] < effect[least[0]][least[1]] {
				least = [2]int{i, j}
			}
		}
		p.detail = append(p.detail, fmt.Sprintf("%s %s:%s", one, a[i], gridText(b, effect[i])))
	}
	if len(a) > 0 && len(b) > 0 {
		p.size = effect[most[0]][most[1]] - effect[least[0]][least[1]]
		at := func(k [2]int) string {
			return fmt.Sprintf("%+.2f at %s and %s", effect[k[0]][k[1]], a[k[0]], b[k[1]])
		}
		p.text += ": " + at(most) + ", " + at(least)
	}
	return p
}

func gridText(labels []string, effects []float64) string {
	var b strings.Builder
	for j, label := range labels {
		fmt.Fprintf(&b, "  %s %+.2f", label, effects[j])
	}
	return b.String()
}

// tablePart names the rule of a table that adds most either way.
func tablePart(m *predict.Model, t *predict.Table) modelPart {
	p := modelPart{what: "table", share: t.Share}
	strongest := 0
	for k := range t.Rules {
		r := &t.Rules[k]
		p.detail = append(p.detail, fmt.Sprintf("%+.2f where %s (%.1f %% of rows)", t.Effect(k), r.Words(m.Label), 100*r.Mean))
		if math.Abs(t.Effect(k)) > math.Abs(t.Effect(strongest)) {
			strongest = k
		}
	}
	p.size = math.Abs(t.Effect(strongest))
	p.text = fmt.Sprintf("table of %s: %s", plural(len(t.Rules), "rule"), p.detail[strongest])
	return p
}

// curveWidth is the number of characters of a sparkline.
const curveWidth = 8

// sparkline draws a curve as bars from the lowest to the highest of its
// points.
func sparkline(points []predict.Point) string {
	if len(points) < 2 {
		return ""
	}
	low, high := points[0].Effect, points[0].Effect
	for _, p := range points {
		low, high = min(low, p.Effect), max(high, p.Effect)
	}
	if !(high > low) {
		return strings.Repeat("▁", len(points))
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	out := make([]rune, len(points))
	for i, p := range points {
		out[i] = bars[int(math.Round((p.Effect-low)/(high-low)*float64(len(bars)-1)))]
	}
	return string(out)
}

// showTiers prints the tiers with the probabilities at which they begin.
func (a *app) showTiers(s *predict.Score) {
	atRisk := min(s.ProbAt(s.AtRisk), s.AtRiskP)
	watch, healthy := min(s.ProbAt(s.Watch), atRisk), min(s.ProbAt(s.Healthy), atRisk)
	a.printf("\nhealth 60 is a churn probability of %.1f %%; tiers\n", 100*s.BaseRate)
	a.printf("  at_risk   below %g, or p from %.1f %% on: p above %.1f %%\n", s.AtRisk, 100*s.AtRiskP, 100*atRisk)
	a.printf("  watch     below %g: p above %.1f %%\n", s.Watch, 100*watch)
	a.printf("  healthy   below %g: p above %.1f %%\n", s.Healthy, 100*healthy)
	a.printf("  loyal     the rest\n")
}

// showDropped prints what is not in the model, by reason.
func (a *app) showDropped(dropped []predict.Dropped, all bool) {
	if len(dropped) == 0 {
		return
	}
	a.printf("\nnot in the model\n")
	var reasons []string
	names := make(map[string][]string)
	for _, d := range dropped {
		if names[d.Reason] == nil {
			reasons = append(reasons, d.Reason)
		}
		names[d.Reason] = append(names[d.Reason], d.Feature)
	}
	left := 0
	for i, reason := range reasons {
		if !all && i >= partsShown {
			left += len(names[reason])
			continue
		}
		shown, more := names[reason], ""
		if !all && len(shown) > namesShown {
			shown, more = shown[:namesShown], fmt.Sprintf(" and %d more", len(shown)-namesShown)
		}
		a.printf("  %s: %s%s\n", reason, strings.Join(shown, ", "), more)
	}
	if left > 0 {
		a.printf("  and %s for other reasons; --all shows them\n", plural(left, "feature"))
	}
}
