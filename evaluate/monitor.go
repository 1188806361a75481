// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// MonitorFormat is the format of monitor.json that this version writes.
const MonitorFormat = "holdfast-monitor/1"

// A Monitor says how a published model fares at a date: whether what it sees has
// moved, what it expects of itself without any outcome, and what became of what
// it said since it was fitted.
type Monitor struct {
	Format  string `json:"format"`
	Project string `json:"project"`
	Model   string `json:"model"`
	Fitted  string `json:"fitted_as_of"`
	AsOf    string `json:"as_of"`
	Mode    string `json:"mode"`

	Reference int     `json:"reference_rows"` // of the year before the fit that today's are compared with
	Rows      int     `json:"rows"`           // scored at the as-of
	Score     Shift   `json:"score_shift"`    // of the probability
	Features  []Shift `json:"feature_shifts"` // the largest beyond chance first
	// ByChance is how many features would be outside of their chance bands if
	// nothing had moved.
	ByChance Number `json:"features_outside_by_chance"`

	Expected Expected        `json:"expected"` // of the rows scored at the as-of
	Realised *Realised       `json:"realised,omitempty"`
	Months   []RealisedMonth `json:"months"`
	Words    []string        `json:"words"` // what it comes to, in sentences
	Alarms   []string        `json:"alarms"`
}

// Expected is what calibrated probabilities say of themselves (confidence-based
// performance estimation): the mean over their own distribution of outcomes,
//
//	log loss  E = -Σ w [p ln p + (1-p) ln(1-p)] / Σ w
//	Brier     E = Σ w p (1-p) / Σ w
//
// It sees what a change in who is scored does. It does not see a change in how
// they behave: for that, outcomes must mature.
type Expected struct {
	Rows    int    `json:"rows"`
	MeanP   Number `json:"mean_p"`
	LogLoss Number `json:"log_loss"`
	Brier   Number `json:"brier"`
	AUC     Number `json:"auc"`
	AtRisk  Number `json:"value_at_risk"`
}

// NewExpected returns the expected performance of probabilities with weights.
// Without rows all is NaN.
func NewExpected(p, w []float64) Expected {
	nan := Number(math.NaN())
	e := Expected{Rows: len(p), MeanP: nan, LogLoss: nan, Brier: nan, AUC: nan, AtRisk: nan}
	var all, mean, loss, brier float64
	for i := range p {
		wi := weight(w, i)
		all += wi
		mean += float64(wi * p[i])
		loss += float64(wi * (float64(p[i]*logLossOf(p[i], 1)) + float64((1-p[i])*logLossOf(p[i], 0))))
		brier += float64(wi * float64(p[i]*(1-p[i])))
	}
	if all == 0 {
		return e
	}
	e.MeanP, e.LogLoss, e.Brier = Number(mean/all), Number(loss/all), Number(brier/all)
	e.AUC = Number(expectedAUC(p, w))
	return e
}

// expectedAUC returns the AUC that probabilities expect of themselves: each row
// is churned with the weight wp and stayed with the weight w (1-p).
func expectedAUC(p, w []float64) float64 {
	order := ascending(p)
	var below, churned, won float64
	for lo, hi := 0, 0; lo < len(order); lo = hi {
		hi = tieEnd(p, order, lo)
		var stays, churns float64
		for _, i := range order[lo:hi] {
			churns += float64(weight(w, i) * p[i])
			stays += float64(weight(w, i) * (1 - p[i]))
		}
		won += float64(churns * (below + stays/2))
		below += stays
		churned += churns
	}
	return won / float64(churned*below)
}

// Realised sets what became of the rows scored since the model was fitted beside
// what it expected of them.
type Realised struct {
	Metrics  Metrics  `json:"metrics"`
	Expected Expected `json:"expected"`
	LogLoss  Interval `json:"log_loss"` // with its interval by account
	OE       Interval `json:"observed_to_expected"`
}

// A RealisedMonth is one due month of them.
type RealisedMonth struct {
	Month    string `json:"month"`
	Rows     int    `json:"rows"`
	Rate     Number `json:"observed_rate"`
	MeanP    Number `json:"mean_p"`
	LogLoss  Number `json:"log_loss"`
	Expected Number `json:"expected_log_loss"`
}

// MonitorOptions say what NewMonitor looks at.
type MonitorOptions struct {
	Project, Model string
	AsOf           time.Time
	Location       *time.Location
	Seed           uint64
	Bootstrap      int            // resamples; zero means 1,000
	Every          int            // history is of one account of so many; zero and one: of all
	Silences       []data.Silence // of the events, all there were
}

