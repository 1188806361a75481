// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/features"
)

const dayNS = int64(24 * time.Hour)

// history makes a frame of monthly renewals: accounts times months rows, with
// snapshots 30 days before the due date and outcomes known on it. Feature x
// is one of four levels whose true churn rates are those of trueRate.
func history(accounts, months int, seed uint64) *features.Frame {
	random := rand.New(rand.NewPCG(seed, 1))
	start := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	f := &features.Frame{SpecDigest: "0123456789abcdef"}
	x := features.Column{Feature: features.Feature{Name: "x", Kind: features.LevelKind},
		Levels: []string{"a", "b", "c", "d"}}
	for a := range accounts {
		for m := range months {
			level := random.IntN(4)
			var y int8
			if random.Float64() < trueRate[level] {
				y = 1
			}
			due := start.AddDate(0, m+1, a%28).UnixNano()
			x.Codes = append(x.Codes, int32(level))
			f.Rows = append(f.Rows, features.Row{
				Account: fmt.Sprintf("account %d", a), Contract: fmt.Sprintf("c%d-%d", a, m),
				Group: fmt.Sprintf("parent %d", a/2), Segment: "all",
				Snapshot: due - 30*dayNS, Due: due, LeadDays: 30, Mature: due, Y: y, Weight: 1, Value: 100,
			})
		}
	}
	f.Columns = []features.Column{x}
	return f
}

// shuffle deals the outcomes of each month out anew among its rows.
func shuffle(f *features.Frame, months int, seed uint64) *features.Frame {
	random := rand.New(rand.NewPCG(seed, 2))
	accounts := len(f.Rows) / months
	for m := range months {
		random.Shuffle(accounts, func(a, b int) {
			i, j := a*months+m, b*months+m
			f.Rows[i].Y, f.Rows[j].Y = f.Rows[j].Y, f.Rows[i].Y
		})
	}
	return f
}

var trueRate = [4]float64{0.05, 0.10, 0.20, 0.45}

// byLevel is a learner as simple as one can be: the training rate of each
// level of x, shrunk a little.
func byLevel() Candidate {
	return Candidate{Name: "by_level", Fit: func(_ context.Context, f *features.Frame) (Predictor, error) {
		var churned, rows [4]float64
		for i := range f.Rows {
			k := f.Columns[0].Codes[i]
			churned[k] += float64(f.Rows[i].Y)
			rows[k]++
		}
		return predictorFunc(func(f *features.Frame, i int) float64 {
			k := f.Columns[0].Codes[i]
			return (churned[k] + 1) / (rows[k] + 2)
		}), nil
	}}
}

// A predictorFunc predicts row by row.
type predictorFunc func(f *features.Frame, i int) float64

// Prob implements Predictor.
func (p predictorFunc) Prob(_ []float64, f *features.Frame) ([]float64, error) {
	out := make([]float64, len(f.Rows))
	for i := range out {
		out[i] = p(f, i)
	}
	return out, nil
}

// undefinedAlike makes cmp take two undefined numbers for equal.
var undefinedAlike = cmp.Comparer(func(a, b Number) bool { return a == b || !a.Defined() && !b.Defined() })
