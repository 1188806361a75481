// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/holdfast-churn/holdfast/features"
)

const defaultFolds = 5

// CrossValidate is Backtest for frames without a time: each of o.Folds folds
// is predicted by candidates fitted on the other folds. Rows of one group share
// a fold, so that no account is on both sides. Frames that have a time belong
// to Backtest: a random split flatters whatever drifts.
func CrossValidate(ctx context.Context, f *features.Frame, candidates []Candidate,
	o Options) (*Result, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	k := o.Folds
	if k == 0 {
		k = defaultFolds
	}
	folds := Folds(f, k, o.Seed)
	usable := 0
	for i := range folds {
		if folds[i].Skipped == "" {
			usable++
		}
	}
	if usable == 0 {
		known := 0
		for i := range f.Rows {
			if f.Rows[i].Y != features.Unknown {
				known++
			}
		}
		return nil, &NoOriginsError{Rows: len(f.Rows), Known: known, Origins: folds}
	}
	return evaluate(ctx, f, folds, candidates, &o, Design{Kind: CrossValidation, Folds: k})
}

// Folds deals the rows with a known outcome into k ≥ 2 folds by group:
//
//	fold = hash(seed, group) mod k
//
// never by position, so that the order of rows does not matter. Fold i tests
// its own rows and trains on all others; rows without an outcome, or without a
// probability, are counted where they would have been tested. A fold without test rows, or whose
// training rows are of one class, is marked as skipped.
func Folds(f *features.Frame, k int, seed uint64) []Origin {
	folds := make([]Origin, k)
	for i := range folds {
		folds[i].Name = fmt.Sprintf("fold %d", i+1)
	}
	for r := range f.Rows {
		row := &f.Rows[r]
		mine := foldOf(seed, groupOf(row), k)
		for i := range folds {
			switch o := &folds[i]; {
			case !hasProbability(row) || row.Y == features.Unknown:
				if i == mine && hasProbability(row) {
					o.Censored++
				} else if i == mine {
					o.NotScored++
				}
			case i == mine:
				o.Test = append(o.Test, r)
			default:
				o.Train = append(o.Train, r)
			}
		}
	}
	for i := range folds {
		o := &folds[i]
		switch churned := countChurned(f, o.Train); {
		case len(o.Test) == 0:
			o.Skipped = "no test rows"
		case churned == 0:
			o.Skipped = "no churned training rows"
		case churned == len(o.Train):
			o.Skipped = "every training row churned"
		}
	}
	return folds
}

// foldOf returns the fold of a group. The hash is not the one that a fit uses
// for folds of its own: with the same one and the same seed, the rows left to
// train on would miss exactly one of the inner folds.
func foldOf(seed uint64, group string, k int) int {
	h := sha256.New()
	var head [8]byte
	binary.LittleEndian.PutUint64(head[:], seed)
	h.Write([]byte("evaluate fold"))
	h.Write(head[:])
	h.Write([]byte(group))
	return int(binary.LittleEndian.Uint64(h.Sum(nil)) % uint64(k))
}

// groupOf returns the group of a row, its account where none is declared.
func groupOf(r *features.Row) string {
	if r.Group == "" {
		return r.Account
	}
	return r.Group
}