// ErrNoReference says that nothing is known of what a model was fitted on.
var ErrNoReference = errors.New("nothing to compare with")

// A Watched is what a monitor looks at, all of it under the model's spec.
type Watched struct {
	History *features.Frame // the snapshots of all the past, with outcomes as they are known today
	Before  *features.Frame // rows as of ReferenceDates: what the model saw as it was fitted
	Now     *features.Frame // rows as of the date
}

// ReferenceDates are the instants whose rows a monitor compares today's with:
// the midnights a month (of 30 days) apart of the year before a model was
// fitted, the oldest first, as far as snapshots with outcomes go back. Rows as
// of an instant are of terms at all leads and ages, as those of today are,
// where the snapshots of the past are of certain leads.
func ReferenceDates(m *predict.Model, history *features.Frame, loc *time.Location) ([]time.Time, error) {
	fitted, err := fittedAt(m, loc)
	if err != nil {
		return nil, err
	}
	first := int64(math.MaxInt64)
	for i := range history.Rows {
		if r := &history.Rows[i]; r.Y != features.Unknown && r.Matured() <= fitted.UnixNano() && hasProbability(r) {
			first = min(first, r.Snapshot)
		}
	}
	if first >= fitted.UnixNano() {
		return nil, fmt.Errorf("%w: no snapshot had a mature outcome at %s, when the model was fitted: "+
			"the tables hold other data than it was trained on", ErrNoReference, m.Provenance.AsOf)
	}
	dates := []time.Time{}
	for k := 12; k > 0; k-- {
		if t := data.Midnight(fitted.AddDate(0, 0, -30*k), loc); t.UnixNano() >= first {
			dates = append(dates, t)
		}
	}
	return dates, nil
}

// fittedAt returns the as-of instant of a model.
func fittedAt(m *predict.Model, loc *time.Location) (time.Time, error) {
	if m.Provenance.AsOf == "" {
		return time.Time{}, fmt.Errorf("%w: the model does not say as of which date it was fitted", ErrNoReference)
	}
	t, err := time.ParseInLocation(time.DateOnly, m.Provenance.AsOf, loc)
	if err != nil {
		return t, fmt.Errorf("%w: the model has the as-of %q; expected a date", predict.ErrIntegrity, m.Provenance.AsOf)
	}
	return t, nil
}

// NewMonitor watches a model at a date. Past scores are not looked up but made
// again: features as of a snapshot never change, so that the model says today
// what it said then.
func NewMonitor(m *predict.Model, f Watched, o MonitorOptions) (*Monitor, error) {
	r := &Monitor{Format: MonitorFormat, Project: o.Project, Model: o.Model, Fitted: m.Provenance.AsOf,
		AsOf: o.AsOf.In(o.Location).Format(time.DateOnly), Mode: m.Spec.Outcome.Mode, Months: []RealisedMonth{}, Alarms: []string{}}
	fitted, err := fittedAt(m, o.Location)
	if err != nil {
		return nil, err
	}
	at, asOf := fitted.UnixNano(), o.AsOf.UnixNano()
	reference := f.Before.Select(f.Before.Where(hasProbability))
	eachOnce(reference)
	since := f.History.Select(f.History.Where(func(r *features.Row) bool {
		return r.Snapshot >= at && r.Snapshot < asOf && r.Y != features.Unknown && r.Matured() <= asOf && hasProbability(r)
	}))
	today := f.Now.Select(f.Now.Where(hasProbability))
	before, err := m.Prob(nil, reference)
	if err != nil {
		return nil, err
	}
	p, err := m.Prob(nil, today)
	if err != nil {
		return nil, err
	}
	w := rowWeights(today)
	r.Reference, r.Rows = len(reference.Rows), len(today.Rows)
	r.Score = numberShift("probability of churn", before, rowWeights(reference), p, w)
	r.Features = FeatureShifts(reference, today)
	compared := 0
	for i := range r.Features {
		if r.Features[i].PSI.Defined() {
			compared++
		}
	}
	r.ByChance = Number((1 - bandLevel) * float64(compared))
	r.Expected = NewExpected(p, w)
	r.Expected.AtRisk = valueAtRisk(today, p)
	if err := r.realise(m, since, o); err != nil {
		return nil, err
	}
	r.say()
	r.Alarms = append(r.Alarms, outside(m, today)...)
	r.Alarms = append(r.Alarms, recentSilences(o)...)
	if o.Every > 1 {
		r.Words = append(r.Words, fmt.Sprintf("The past is that of one account of every %d.", o.Every))
	}
	return r, nil
}

