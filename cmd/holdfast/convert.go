// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/train"
)

// A converter turns the written file into options and keeps the first error.
type converter struct {
	dir    string
	err    error
	events []data.EventSource // once converted
}

func (c *converter) check(ok bool, key, format string, args ...any) {
	if !ok && c.err == nil {
		c.err = usageError("%s: %s", key, fmt.Sprintf(format, args...))
	}
}

// oneOf accepts an empty value, which stands for the default, or one of those
// listed.
func (c *converter) oneOf(key, value string, values ...string) {
	n := len(values) - 1
	c.check(value == "" || slices.Contains(values, value), key, "found %q; expected %s or %s",
		value, strings.Join(values[:n], ", "), values[n])
}

func (c *converter) require(key, value string) {
	c.check(value != "", key, "is required and missing")
}

func (c *converter) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

func (c *converter) sources(y *projectYAML, p *project) {
	loc, err := time.LoadLocation(y.Timezone)
	if err != nil || y.Timezone == "Local" { // local to which machine?
		c.check(false, "timezone", "%q is not a known time zone; expected a name such as UTC or Europe/London", y.Timezone)
		loc = time.UTC
	}
	a := y.Data.Accounts
	c.require("data.accounts.path", a.Path)
	c.require("data.accounts.key", a.Key)
	for _, name := range a.Show {
		c.check(!predict.IsScoreColumn(name), "data.accounts.show",
			"%q is the name of a score column; leave it out or rename the column", name)
	}
	p.sources = data.Sources{Location: loc, Accounts: data.AccountSource{Path: c.path(a.Path), Key: a.Key, Created: a.Created, ValidFrom: a.ValidFrom,
		Segment: a.Segment, Phase: a.Phase, Group: a.Group, Attributes: a.Attributes, Show: a.Show}}
	c.check(y.Data.Contracts != nil || len(y.Data.Events) > 0, "data", "contracts or events are required; neither is given")
	if k := y.Data.Contracts; k != nil {
		for _, r := range [][2]string{{"path", k.Path}, {"key", k.Key}, {"account", k.Account}, {"start", k.Start}, {"due", k.Due}} {
			c.require("data.contracts."+r[0], r[1])
		}
		c.check(k.Outcome == "" || len(k.Churned) > 0, "data.contracts.churned", "list the values of %q that mean churn", k.Outcome)
		c.oneOf("data.contracts.value_known", k.ValueKnown, "start", "end")
		c.check((k.Reason == "") == (len(k.Involuntary) == 0), "data.contracts.involuntary",
			"reason and involuntary go together: the column, and its values that the account did not choose")
		c.check(k.Kept == "" || k.RenewedValue == "", "data.contracts.kept", "kept and renewed_value exclude each other")
		c.check(k.RenewedValue == "" || k.Value != "", "data.contracts.renewed_value", "value is needed beside it, to compare it with")
		for _, r := range [][2]string{{"reason", k.Reason}, {"kept", k.Kept}, {"renewed_value", k.RenewedValue}} {
			c.check(r[1] == "" || !slices.Contains(k.Attributes, r[1]), "data.contracts.attributes",
				"%q is the column of %s, which tells how the term ended; leave it out", r[1], r[0])
		}
		c.check(k.ValueKnown == "start" || k.Value == "" || !slices.Contains(k.Attributes, k.Value), "data.contracts.attributes",
			"%q is the value, known only at the end of the term; leave it out, or say value_known: start if that is true", k.Value)
		p.sources.Contracts = &data.ContractSource{Path: c.path(k.Path), Key: k.Key, Account: k.Account,
			Start: k.Start, Due: k.Due, Value: k.Value, ValueKnown: k.ValueKnown, Currency: k.Currency,
			Outcome: k.Outcome, Churned: k.Churned, KnownAt: k.KnownAt, Notice: k.Notice, Signed: k.Signed, RenewedAt: k.RenewedAt, Attributes: k.Attributes,
			AutoRenew: k.AutoRenew, Reason: k.Reason, Involuntary: k.Involuntary, Kept: k.Kept, RenewedValue: k.RenewedValue}
		p.autoOpt.ValueKnown = k.Value != "" && k.ValueKnown == "start"
	}
	seen := make(map[string]bool)
	for i, e := range y.Data.Events {
		key := fmt.Sprintf("data.events[%d]", i)
		for _, r := range [][2]string{{"name", e.Name}, {"path", e.Path}, {"account", e.Account}, {"time", e.Time}} {
			c.require(key+"."+r[0], r[1])
		}
		c.check(!seen[e.Name], key+".name", "%q is used twice", e.Name)
		kept := []string{features.FromAccount, features.FromContract, features.FromSnapshot, features.FromTable}
		c.check(!slices.Contains(kept, e.Name), key+".name",
			"%q is kept for facts; choose another name for the source", e.Name)
		seen[e.Name] = true
		lag := time.Duration(c.days(key+".lag", e.Lag, 0)) * 24 * time.Hour
		p.sources.Events = append(p.sources.Events, data.EventSource{Name: e.Name, Path: c.path(e.Path), Account: e.Account,
			Time: e.Time, KnownAt: e.KnownAt, Lag: lag, Type: e.Type, Value: e.Value, ID: e.ID, Columns: e.Columns})
	}
	c.events = p.sources.Events
}

