// SPDX-License-Identifier: Apache-2.0

package baseline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/naive"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// Bayes returns golearn's Bernoulli naive Bayes as the candidate golearn_bayes,
// fitted on at most 6,000 training rows (fewer with more than 90 columns), drawn
// at random with a fixed seed. A number becomes the flag "above its median", a
// level a flag of its own, as CART encodes them.
//
// It gives labels only, which become probabilities as those of CART do, and its
// fit is bounded in the same way.
func Bayes() evaluate.Candidate {
	return evaluate.Candidate{
		Name: "golearn_bayes",
		Note: fmt.Sprintf("golearn's Bernoulli naive Bayes, numbers as above or below their median, "+
			"fitted on at most %d training rows (%d rows × columns) drawn with seed %d; it gives labels only, "+
			"so p_churn = (k+1)/(n+2) of the predicted label over all training rows", maxRows, maxCells, seed),
		Fit: func(ctx context.Context, f *features.Frame) (evaluate.Predictor, error) {
			return withinLimit(ctx, timeLimit, func() (evaluate.Predictor, error) { return fitBayes(f) })
		},
	}
}

// A bayes is a fitted classifier with the probability of each label.
type bayes struct {
	classifier *naive.BernoulliNBClassifier
	encoding   *encoding
	p          labelRates
}

func fitBayes(f *features.Frame) (evaluate.Predictor, error) {
	rows := sample(len(f.Rows), maxRows)
	b := &bayes{classifier: naive.NewBernoulliNBClassifier(), encoding: newEncoding(f, rows)}
	if b.encoding.width() == 0 {
		return nil, errors.New("no column varies among the training rows")
	}
	// A prefix of rows in random order is itself a random draw.
	rows = rows[:min(len(rows), maxCells/b.encoding.width()+1)]
	slices.Sort(rows)
	grid, err := b.grid(f, rows)
	if err != nil {
		return nil, err
	}
	if err := b.classifier.Fit(grid); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	labels, err := b.labels(f)
	if err != nil {
		return nil, err
	}
	b.p = ratesOf(f, labels)
	return b, nil
}

// flags returns a reader of encoded column j as a flag: of a number, whether it
// lies above its median.
func (b *bayes) flags(f *features.Frame, j int) (func(row int) byte, error) {
	value, err := b.encoding.column(f, j)
	if err != nil {
		return nil, err
	}
	above := 0.0
	if j < len(b.encoding.numbers) {
		above = b.encoding.numbers[j].median
	}
	return func(row int) byte {
		if value(row) > above {
			return 1
		}
		return 0
	}, nil
}

// grid returns the flags of training rows with their outcome, as golearn wants
// them.
func (b *bayes) grid(f *features.Frame, rows []int) (*base.DenseInstances, error) {
	g := base.NewDenseInstances()
	specs := make([]base.AttributeSpec, b.encoding.width())
	for j := range specs {
		specs[j] = g.AddAttribute(base.NewBinaryAttribute(fmt.Sprintf("x%d", j)))
	}
	y := base.NewCategoricalAttribute()
	y.SetName("y")
	label := g.AddAttribute(y)
	if err := g.AddClassAttribute(y); err != nil {
		return nil, err
	}
	if err := g.Extend(len(rows)); err != nil {
		return nil, err
	}
	for j := range specs {
		flag, err := b.flags(f, j)
		if err != nil {
			return nil, err
		}
		for i, r := range rows {
			g.Set(specs[j], i, []byte{flag(r)})
		}
	}
	codes := [2][]byte{y.GetSysValFromString("0"), y.GetSysValFromString("1")}
	for i, r := range rows {
		g.Set(label, i, codes[f.Rows[r].Y])
	}
	return g, nil
}

// labels returns the label of every row.
func (b *bayes) labels(f *features.Frame) ([]int64, error) {
	flags := make([]func(int) byte, b.encoding.width())
	for j := range flags {
		var err error
		if flags[j], err = b.flags(f, j); err != nil {
			return nil, err
		}
	}
	labels, row := make([]int64, len(f.Rows)), make([][]byte, len(flags))
	for j := range row {
		row[j] = make([]byte, 1)
	}
	for i := range labels {
		for j := range row {
			row[j][0] = flags[j](i)
		}
		if b.classifier.PredictOne(row) == "1" {
			labels[i] = 1
		}
	}
	return labels, nil
}

// Prob implements evaluate.Predictor.
func (b *bayes) Prob(dst []float64, f *features.Frame) ([]float64, error) {
	labels, err := b.labels(f)
	if err != nil {
		return nil, err
	}
	return b.p.of(dst, labels), nil
}