// eachOnce gives the rows of one term, or of one account without terms, the
// weight 1 together: one that is seen at several dates is no more evidence of
// what accounts are like than one that is seen once.
func eachOnce(f *features.Frame) {
	type term struct{ account, contract string }
	rows := make(map[term]int)
	for i := range f.Rows {
		rows[term{f.Rows[i].Account, f.Rows[i].Contract}]++
	}
	for i := range f.Rows {
		f.Rows[i].Weight = 1 / float64(rows[term{f.Rows[i].Account, f.Rows[i].Contract}])
	}
}

// valueAtRisk returns Σ v p; NaN where no row has a value, or where they are of
// two currencies, which are never added.
func valueAtRisk(f *features.Frame, p []float64) Number {
	total, currency, found := 0.0, "", false
	for i := range f.Rows {
		if r := &f.Rows[i]; r.Value > 0 {
			if found && r.Currency != currency {
				return Number(math.NaN())
			}
			currency, found = r.Currency, true
			total += float64(r.Value * p[i])
		}
	}
	if !found {
		return Number(math.NaN())
	}
	return Number(total)
}

// realise measures what was scored since the model was fitted and has matured.
func (r *Monitor) realise(m *predict.Model, since *features.Frame, o MonitorOptions) error {
	if len(since.Rows) == 0 {
		return nil
	}
	p, err := m.Prob(nil, since)
	if err != nil {
		return err
	}
	all := make([]int, len(p))
	for i := range all {
		all[i] = i
	}
	t := newPool(since, []Origin{{Test: all}})
	t.resamples = newResampler(t.groups, orDefault(o.Bootstrap, defaultReplicates), maxBlocks, o.Seed)
	v := &Realised{Metrics: Measure(p, t.y, t.w), Expected: NewExpected(p, t.w)}
	s := t.resamples
	loss, mass := s.sums(t.group, func(i int) float64 { return t.w[i] * logLossOf(p[i], t.y[i]) }), t.mass()
	lost, expected := s.sums(t.group, func(i int) float64 { return t.w[i] * t.y[i] }), s.sums(t.group, func(i int) float64 { return t.w[i] * p[i] })
	v.LogLoss, v.OE = s.ratio(loss, mass), s.ratio(lost, expected)
	r.Realised = v
	sure := interval(float64(v.OE.Estimate), s.ratios(lost, expected), alarmLevel)
	if sure.Low > 1 {
		r.Alarms = append(r.Alarms, "more accounts churn than the model predicts, beyond chance: train again")
	}
	if sure.High < 1 {
		r.Alarms = append(r.Alarms, "fewer accounts churn than the model predicts, beyond chance: train again")
	}
	if interval(float64(v.LogLoss.Estimate), s.ratios(loss, mass), alarmLevel).Low > v.Expected.LogLoss {
		r.Alarms = append(r.Alarms, "log loss is above what the model expected of itself, beyond chance: it has grown worse")
	}
	months := map[string][]int{}
	for i := range since.Rows {
		name := time.Unix(0, since.Rows[i].Due).In(o.Location).Format("2006-01")
		months[name] = append(months[name], i)
	}
	for name, rows := range months {
		var mp, my, mw []float64
		for _, i := range rows {
			mp, my, mw = append(mp, p[i]), append(my, t.y[i]), append(mw, t.w[i])
		}
		e := NewExpected(mp, mw)
		all := sumRows(mp, my, mw, ascending(mp))
		r.Months = append(r.Months, RealisedMonth{Month: name, Rows: len(rows), Rate: Number(all.wy / all.w), MeanP: e.MeanP,
			LogLoss: Number(LogLoss(mp, my, mw)), Expected: e.LogLoss})
	}
	slices.SortFunc(r.Months, func(a, b RealisedMonth) int { return cmp.Compare(a.Month, b.Month) })
	return nil
}