func (c *converter) outcome(y *projectYAML, p *project) {
	o := y.Outcome
	c.require("outcome.mode", o.Mode)
	c.oneOf("outcome.mode", o.Mode, features.Renewal, features.Activity)
	p.outcome = features.Outcome{Mode: o.Mode}
	if o.Mode == features.Activity {
		c.require("outcome.of", o.Of)
		p.outcome.Of = o.Of
		p.outcome.HorizonDays = c.days("outcome.horizon", o.Horizon, 90)
		p.outcome.EveryDays = c.days("outcome.every", o.Every, 30)
		p.outcome.ActiveWithinDays = c.days("outcome.active_within", o.ActiveWithin, 90)
		return
	}
	k := p.sources.Contracts
	c.check(k != nil, "data.contracts", "is required in renewal mode")
	if k == nil {
		return
	}
	leads := o.Leads
	if leads == nil {
		leads = []string{"90d", "60d", "30d"}
	}
	for _, l := range leads {
		p.outcome.LeadDays = append(p.outcome.LeadDays, c.days("outcome.leads", l, 0))
	}
	grace := 30
	if k.Outcome != "" && k.KnownAt != "" {
		grace = 0 // outcome and known_at are the truth
	}
	p.outcome.GraceDays = c.days("outcome.grace", o.Grace, grace)
	k.GraceDays = p.outcome.GraceDays // successors and outcomes go by the same grace
	p.outcome.Declared = k.Outcome != ""
	p.outcome.Rolling = k.RenewedAt != ""
}

func (c *converter) features(y *projectYAML, p *project) {
	windows := y.Features.Windows
	if windows == nil {
		windows = []string{"7d", "30d", "90d"}
	}
	for _, w := range windows {
		d := c.days("features.windows", w, 0)
		c.check(d > 0, "features.windows", "found %q; expected one day or more", w)
		p.autoOpt.WindowDays = append(p.autoOpt.WindowDays, d)
	}
	slices.Sort(p.autoOpt.WindowDays)
	p.autoOpt.WindowDays = slices.Compact(p.autoOpt.WindowDays)
	p.auto = y.Features.Auto == nil || *y.Features.Auto
	defined := make(map[string]bool)
	for i, f := range y.Features.Set {
		key := fmt.Sprintf("features.set[%d]", i)
		if f.Name != "" {
			key = "features.set: " + f.Name
		}
		c.check(!defined[f.Name], key, "is defined twice")
		defined[f.Name] = true
		p.set = append(p.set, c.feature(key, f, p.autoOpt.WindowDays))
		if slices.Contains(factSources, f.From) {
			c.fact(key, &p.set[i], p)
		}
	}
	c.check(p.auto || len(p.set) > 0, "features", "auto is off and set is empty; there would be no features")
}

