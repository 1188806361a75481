// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/holdfast-churn/holdfast/features"
)

// A pool holds the test rows of all tested origins, one origin after the
// other, as the metrics need them.
type pool struct {
	rows     []int // of the frame
	y, w     []float64
	group    []int // number of the row's group, in order of first appearance
	groups   int
	renewal  []int // number of the row's renewal; a row without a contract is one of its own
	renewals int
	origin   []int
	starts   []int // origin o has the rows starts[o]:starts[o+1]

	value         []float64 // money at stake; NaN where there is none, or in another currency
	hasValue      bool
	currency      string // that most rows with a value have
	otherCurrency int    // rows with a value in another one

	resamples *resampler
	blocks    *resampler // of fewer blocks, for Excess; nil until one is asked for
}

func newPool(f *features.Frame, origins []Origin) *pool {
	t := &pool{starts: []int{0}}
	type renewalKey struct {
		contract string
		due      int64
	}
	rows := 0
	for o := range origins {
		rows += len(origins[o].Test)
	}
	groups, renewals := map[string]int{}, make(map[renewalKey]int, rows)
	number := func(key string) int {
		g, ok := groups[key]
		if !ok {
			g = len(groups)
			groups[key] = g
		}
		return g
	}
	for o := range origins {
		for _, r := range origins[o].Test {
			row := &f.Rows[r]
			renewal := t.renewals
			if row.Contract != "" {
				key := renewalKey{row.Contract, row.Due}
				if n, ok := renewals[key]; ok {
					renewal = n
				} else {
					renewals[key] = renewal
				}
			}
			t.renewals = max(t.renewals, renewal+1)
			t.rows = append(t.rows, r)
			t.y, t.w = append(t.y, float64(row.Y)), append(t.w, row.Weight)
			t.group, t.renewal = append(t.group, number(groupOf(row))), append(t.renewal, renewal)
			t.origin = append(t.origin, o)
		}
		t.starts = append(t.starts, len(t.y))
	}
	t.groups = len(groups)
	t.values(f)
	return t
}

// values reads the money at stake. Two currencies are never added: rows in
// another than the commonest have no value.
func (t *pool) values(f *features.Frame) {
	rows := map[string]int{}
	for _, r := range t.rows {
		if row := &f.Rows[r]; row.Value > 0 {
			rows[row.Currency]++
		}
	}
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rows[b], rows[a]), cmp.Compare(a, b)) })
	if len(names) > 0 {
		t.currency, t.hasValue = names[0], true
	}
	t.value = make([]float64, len(t.rows))
	for i, r := range t.rows {
		row := &f.Rows[r]
		t.value[i] = math.NaN()
		switch {
		case !(row.Value > 0):
		case row.Currency == t.currency:
			t.value[i] = row.Value
		default:
			t.otherCurrency++
		}
	}
}

// valued returns the values, or nil where there are none.
func (t *pool) valued(lo, hi int) []float64 {
	if !t.hasValue {
		return nil
	}
	return t.value[lo:hi]
}

// offBy is the relative distance between mean prediction and observed rate
// from which an origin is named.
const offBy = 0.10

// measureOrigin measures predictions for the rows of one origin, given in
// ascending order of p.
func (t *pool) measureOrigin(o int, name string, p []float64, order []int, capacity float64) OriginScores {
	lo, hi := t.starts[o], t.starts[o+1]
	m := measure(p, t.y[lo:hi], t.w[lo:hi], order, capacity)
	if t.hasValue {
		m.Value = measureValue(p, t.y[lo:hi], t.w[lo:hi], t.value[lo:hi], order, capacity)
	}
	at := OriginScores{Origin: name, Metrics: &m}
	at.Off = !(math.Abs(float64(m.MeanP-m.Rate)) <= offBy*float64(m.Rate))
	at.LogLoss, at.AUC, at.Rate = undefinedInterval(), undefinedInterval(), undefinedInterval()
	s := t.resamples
	if at.LogLoss.Estimate, at.AUC.Estimate, at.Rate.Estimate = m.LogLoss, m.AUC, m.Rate; s != nil && s.blocks > 1 {
		group := t.group[lo:hi]
		mass := s.sums(group, func(i int) float64 { return t.w[lo+i] })
		at.LogLoss = s.ratio(s.sums(group, func(i int) float64 { return t.w[lo+i] * logLossOf(p[i], t.y[lo+i]) }), mass)
		at.Rate = s.ratio(s.sums(group, func(i int) float64 { return t.w[lo+i] * t.y[lo+i] }), mass)
	}
	return at
}

