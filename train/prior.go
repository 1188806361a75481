// SPDX-License-Identifier: Apache-2.0

package train

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// cardHealth is the score of a hand scorecard that reads as the base rate where
// no outcome has been seen: health 60, so that health is the card's own score.
const cardHealth = 60

// cardColumn returns the standardised column of a scorecard in the rows of a
// sample, and sets the card's Mean, SD, ItemMeans and its Weight by hand:
//
//	v_i = (s_i − Mean)/SD,   Weight = −(ln 2)/12 SD
//
// all weighted. It is not clipped, since s lies between 0 and 100. A card that
// says the same of every row has SD 1 and a column of 0.
func cardColumn(card *predict.Scorecard, s *sample) ([]float64, error) {
	in, err := predict.NewCardInput(card, s.frame)
	if err != nil {
		return nil, err
	}
	items := len(card.Items())
	v, w, parts := make([]float64, len(s.frame.Rows)), make([]float64, len(s.frame.Rows)), make([]float64, items)
	card.ItemMeans = make([]float64, items)
	for i := range v {
		w[i] = s.frame.Rows[i].Weight
		v[i] = in.Score(parts, i)
		for k, p := range parts {
			card.ItemMeans[k] += float64(w[i] * p)
		}
	}
	for k := range card.ItemMeans {
		card.ItemMeans[k] /= s.total
	}
	m := measure(v, w)
	card.Mean, card.SD = m.mean, m.sd
	if !(card.SD > 1e-9) {
		card.SD = 1
	}
	card.Weight = cardPrior(card)
	for i := range v {
		v[i] = (v[i] - card.Mean) / card.SD
	}
	return v, nil
}

// cardPrior returns the prior mean of the weight of a card's standardised
// column: 12 points of s halve the odds of churn.
//
//	w₀ = −(ln 2)/12 SD
func cardPrior(card *predict.Scorecard) float64 { return predict.PointWeight * card.SD }

// worthPenalty returns the penalty, on a standardised column, of a prior that is
// worth so many renewals of churn rate p:
//
//	λ₀ = worth p (1 − p)
//
// which is what that many renewals add to the information on a weight of a
// column of variance 1 near 0 log-odds of effect; on the weight of one point of
// s it is worth p(1 − p) var(s). With a card, λ₀ is the penalty on
// (w − w₀)² / 2 of its own column, and is added to that on the squares of all
// other weights, which the card takes to be 0: else no worth would lead to the
// ranking made by hand.
func worthPenalty(worth, rate float64) float64 {
	return worth * rate * (1 - rate)
}

// cardTerms returns terms for those features of a card that have none, without
// columns: reasons are given by feature.
func cardTerms(terms []predict.Term, card *predict.Scorecard, spec *features.Spec, f *features.Frame) []predict.Term {
	for i := range spec.Features {
		feature := &spec.Features[i]
		of := func(t predict.Term) bool { return t.Feature == feature.Name }
		if !slices.Contains(card.Features(), feature.Name) || slices.ContainsFunc(terms, of) {
			continue
		}
		t := newTerm(feature)
		t.Columns = []predict.Basis{}
		t.Contrast = "in the scorecard only"
		if c := f.Column(feature.Name); c != nil && c.IsLevel() && len(c.Levels) <= maxPooled {
			t.Pooled = append(slices.Clone(c.Levels), predict.MissingLevel)
			slices.Sort(t.Pooled)
			t.Pooled = slices.Compact(t.Pooled)
		}
		terms = append(terms, t)
	}
	return terms
}