// feature converts one entry of features.set.
func (c *converter) feature(key string, f featureYAML, windows []int) features.Feature {
	c.require(key+": name", f.Name)
	c.require(key+": from", f.From)
	c.require(key+": agg", f.Agg)
	aggs := features.EventAggs
	if isFact := slices.Contains(factSources, f.From); isFact {
		aggs = features.FactAggs
	}
	known := make([]string, len(aggs))
	for i, a := range aggs {
		known[i] = string(a)
	}
	c.check(slices.Contains(known, f.Agg), key+": agg", "found %q; expected one of %s", f.Agg, strings.Join(known, ", "))
	out := features.Feature{Name: f.Name, From: f.From, Agg: features.Agg(f.Agg), Kind: features.NumberKind,
		WindowDays: c.days(key+": window", f.Window, 0), Pillar: f.Pillar, Direction: features.Direction(f.Direction),
		Column: f.Column, Of: f.Of, To: f.To, Actionable: f.Actionable, Unit: f.Unit, Label: f.Label}
	c.check(f.Window == "" || out.WindowDays > 0, key+": window",
		"found %q; expected one day or more, or no window for all history", f.Window)
	c.parameters(key, f, &out)
	if f.Where != "" {
		c.where(key, f.Where, &out)
	}
	if out.Agg == features.Trend {
		longest := 0
		if n := len(windows); n > 0 {
			longest = windows[n-1]
		}
		out.LongDays = c.days(key+": long", f.Long, longest)
	}
	if out.Direction == "" {
		out.Direction = features.Free
	}
	c.check(slices.Contains([]features.Direction{features.Free, features.Healthy, features.Risky}, out.Direction),
		key+": direction", "found %q; expected healthy, risky or free", f.Direction)
	if out.Pillar == "" {
		out.Pillar = features.GuessPillar(out.From + " " + out.Type)
		if slices.Contains(factSources, out.From) {
			out.Pillar = factPillar(&out)
		}
	}
	if out.Label == "" {
		out.Label = strings.ReplaceAll(out.Name, "_", " ")
	}
	return out
}

// where converts a filter. A test for one type becomes the feature's type, the
// rest its filter in the form that all spellings share.
func (c *converter) where(key, text string, f *features.Feature) {
	filter, err := data.ParseFilter(text)
	if err != nil {
		c.check(false, key, "%v", err)
		return
	}
	kind, rest, _ := filter.Equal("type")
	if f.Type = kind; kind == "" { // no test for a type, or for an empty text, which Type would take as any
		rest = filter
	}
	if rest == nil {
		return
	}
	f.Where = rest.String()
	i := slices.IndexFunc(c.events, func(e data.EventSource) bool { return e.Name == f.From })
	c.check(i < 0 || c.events[i].Type != "" || !slices.Contains(filter.Columns(), "type"), key,
		"where %q: asks for the type, and events %s declare none; give them type: COLUMN", text, f.From)
}

func (c *converter) settings(y *projectYAML, p *project) {
	c.backtest(y, p)
	h := y.Health
	p.score = predict.Score{AtRiskP: orDefault(h.AtRiskP, 0.5), AtRisk: orDefault(h.Tiers.AtRisk, 40),
		Watch: orDefault(h.Tiers.Watch, 65), Healthy: orDefault(h.Tiers.Healthy, 80)}
	c.check(p.score.AtRiskP > 0 && p.score.AtRiskP <= 1, "health.at_risk_p",
		"found %v; expected a probability above 0", p.score.AtRiskP)
	c.check(p.score.AtRisk <= p.score.Watch && p.score.Watch <= p.score.Healthy, "health.tiers",
		"upper bounds must increase from at_risk to watch to healthy")
	c.profiles(y, p)
	p.registry.Dir = c.path(orDefault(y.Models, "models"))
	if y.Signature != "" {
		p.signature = c.path(y.Signature)
	}
	c.model(y, p)
}