// alarmLevel is that of the intervals behind alarms: those of 90 % would call
// wolf at every tenth look.
const alarmLevel = 0.99

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// say puts it into sentences.
func (r *Monitor) say() {
	outside := 0
	var large []string
	for i := range r.Features {
		switch r.Features[i].Size {
		case ShiftLarge:
			large = append(large, r.Features[i].Name)
			outside++
		case ShiftSmall, ShiftModerate:
			outside++
		}
	}
	if r.Rows == 0 {
		r.Words = append(r.Words, "Nobody is at risk at this date: there is nothing to watch.")
		return
	}
	r.Words = append(r.Words, fmt.Sprintf("The scores have moved %s (PSI %s, by chance up to %s; at least %s of them in another decile).",
		map[ShiftSize]string{ShiftChance: "no more than by chance", ShiftSmall: "a little", ShiftModerate: "moderately", ShiftLarge: "far"}[r.Score.Size],
		r.Score.PSI.Fixed(3), r.Score.Chance.Fixed(3), r.Score.Moved.Percent()))
	r.Words = append(r.Words, fmt.Sprintf("%s of %s features lie outside of their chance bands, about %.0f would by chance%s.",
		Count(outside), Count(len(r.Features)), float64(r.ByChance), andLarge(large)))
	r.Words = append(r.Words, fmt.Sprintf("Of the %s accounts scored, the model expects %s to churn and a log loss of %s.",
		Count(r.Expected.Rows), r.Expected.MeanP.Percent(), r.Expected.LogLoss.Fixed(4)))
	if r.Score.Size == ShiftLarge {
		r.Alarms = append(r.Alarms, "the distribution of scores has moved far: look at the features that moved most, and train again")
	}
	v := r.Realised
	if v == nil {
		r.Words = append(r.Words, "No outcome of a score made since then has matured yet.")
		return
	}
	r.Words = append(r.Words, fmt.Sprintf("Of %s scores made since then the outcome is known: %s churned where %s was predicted (observed to expected %s, 90 %% interval %s to %s), "+
		"log loss %s where %s was expected.", Count(v.Metrics.Rows), v.Metrics.Rate.Percent(), v.Metrics.MeanP.Percent(), v.OE.Estimate.Fixed(2),
		v.OE.Low.Fixed(2), v.OE.High.Fixed(2), v.Metrics.LogLoss.Fixed(4), v.Expected.LogLoss.Fixed(4)))
}

func andLarge(names []string) string {
	const most = 3
	switch n := len(names); {
	case n == 0:
		return "; none has moved far"
	case n > most:
		return fmt.Sprintf("; %d have moved far, most of all %s", n, strings.Join(names[:most], ", "))
	}
	return "; far have moved " + strings.Join(names, ", ")
}

// JSON returns the bytes of monitor.json.
func (r *Monitor) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// WriteMetrics writes the figures in the text format that Prometheus and its
// node exporter read; those that are not defined are left out.
func (r *Monitor) WriteMetrics(w io.Writer) error {
	var b strings.Builder
	metric := func(name, help string, value Number, labels string) {
		if value.Defined() && !math.IsInf(float64(value), 0) {
			fmt.Fprintf(&b, "# HELP holdfast_%s %s\n# TYPE holdfast_%s gauge\nholdfast_%s{project=%q,model=%q%s} %v\n",
				name, help, name, name, r.Project, r.Model, labels, float64(value))
		}
	}
	metric("scored_rows", "accounts scored at the as-of", Number(r.Rows), "")
	metric("score_psi", "population stability index of the scores against training", r.Score.PSI, "")
	metric("score_psi_chance", "95 % bound of it if nothing has moved", r.Score.Chance, "")
	metric("expected_log_loss", "log loss that the scores expect of themselves", r.Expected.LogLoss, "")
	metric("expected_brier", "Brier score that the scores expect of themselves", r.Expected.Brier, "")
	metric("expected_churn_rate", "mean probability of churn", r.Expected.MeanP, "")
	if v := r.Realised; v != nil {
		metric("realised_rows", "scores since the fit whose outcome is known", Number(v.Metrics.Rows), "")
		metric("realised_log_loss", "their log loss", v.Metrics.LogLoss, "")
		metric("realised_brier", "their Brier score", v.Metrics.Brier, "")
		metric("realised_auc", "their AUC", v.Metrics.AUC, "")
		metric("observed_to_expected", "churned over predicted", v.OE.Estimate, "")
	}
	metric("alarms", "findings that ask for a new training", Number(len(r.Alarms)), "")
	b.WriteString("# HELP holdfast_feature_psi population stability index of a feature against training\n# TYPE holdfast_feature_psi gauge\n")
	for i := range r.Features {
		if s := &r.Features[i]; s.PSI.Defined() {
			fmt.Fprintf(&b, "holdfast_feature_psi{project=%q,model=%q,feature=%q} %v\n", r.Project, r.Model, s.Name, float64(s.PSI))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
