// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/holdfast-churn/holdfast/features"
)

// A pool holds the test rows of all tested origins, one origin after the
// other, as the metrics need them.
type pool struct {
	y, w   []float64
	group  []int // number of the row's group, in order of first appearance
	groups int
	starts []int // origin o has the rows starts[o]:starts[o+1]
}

func newPool(f *features.Frame, origins []Origin) *pool {
	t := &pool{starts: []int{0}}
	number := map[string]int{}
	for o := range origins {
		for _, r := range origins[o].Test {
			row := &f.Rows[r]
			g, ok := number[groupOf(row)]
			if !ok {
				g = len(number)
				number[groupOf(row)] = g
			}
			t.y = append(t.y, float64(row.Y))
			t.w = append(t.w, row.Weight)
			t.group = append(t.group, g)
		}
		t.starts = append(t.starts, len(t.y))
	}
	t.groups = len(number)
	return t
}

// offBy is the relative distance between mean prediction and observed rate
// from which an origin is named.
const offBy = 0.10

// scores measures one candidate, whose predictions at each origin are given.
func (t *pool) scores(c *Candidate, origins []Origin, predictions []prediction) Scores {
	s := Scores{Name: c.Name, Note: c.Note}
	failed := 0
	for o := range origins {
		at := OriginScores{Origin: origins[o].Name}
		if err := predictions[o].err; err != nil {
			at.Failure = shorten(err.Error())
			if failed++; failed == 1 {
				s.Failure = at.Origin + ": " + at.Failure
			}
		} else {
			lo, hi := t.starts[o], t.starts[o+1]
			m := Measure(predictions[o].p, t.y[lo:hi], t.w[lo:hi])
			at.Metrics = &m
			at.Off = !(math.Abs(float64(m.MeanP-m.Rate)) <= offBy*float64(m.Rate))
		}
		s.Origins = append(s.Origins, at)
	}
	if failed > 0 {
		s.Failure = fmt.Sprintf("failed at %d of %d origins; first at %s", failed, len(origins), s.Failure)
		return s
	}
	p := join(predictions)
	order := ascending(p)
	m := measure(p, t.y, t.w, order, defaultCapacity)
	m.AUC = meanAUC(s.Origins)
	s.Pooled = &m
	s.Deciles = deciles(equalMass(p, t.y, t.w, order))
	s.Histogram = histogram(p, s.Deciles)
	return s
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
func (t *pool) compare(ours, others []float64, o *Options) *Comparison {
	d, w := make([]float64, t.groups), make([]float64, t.groups)
	for i, g := range t.group {
		d[g] += float64(t.w[i] * (logLossOf(ours[i], t.y[i]) - logLossOf(others[i], t.y[i])))
		w[g] += t.w[i]
	}
	c := &Comparison{LogLoss: clusterInterval(d, w, o.replicates(), o.Seed)}
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

// newResult measures everything and puts it into words.
func newResult(f *features.Frame, origins, tested []Origin, candidates []Candidate,
	predictions [][]prediction, o *Options, design Design) *Result {
	t := newPool(f, tested)
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
	base := 0
	for c := range candidates {
		for at := range tested {
			byCandidate[c] = append(byCandidate[c], predictions[at][c])
		}
		if candidates[c].Name == BaseRateName {
			base = c
		}
		r.Candidates = append(r.Candidates, t.scores(&candidates[c], tested, byCandidate[c]))
	}
	for c := range candidates {
		if s := &r.Candidates[c]; c != base && s.Failure == "" && r.Candidates[base].Failure == "" {
			p := join(byCandidate[c])
			s.VersusBase = t.compare(p, join(byCandidate[base]), o)
			s.VersusBase.Words = comparisonWords(s, &r.Candidates[base])
			s.VersusOwnMean = t.compare(p, t.ownMean(p), o)
			s.VersusOwnMean.Words = ownMeanWords(s)
		}
	}
	for i := range origins {
		r.Origins = append(r.Origins, originRows(f, &origins[i], o.Origins.location()))
	}
	r.describe(f, t, o)
	r.conclude()
	timed := design.Kind == RollingOrigins
	return &Result{Report: r, Predictions: predictionTable(f, tested, candidates, predictions,
		o.Origins.location(), timed)}
}

// describe fills in the counts of the design.
func (r *Report) describe(f *features.Frame, t *pool, o *Options) {
	d := &r.Design
	d.FrameRows, d.TestRows, d.TestGroups = len(f.Rows), len(t.y), t.groups
	d.TestChurned = int(sum(t.y))
	d.Bootstrap, d.Level, d.Binning, d.AUCPooling = o.replicates(), level, Binning, AUCPooling
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
		Skipped:      o.Skipped,
	}
	if !o.At.IsZero() {
		r.From, r.To = o.At.In(loc).Format(time.DateOnly), o.End.In(loc).Format(time.DateOnly)
	}
	return r
}