// model converts how models are fitted.
func (c *converter) model(y *projectYAML, p *project) {
	m, o := y.Model, &p.fit
	o.Calibration = orDefault(m.Calibration, train.CalibrationAuto)
	c.oneOf("model.calibration", o.Calibration, train.CalibrationAuto, train.CalibrationNone, train.CalibrationIntercept,
		train.CalibrationPlatt, train.CalibrationIsotonic)
	c.oneOf("model.pairs", m.Pairs, "auto", "none")
	o.Stages = orDefault(m.Stages, train.StagesAuto)
	c.oneOf("model.stages", o.Stages, train.StagesAuto, train.StagesPairs, train.StagesSplines, train.StagesLinear)
	if m.Pairs == "none" && (o.Stages == train.StagesAuto || o.Stages == train.StagesPairs) {
		o.Stages = train.StagesSplines
	}
	c.oneOf("model.directions", m.Directions, "warn", "enforce")
	o.Directions = m.Directions == "enforce"
	o.Segments = orDefault(m.Segments, train.SegmentsPooled)
	c.oneOf("model.segments", o.Segments, train.SegmentsPooled, train.SegmentsIntercepts, "none")
	if p.noSegments = o.Segments == "none"; p.noSegments {
		o.Segments = train.SegmentsIntercepts // of phases
	}
	o.Penalty, o.FoldsBy, o.Weights = m.Penalty, m.Folds, m.Weights
	c.oneOf("model.penalty", o.Penalty, train.PenaltyBest, train.PenaltyOneSE)
	c.oneOf("model.folds", o.FoldsBy, train.FoldsByGroup, train.FoldsByTime)
	c.oneOf("model.weights", o.Weights, train.WeightsNone, train.WeightsValue)
	c.check(o.Weights != train.WeightsValue || p.autoOpt.ValueKnown, "model.weights",
		"value: needs data.contracts.value, with value_known: start; a value that is known at the end of a term only may tell how it ended")
	if m.Scorecard != "" {
		p.cardFile, p.cardWorth = c.path(m.Scorecard), defaultWorth
	}
	if m.ScorecardWorth != nil {
		p.cardWorth = *m.ScorecardWorth
		c.check(p.cardWorth >= 0, "model.scorecard_worth", "found %v; expected a number of renewals, or .inf for the scorecard alone", p.cardWorth)
	}
}

// backtest converts where a backtest stands and what it counts.
func (c *converter) backtest(y *projectYAML, p *project) {
	b := y.Backtest
	p.origins = evaluate.OriginOptions{Months: c.months("backtest.every", b.Every, 1), Window: c.months("backtest.window", b.Window, 0),
		EmbargoDays: c.days("backtest.embargo", b.Embargo, 0), Location: p.sources.Location}
	if b.First != "" {
		p.origins.First = c.day("backtest.first", b.First, p.sources.Location)
	}
	c.check(b.Origins == nil || b.First == "" && b.Every == "", "backtest.origins", "go without every and first")
	for _, text := range b.Origins {
		d := c.day("backtest.origins", text, p.sources.Location)
		c.check(len(p.origins.Dates) == 0 || c.err != nil || d.After(p.origins.Dates[len(p.origins.Dates)-1]), "backtest.origins",
			"%s does not come after the one before it", text)
		p.origins.Dates = append(p.origins.Dates, d)
	}
	if b.Capacity != "" {
		percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(b.Capacity, "%")), 64)
		c.check(err == nil && strings.HasSuffix(b.Capacity, "%") && percent > 0 && percent <= 100, "backtest.capacity",
			"found %q; expected a share of renewals such as 10%%", b.Capacity)
		p.capacity = percent / 100
	}
}

// day reads a day, which begins at its midnight.
func (c *converter) day(key, text string, loc *time.Location) time.Time {
	d, err := time.Parse(time.DateOnly, text)
	c.check(err == nil && d.Year() >= 1678 && d.Year() <= 2261, key, "found %q; expected a date such as 2025-01-31", text)
	if c.err != nil {
		return time.Time{}
	}
	return data.Midnight(d, loc)
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// days reads a duration in days: 90d, 12w (7 days each), 6mo (30) or 1y (365).
func (c *converter) days(key, text string, otherwise int) int {
	if text == "" {
		return otherwise
	}
	n, unit, ok := duration(text)
	c.check(ok, key, "found %q; expected a duration such as 90d, 12w, 6mo or 1y", text)
	return n * map[string]int{"d": 1, "w": 7, "mo": 30, "y": 365}[unit]
}

// months reads a duration in calendar months.
func (c *converter) months(key, text string, otherwise int) int {
	if text == "" {
		return otherwise
	}
	n, unit, ok := duration(text)
	per := map[string]int{"mo": 1, "y": 12}[unit]
	c.check(ok && n > 0 && per > 0, key, "found %q; expected whole months such as 1mo or 3mo", text)
	return n * per
}

func duration(text string) (n int, unit string, ok bool) {
	digits := strings.TrimRight(text, "dwmoy")
	unit = text[len(digits):]
	n, err := strconv.Atoi(digits)
	const most = 100_000 // no unit of it overflows anything
	return n, unit, err == nil && n >= 0 && n <= most && slices.Contains([]string{"d", "w", "mo", "y"}, unit)
}
