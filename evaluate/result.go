// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"errors"
	"slices"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// judged is a candidate that predicted every test row.
type judged struct {
	name    string
	subject bool
	p       []float64
	order   []int // rows in ascending order of p
}

// newResult measures everything and puts it into words.
func newResult(f *features.Frame, origins, tested []Origin, candidates []Candidate,
	predictions [][]prediction, o *Options, design Design) *Result {
	t := newPool(f, tested)
	t.resamples = newResampler(t.groups, o.replicates(), maxBlocks, o.Seed)
	r := &Report{
		Format: ReportFormat,
		Provenance: Provenance{Project: o.Project, Data: o.Data, Version: o.Version,
			SpecDigest: f.SpecDigest, Seed: o.Seed},
		Design:     design,
		OffOrigins: []string{},
		Warnings:   []string{},

		DataFindings: o.DataFindings,
		Leaks:        o.Leaks,
	}
	byCandidate := make([][]prediction, len(candidates))
	all := make([]*judged, len(candidates)) // nil where there is a failure
	for c := range candidates {
		for at := range tested {
			byCandidate[c] = append(byCandidate[c], predictions[at][c])
		}
		if slices.ContainsFunc(byCandidate[c], func(p prediction) bool { return p.err != nil }) {
			r.Candidates = append(r.Candidates, t.failed(&candidates[c], tested, byCandidate[c], o))
			continue
		}
		p := join(byCandidate[c])
		all[c] = &judged{name: candidates[c].Name, p: p, order: ascending(p)}
		r.Candidates = append(r.Candidates, t.scores(&candidates[c], all[c], tested, o))
	}
	t.compareAll(r, all, byCandidate, o)
	for i := range origins {
		r.Origins = append(r.Origins, originRows(f, &origins[i], o.Origins.location()))
	}
	r.describe(f, t, o)
	t.look(f, tested, r, all, byCandidate, o)
	r.conclude()
	r.Gates = r.gates()
	r.summarise()
	timed := design.Kind == RollingOrigins
	return &Result{Report: r, Predictions: predictionTable(f, tested, candidates, predictions,
		o.Origins.location(), timed)}
}

// compareAll compares the candidates to the base rate and their own mean, and
// those that were asked at some origins only to the subject.
func (t *pool) compareAll(r *Report, all []*judged, byCandidate [][]prediction, o *Options) {
	subject := r.subjectIndex()
	var base *judged
	var baseScores *Scores
	for c, j := range all {
		if r.Candidates[c].Name == BaseRateName {
			base, baseScores = j, &r.Candidates[c]
		}
		if j != nil {
			j.subject = c == subject
		}
	}
	var baseP []float64
	if base != nil {
		baseP = base.p
	}
	for c, j := range all {
		s := &r.Candidates[c]
		if j != nil && base != nil && j != base {
			s.VersusBase = t.compare(j.p, base.p)
			s.VersusBase.Words = comparisonWords(s, baseScores)
			s.VersusOwnMean = t.compare(j.p, t.ownMean(j.p))
			s.VersusOwnMean.Words = ownMeanWords(s)
		}
		switch ours := all[subject]; {
		case ours == nil || j == ours || j == base && base != nil:
		case j == nil:
			t.compareCovered(s, &r.Candidates[subject], byCandidate[c], ours.p, baseP, o)
		default:
			s.VersusSubject = t.compareSubject(s.Name, ours.name, j.p, ours.p, baseP)
		}
	}
}