// scores measures one candidate that predicted all rows.
func (t *pool) scores(c *Candidate, j *judged, origins []Origin, o *Options) Scores {
	s := Scores{Name: c.Name, Note: c.Note}
	orders := make([][]int, len(origins))
	for _, i := range j.order {
		at := t.origin[i]
		orders[at] = append(orders[at], i-t.starts[at])
	}
	for k := range origins {
		s.Origins = append(s.Origins, t.measureOrigin(k, origins[k].Name, j.p[t.starts[k]:t.starts[k+1]], orders[k], o.capacity()))
	}
	m := measure(j.p, t.y, t.w, j.order, o.capacity())
	if t.hasValue {
		m.Value = measureValue(j.p, t.y, t.w, t.value, j.order, o.capacity())
	}
	m.AUC = meanAUC(s.Origins)
	s.Pooled = &m
	s.Deciles = deciles(equalMass(j.p, t.y, t.w, j.order))
	s.Histogram = histogram(j.p, s.Deciles)
	return s
}

// failed reports a candidate that has no prediction at some origin: why, and
// what it reached at the others.
func (t *pool) failed(c *Candidate, origins []Origin, predictions []prediction, o *Options) Scores {
	s := Scores{Name: c.Name, Note: c.Note}
	failed, first := 0, ""
	for k := range origins {
		err := predictions[k].err
		switch {
		case err == nil:
			s.Origins = append(s.Origins, t.measureOrigin(k, origins[k].Name, predictions[k].p, ascending(predictions[k].p), o.capacity()))
			continue
		case errors.Is(err, errNotAsked):
			s.Covered = &Covered{}
		default:
			if failed++; failed == 1 {
				first = origins[k].Name + ": " + shorten(err.Error())
			}
		}
		s.Origins = append(s.Origins, OriginScores{Origin: origins[k].Name, Failure: shorten(err.Error()),
			LogLoss: undefinedInterval(), AUC: undefinedInterval(), Rate: undefinedInterval()})
	}
	if failed > 0 {
		s.Covered = nil
		s.Failure = fmt.Sprintf("failed at %d of %d origins; first at %s", failed, len(origins), first)
	}
	return s
}

// compareCovered compares a candidate that was asked at some origins only to the
// subject, on the rows that both predicted. base may be nil.
func (t *pool) compareCovered(s, subject *Scores, predictions []prediction, ours, base []float64, o *Options) {
	if s.Covered == nil {
		return
	}
	v := rival{pool: t}
	for k := range predictions {
		if predictions[k].err != nil {
			continue
		}
		s.Covered.Origins++
		for i := t.starts[k]; i < t.starts[k+1]; i++ {
			v.add(i, predictions[k].p[i-t.starts[k]], ours, base)
		}
	}
	if len(v.y) == 0 {
		return
	}
	m, n := MeasureValued(v.p, v.y, v.w, nil, o.capacity()), MeasureValued(v.ours, v.y, v.w, nil, o.capacity())
	s.Covered.Metrics, s.Covered.Subject = &m, &n
	s.VersusSubject = v.compare(s.Name, subject.Name)
}

