// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/holdfast-churn/holdfast/features"
)

// leakOrigins is how many origins the proofs that refit look at: the last ones,
// which train on most rows. A fit that leaks does so at each.
const leakOrigins = 3

// shuffleLevel is that of the interval round the AUC of shuffled labels. The
// proof fails if it lies above one half: by chance in one of 200 histories.
const shuffleLevel = 0.99

// Shuffled is what a recipe made of outcomes that were dealt out anew among the
// renewals of each calendar month. There is nothing to learn but the level of
// churn by month, so that any skill in telling accounts apart within a month
// comes from a leak between the rows that train and those that are tested.
type Shuffled struct {
	Candidate string   `json:"candidate"`
	Origins   []string `json:"origins"`
	Rows      int      `json:"rows"` // tested
	Months    int      `json:"months"`
	// AUC within origin and month, averaged with the rows as weights, with its
	// bootstrap interval by account at Level.
	AUC     Interval `json:"auc"`
	Level   float64  `json:"level"`
	Failure string   `json:"failure,omitempty"` // why there are no figures
}

// figures names the AUC and its interval.
func (s *Shuffled) figures() string {
	return fmt.Sprintf("AUC %s (%.0f %% interval by account %s to %s)", s.AUC.Estimate.Fixed(3), 100*s.Level, s.AUC.Low.Fixed(3), s.AUC.High.Fixed(3))
}

func (s *Shuffled) line() LeakLine {
	l := LeakLine{Name: "labels shuffled", Did: fmt.Sprintf("outcomes dealt out anew within %d months, %s refitted at %d origins, %s rows tested",
		s.Months, s.Candidate, len(s.Origins), Count(s.Rows))}
	switch {
	case s.Failure != "":
		l.Result = "not shown: " + s.Failure
	case s.AUC.Low > 0.5:
		l.Failed, l.Result = true, s.figures()+": skill where there can be none"
	default:
		l.Result = s.figures() + ": no skill, as it must be"
	}
	return l
}

// ShuffleLabels refits a candidate on shuffled outcomes, at the last origins of
// o.Origins, and measures what it makes of the test rows. That the figures
// cannot be had (no usable origin, a fit that fails) is a result.
func ShuffleLabels(ctx context.Context, f *features.Frame, c Candidate, o Options) (*Shuffled, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Shuffled{Candidate: c.Name, Level: shuffleLevel, AUC: undefinedInterval()}
	g, months := shuffleWithinMonths(f, o.Origins.location(), o.Seed)
	origins, err := lastOrigins(g, o.Origins)
	var none *NoOriginsError
	switch {
	case errors.As(err, &none):
		s.Failure = none.Error()
		return s, nil
	case err != nil:
		return nil, err
	}
	p, failure, err := predictionsOf(ctx, g, origins, c, &o)
	if err != nil {
		return nil, err
	}
	r := newRanking(g, origins, func(_, row int) string { return months[row] })
	s.Origins, s.Rows, s.Months, s.Failure = originNames(origins), len(r.y), r.distinct, failure
	if failure == "" {
		s.AUC = interval(r.auc(p, nil), r.replicates(p, o.replicates(), o.Seed), shuffleLevel)
	}
	return s, nil
}

// shuffleWithinMonths returns the frame with the known outcomes dealt out anew
// among the renewals (in activity mode, the snapshots) whose first snapshot
// lies in the same calendar month, and the month of each row. All snapshots of
// a renewal get the same outcome, together with the time from the due date
// until it was known.
func shuffleWithinMonths(f *features.Frame, loc *time.Location, seed uint64) (*features.Frame, []string) {
	g := &features.Frame{SpecDigest: f.SpecDigest, Rows: slices.Clone(f.Rows), Columns: f.Columns}
	months := make([]string, len(f.Rows))
	renewals := map[string][][]int{} // rows of each renewal with a known outcome, by month
	for lo := 0; lo < len(f.Rows); {
		hi := lo + 1
		first := f.Rows[lo].Snapshot
		for hi < len(f.Rows) && f.Rows[lo].Contract != "" && f.Rows[hi].Contract == f.Rows[lo].Contract {
			first = min(first, f.Rows[hi].Snapshot)
			hi++
		}
		month := time.Unix(0, first).In(loc).Format("2006-01")
		var rows []int
		for i := lo; i < hi; i++ {
			months[i] = month
			rows = append(rows, i)
		}
		if f.Rows[lo].Y != features.Unknown {
			renewals[month] = append(renewals[month], rows)
		}
		lo = hi
	}
	names := make([]string, 0, len(renewals))
	for month := range renewals {
		names = append(names, month)
	}
	sort.Strings(names)
	random := rand.New(rand.NewPCG(seed, shuffleStream))
	for _, month := range names {
		of := renewals[month]
		for i, from := range random.Perm(len(of)) {
			source := &f.Rows[of[from][0]]
			for _, row := range of[i] {
				r := &g.Rows[row]
				r.Y, r.Mature = source.Y, r.Due+(source.Mature-source.Due)
			}
		}
	}
	return g, months
}

// shuffleStream keeps these draws apart from any other use of the same seed.
const shuffleStream = 0x73687566

// lastOrigins returns the last origins that can be tested.
func lastOrigins(f *features.Frame, o OriginOptions) ([]Origin, error) {
	origins, err := Origins(f, o)
	if err != nil {
		return nil, err
	}
	origins = slices.DeleteFunc(origins, func(o Origin) bool { return o.Skipped != "" })
	return origins[max(0, len(origins)-leakOrigins):], nil
}

func originNames(origins []Origin) []string {
	names := make([]string, len(origins))
	for i := range origins {
		names[i] = origins[i].Name
	}
	return names
}

// predictionsOf returns what one candidate predicts of all test rows, or why it
// failed.
func predictionsOf(ctx context.Context, f *features.Frame, origins []Origin, c Candidate, o *Options) (p []float64, failure string, err error) {
	at, err := predictAll(ctx, f, origins, []Candidate{c}, o)
	if err != nil {
		return nil, "", err
	}
	for i := range at {
		if err := at[i][0].err; err != nil {
			return nil, fmt.Sprintf("%s failed at %s: %s", c.Name, origins[i].Name, shorten(err.Error())), nil
		}
		p = append(p, at[i][0].p...)
	}
	return p, "", nil
}