// FitScorecard returns the model of a hand scorecard that is worth infinitely
// many renewals: no feature has a weight, the card has the one given by hand,
// so that accounts rank as the card ranks them, and only the intercept and the
// calibration map, which keep the ranking, are fitted to the outcomes. The card
// has learned nothing from the rows, so the map is fitted to the same rows; it
// is never isotonic, which would tie accounts that the card tells apart.
func FitScorecard(f *features.Frame, spec features.Spec, card *predict.Scorecard, o Options) (*predict.Model, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := predict.CheckSpec(&spec, f); err != nil {
		return nil, err
	}
	if err := card.Check(&spec); err != nil {
		return nil, fmt.Errorf("scorecard: %w", err)
	}
	s, err := o.sample(f)
	if err != nil {
		return nil, err
	}
	m := &predict.Model{Format: predict.Format, Spec: spec, Score: o.Score, Dropped: []predict.Dropped{}, Warnings: []string{}}
	m.Scorecard = card.Clone()
	z, err := cardColumn(m.Scorecard, s)
	if err != nil {
		return nil, err
	}
	m.Terms = cardTerms([]predict.Term{}, m.Scorecard, &spec, f)
	slice := &calibrationSlice{name: "training", z: z, words: "training, from whose outcomes the scorecard has learned nothing"}
	mean := 0.0
	for i := range z {
		z[i] *= m.Scorecard.Weight
		r := &s.frame.Rows[i]
		slice.y, slice.w = append(slice.y, float64(r.Y)), append(slice.w, r.Weight)
		mean += float64(r.Weight * z[i])
	}
	m.Intercept, _, err = fitMap(z, slice.y, slice.w, mapPrior{slope: math.Inf(1)})
	if err != nil {
		return nil, err
	}
	for i := range z {
		z[i] += m.Intercept
	}
	m.Calibration = slice.fitCard(o.Calibration)
	m.OutOfFold = predict.OutOfFold{LogLoss: slice.loss(m.Calibration.Intercept, m.Calibration.Slope) / s.total,
		BaseLoss: baseLoss(s.churn / s.total), AUC: weightedAUC(s, z)}
	m.Warnings = append(m.Warnings, "the hand-made scorecard alone: no weight was learned from outcomes")
	(&published{model: m, meanZ: mean/s.total + m.Intercept}).finish(f, &o)
	return m, nil
}

// fitCard is fit without isotonic.
func (c *calibrationSlice) fitCard(method string) predict.Calibration {
	churned, renewed := c.events()
	switch {
	case method == CalibrationNone:
		return predict.Calibration{Method: CalibrationNone, Slope: 1, Reason: "not asked for"}
	case method == CalibrationIsotonic, method == CalibrationAuto && min(churned, renewed) >= plattEvents:
		method = CalibrationPlatt
	}
	return c.fit(method)
}

// baseLoss returns the log loss of predicting a rate for rows of that rate.
func baseLoss(rate float64) float64 {
	return -rate*math.Log(rate) - (1-rate)*math.Log1p(-rate)
}

// errCardRate says that a card without outcomes needs a base rate.
var errCardRate = errors.New("a scorecard without any outcome needs the churn rate that is expected, above 0 and below 1")

// ScorecardModel returns the model of a hand scorecard where no outcome has
// been seen: health is the card's own score, and p follows from it and from
// Options.Score.BaseRate, the churn rate that is expected:
//
//	logit p = logit(rate) − (ln 2)/12 (s − 60)
func ScorecardModel(spec features.Spec, card *predict.Scorecard, o Options) (*predict.Model, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := card.Check(&spec); err != nil {
		return nil, fmt.Errorf("scorecard: %w", err)
	}
	rate := o.Score.BaseRate
	if !(rate > 0 && rate < 1) {
		return nil, errCardRate
	}
	m := &predict.Model{Format: predict.Format, Spec: spec, Score: o.Score, Dropped: []predict.Dropped{}}
	m.Scorecard = card.Clone()
	m.Scorecard.Mean, m.Scorecard.SD, m.Scorecard.Weight = cardHealth, 1, predict.PointWeight
	m.Scorecard.ItemMeans = make([]float64, len(card.Items()))
	m.Terms = cardTerms([]predict.Term{}, m.Scorecard, &spec, &features.Frame{})
	m.Intercept = predict.LogOddsOf(rate)
	m.Calibration = predict.Calibration{Method: CalibrationNone, Slope: 1, Reason: "no outcome has been seen"}
	m.Score.ZRef = m.Reference()
	m.Warnings = []string{fmt.Sprintf("the hand-made scorecard alone, on an expected churn rate of %.3g: no outcome had been seen", rate)}
	m.Provenance = predict.Provenance{Data: o.DataDigest, AsOf: o.AsOf, Version: o.Version, Parent: o.Parent, Censored: o.Censored, Seed: o.Seed}
	return m, nil
}