// compareSubject compares predictions of all rows to the subject's.
func (t *pool) compareSubject(name, subject string, p, ours, base []float64) *Comparison {
	v := rival{pool: t}
	for i := range p {
		v.add(i, p[i], ours, base)
	}
	return v.compare(name, subject)
}

// A rival collects the rows on which a candidate stands against the subject.
type rival struct {
	*pool
	p, ours, base, y, w []float64 // base is empty where it is not known
	group               []int
}

func (v *rival) add(i int, p float64, ours, base []float64) {
	v.p, v.ours = append(v.p, p), append(v.ours, ours[i])
	v.y, v.w, v.group = append(v.y, v.pool.y[i]), append(v.w, v.pool.w[i]), append(v.group, v.pool.group[i])
	if base != nil {
		v.base = append(v.base, base[i])
	}
}

func (v *rival) compare(name, subject string) *Comparison {
	mass := func(k int) float64 { return v.w[k] }
	worse := func(k int) float64 { return v.w[k] * (logLossOf(v.p[k], v.y[k]) - logLossOf(v.ours[k], v.y[k])) }
	c := v.resamples.compare(v.group, worse, mass)
	if v.base != nil {
		c.PNotWorse = v.resamples.compare(v.group, func(k int) float64 {
			gain := logLossOf(v.base[k], v.y[k]) - logLossOf(v.p[k], v.y[k])
			return -worse(k) - worseShare*float64(v.w[k]*gain)
		}, mass).PBetter
	}
	c.Words = pairWords(name, subject, c)
	return c
}

// AUCPooling states in words how the pooled AUC is made.
const AUCPooling = "mean over origins, weighted by test rows; origins of one outcome are left out"

// meanAUC returns the mean AUC over the origins that have one, weighted by
// rows; NaN where none has.
func meanAUC(origins []OriginScores) Number {
	var total, rows float64
	for _, o := range origins {
		if m := o.Metrics; m.AUC.Defined() {
			total += float64(float64(m.AUC) * float64(m.Rows))
			rows += float64(m.Rows)
		}
	}
	return Number(total / rows)
}

// compare compares the log loss of a candidate, pooled over all rows, to that
// of other predictions for them.
func (t *pool) compare(ours, others []float64) *Comparison {
	return t.resamples.compare(t.group, func(i int) float64 {
		return t.w[i] * (logLossOf(ours[i], t.y[i]) - logLossOf(others[i], t.y[i]))
	}, func(i int) float64 { return t.w[i] })
}

// compare judges the mean Σ difference / Σ w of rows in the given groups.
func (s *resampler) compare(group []int, difference, w func(row int) float64) *Comparison {
	d, mass := s.sums(group, difference), s.sums(group, w)
	replicates := s.ratios(d, mass)
	c := &Comparison{LogLoss: interval(sum(d)/sum(mass), replicates, level), PBetter: undefinedInterval().Low, PNotWorse: undefinedInterval().Low}
	if len(replicates) > 0 {
		better := 0.0
		for _, v := range replicates {
			switch {
			case v < 0:
				better++
			case v == 0:
				better += 0.5
			}
		}
		c.PBetter = Number(better / float64(len(replicates)))
	}
	switch {
	case c.LogLoss.High < 0:
		c.Finding = Better
	case c.LogLoss.Low > 0:
		c.Finding = Worse
	default: // also without bounds
		c.Finding = NoSkill
	}
	return c
}

// ownMean returns, for each row, the candidate's weighted mean p at the row's
// origin.
func (t *pool) ownMean(p []float64) []float64 {
	means := make([]float64, len(p))
	for o := range len(t.starts) - 1 {
		lo, hi := t.starts[o], t.starts[o+1]
		mean := stat.Mean(p[lo:hi], t.w[lo:hi])
		for i := lo; i < hi; i++ {
			means[i] = mean
		}
	}
	return means
}

func join(predictions []prediction) []float64 {
	var p []float64
	for _, at := range predictions {
		p = append(p, at.p...)
	}
	return p
}