// look looks closer: noise bands, slices, forecast, stability, and how far the
// subject's calibration is off beyond chance.
func (t *pool) look(f *features.Frame, tested []Origin, r *Report, all []*judged, byCandidate [][]prediction, o *Options) {
	var present []*judged
	var base []float64
	for c, j := range all {
		if j == nil {
			continue
		}
		present = append(present, j)
		if j.name == BaseRateName {
			base = j.p
		}
		s := &r.Candidates[c]
		shock := t.shock(j.p)
		s.Perfect, s.Shocked = t.bands(j.p, j.order, equalMass(j.p, t.y, t.w, j.order), shock, o)
		s.Intervals = t.intervals(j.p, j.order, s, o.capacity())
		if j.subject || j.name == ChampionName {
			s.Excess = t.excessOfAll(j, s, o)
		}
		older := make([][]float64, len(tested))
		for at := range tested {
			older[at] = byCandidate[c][at].older
		}
		score := o.score(float64(s.Pooled.Rate))
		s.Stability = t.stability(j.p, older, &score)
		if j.subject {
			r.Forecast = t.forecast(f, tested, j.p, shock, o)
			r.ByOutcome = byOutcome(j.p, t.y, s.Histogram)
		}
	}
	r.Curves = o.Curves
	r.Shifts = t.shifts(f, tested, all[r.subjectIndex()])
	r.Slices = t.slices(t.stratify(f, tested), present, base, o)
}

// shifts compares the test rows of the last origin with its training rows, and
// the subject's predictions there with those of all origins before. Bins are
// left out: a report has many features.
func (t *pool) shifts(f *features.Frame, tested []Origin, subject *judged) []Shift {
	last := len(tested) - 1
	if last < 1 || tested[last].At.IsZero() {
		return []Shift{}
	}
	shifts := FeatureShifts(f.Select(tested[last].Train), f.Select(tested[last].Test))
	if subject != nil {
		lo := t.starts[last]
		score := numberShift("predictions of "+subject.name, subject.p[:lo], t.w[:lo], subject.p[lo:], t.w[lo:])
		shifts = append([]Shift{score}, shifts...)
	}
	for i := range shifts {
		shifts[i].Bins = nil
	}
	return shifts
}

// score returns the constants of the health scale, with the observed rate as
// its base.
func (o *Options) score(rate float64) predict.Score {
	s := o.Score
	if s == (predict.Score{}) {
		s = predict.Score{AtRiskP: 0.5, AtRisk: 40, Watch: 65, Healthy: 80}
	}
	s.BaseRate = min(max(rate, clipP), 1-clipP)
	return s
}

// describe fills in the counts of the design.
func (r *Report) describe(f *features.Frame, t *pool, o *Options) {
	d := &r.Design
	d.FrameRows, d.TestRows, d.TestGroups = len(f.Rows), len(t.y), t.groups
	d.TestChurned = int(sum(t.y))
	d.Bootstrap, d.Level, d.Binning, d.AUCPooling = o.replicates(), level, Binning, AUCPooling
	d.Capacity, d.Currency, d.WithoutCurrency = Number(o.capacity()), t.currency, t.otherCurrency
	for i := range f.Rows {
		if row := &f.Rows[i]; row.Y != features.Unknown && hasProbability(row) {
			d.MatureChurned += Number(row.Weight * float64(row.Y))
			d.MatureRenewed += Number(row.Weight * float64(1-row.Y))
		}
	}
	for i := range r.Origins {
		if r.Origins[i].Skipped == "" {
			d.Tested++
		} else {
			d.Skipped++
		}
	}
}

func originRows(f *features.Frame, o *Origin, loc *time.Location) OriginRows {
	r := OriginRows{
		Name:         o.Name,
		TrainRows:    len(o.Train),
		TrainChurned: countChurned(f, o.Train),
		TrainRate:    Number(churnRate(f.Rows, o.Train)),
		TestRows:     len(o.Test),
		TestChurned:  countChurned(f, o.Test),
		TestRate:     Number(churnRate(f.Rows, o.Test)),
		Purged:       o.Purged,
		Censored:     o.Censored,
		NotScored:    o.NotScored,
		TooOld:       o.TooOld,
		RateUnpurged: Number(o.unpurged),
		Skipped:      o.Skipped,
	}
	if !o.At.IsZero() {
		r.From, r.To = o.At.In(loc).Format(time.DateOnly), o.End.In(loc).Format(time.DateOnly)
	}
	return r
}

// errNotAsked marks the origins at which a candidate is not asked.
var errNotAsked = errors.New("not asked before its own as-of")
