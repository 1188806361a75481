// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-churn/holdfast/features"
)

// Hindsight sets what a recipe reaches on point-in-time features beside what it
// would seem to reach had features been joined with later values: the mistake
// that the point-in-time rule is there to avoid. A small gain is no comfort: a
// leak need not look too good to be true.
type Hindsight struct {
	Candidate string   `json:"candidate"`
	Origins   []string `json:"origins"`
	AsOf      Number   `json:"auc_as_of"` // mean over the origins, weighted by rows
	Looks     []Look   `json:"looks"`
	Failure   string   `json:"failure,omitempty"` // why there are no figures
}

// A Look is what features seen from a later instant would seem to be worth.
type Look struct {
	From    string   `json:"from"` // "the due date"
	AUC     Number   `json:"auc"`
	Lift    Interval `json:"lift"` // of the AUC, with a paired bootstrap interval by account
	Failure string   `json:"failure,omitempty"`
}

// A Glance is a way of looking at features from an instant after the snapshot.
type Glance struct {
	From string // in words
	// Frame builds the frame: the rows, in order, are those of the frame that it
	// is compared with. One is held at a time.
	Frame func() (*features.Frame, error)
}

func (h *Hindsight) lines() []LeakLine {
	if h.Failure != "" {
		return []LeakLine{{Name: "latest values", Did: "features joined with later values", Result: "not shown: " + h.Failure}}
	}
	var lines []LeakLine
	for i := range h.Looks {
		l := &h.Looks[i]
		line := LeakLine{Name: "latest values", Did: fmt.Sprintf("features seen from %s, %s refitted at %d origins", l.From, h.Candidate, len(h.Origins))}
		if line.Result = "not shown: " + l.Failure; l.Failure == "" {
			line.Result = fmt.Sprintf("AUC would seem to be %s, where it is %s: %s (90 %% interval by account %s to %s)",
				l.AUC.Fixed(4), h.AsOf.Fixed(4), l.Lift.Estimate.Signed(), l.Lift.Low.Signed(), l.Lift.High.Signed())
		}
		lines = append(lines, line)
	}
	return lines
}

// CompareHindsight refits a candidate at the last origins, on the frame and on
// each later look at the same rows. That figures cannot be had is a result.
func CompareHindsight(ctx context.Context, f *features.Frame, glances []Glance, c Candidate, o Options) (*Hindsight, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	h := &Hindsight{Candidate: c.Name, AsOf: undefinedInterval().Estimate, Looks: []Look{}}
	origins, err := lastOrigins(f, o.Origins)
	var none *NoOriginsError
	switch {
	case errors.As(err, &none):
		h.Failure = none.Error()
		return h, nil
	case err != nil:
		return nil, err
	}
	h.Origins = originNames(origins)
	p, failure, err := predictionsOf(ctx, f, origins, c, &o)
	if err != nil || failure != "" {
		h.Failure = failure
		return h, err
	}
	r := newRanking(f, origins, func(int, int) string { return "" })
	h.AsOf = Number(r.auc(p, nil))
	asOf := r.replicates(p, o.replicates(), o.Seed)
	for _, g := range glances {
		l := Look{From: g.From, AUC: undefinedInterval().Estimate, Lift: undefinedInterval()}
		later, err := g.Frame()
		if err != nil {
			return nil, err
		}
		if p, l.Failure, err = predictionsOf(ctx, later, origins, c, &o); err != nil {
			return nil, err
		}
		if l.Failure == "" {
			l.AUC = Number(r.auc(p, nil))
			lifts := r.replicates(p, o.replicates(), o.Seed)
			for b := range lifts {
				lifts[b] -= asOf[b]
			}
			l.Lift = interval(float64(l.AUC-h.AsOf), lifts, level)
		}
		h.Looks = append(h.Looks, l)
	}
	return h, nil
}
