// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

const (
	nestedEvents = 50 // renewals that answered yes (and no) from which a question gets a logit
	nestedTerms  = 12 // features of such a logit, at most
)

// FitNested learns what renewals do to value from the renewed rows of a frame
// whose share of value kept is known: whether they contract, and, of those that
// do not, whether they grow. It returns nil where no row knows, as in activity
// mode. Each question gets a linear logit on the twelve features of largest
// effect, or none below 50 events, with the reason.
//
// The features are chosen by a fit on all of them and fitted again alone, on the
// same rows, so that the out-of-fold figures of a part flatter it a little.
func FitNested(ctx context.Context, f *features.Frame, spec features.Spec, o Options) (*predict.Nested, error) {
	if err := predict.CheckSpec(&spec, f); err != nil {
		return nil, err
	}
	renewed := f.Where(func(r *features.Row) bool { return r.Y == 0 && !math.IsNaN(r.Kept) })
	if len(renewed) == 0 {
		return nil, nil
	}
	n := &predict.Nested{}
	keeps := func(low, high float64) float64 { return meanKept(f, renewed, low, high) }
	n.KeptContract = keeps(math.Inf(-1), math.Nextafter(predict.Contraction, 0))
	n.KeptSame = keeps(predict.Contraction, predict.Expansion)
	n.KeptGrow = keeps(math.Nextafter(predict.Expansion, 2), math.Inf(1))
	o = Options{Lambda: 0, Folds: o.Folds, Seed: o.Seed, Workers: o.Workers, Calibration: o.Calibration, Time: o.Time, Stages: StagesLinear}
	var err error
	if n.Contract, err = fitPart(ctx, f.Select(renewed), spec, o, func(kept float64) bool { return kept < predict.Contraction }); err != nil {
		return nil, fmt.Errorf("fitting which renewals contract: %w", err)
	}
	whole := f.Where(func(r *features.Row) bool { return r.Y == 0 && r.Kept >= predict.Contraction })
	if n.Grow, err = fitPart(ctx, f.Select(whole), spec, o, func(kept float64) bool { return kept > predict.Expansion }); err != nil {
		return nil, fmt.Errorf("fitting which renewals grow: %w", err)
	}
	return n, nil
}

// meanKept returns the weighted mean share of value kept by the rows whose share
// lies from low to high, or 1 where there is none.
func meanKept(f *features.Frame, rows []int, low, high float64) float64 {
	total, sum := 0.0, 0.0
	for _, i := range rows {
		if r := &f.Rows[i]; r.Kept >= low && r.Kept <= high {
			total += r.Weight
			sum += float64(r.Weight * r.Kept)
		}
	}
	if total == 0 {
		return 1
	}
	return sum / total
}

// fitPart answers one question about the rows of a frame, which it may change.
func fitPart(ctx context.Context, f *features.Frame, spec features.Spec, o Options, yes func(kept float64) bool) (predict.NestedPart, error) {
	p := predict.NestedPart{}
	total, events := 0.0, 0.0
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Y = 0
		if yes(r.Kept) {
			r.Y = 1
		}
		total += r.Weight
		events += float64(r.Weight * float64(r.Y))
	}
	p.Renewals, p.Events = int(math.Round(total)), int(math.Round(events))
	if total > 0 {
		p.Rate = events / total
	}
	if few := min(events, total-events); few < nestedEvents {
		p.Reason = fmt.Sprintf("%.0f of %.0f renewals, fewer than %d on one side: their rate stands for all", events, total, nestedEvents)
		return p, nil
	}
	first := o
	first.Calibration = CalibrationNone
	m, err := Fit(ctx, f, spec, first)
	if err != nil {
		return p, err
	}
	few, spec := strongest(m, f, spec, nestedTerms)
	if len(spec.Features) == 0 {
		p.Reason = "no feature carries information about it: the rate stands for all"
		return p, nil
	}
	if m, err = Fit(ctx, few, spec, o); err != nil {
		return p, err
	}
	p.Logit, p.OutOfFold = &m.Logit, m.OutOfFold
	p.Reason = fmt.Sprintf("%d of %d renewals; the %d features of largest effect", p.Events, p.Renewals, len(m.Terms))
	return p, nil
}

// strongest returns the frame and spec with the n features alone whose effects
// are largest in a model, in the order of the spec.
func strongest(m *predict.Model, f *features.Frame, spec features.Spec, n int) (*features.Frame, features.Spec) {
	terms := slices.Clone(m.Terms)
	slices.SortStableFunc(terms, func(a, b predict.Term) int {
		switch x, y := math.Abs(a.Effect.Estimate), math.Abs(b.Effect.Estimate); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	keep := make(map[string]bool)
	for _, t := range terms[:min(n, len(terms))] {
		keep[t.Feature] = true
	}
	g := &features.Frame{Rows: f.Rows}
	all := spec.Features
	spec.Features = nil
	for _, feature := range all {
		if keep[feature.Name] {
			spec.Features = append(spec.Features, feature)
			g.Columns = append(g.Columns, *f.Column(feature.Name))
		}
	}
	g.SpecDigest = spec.Digest()
	return g, spec
}
