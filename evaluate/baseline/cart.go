// SPDX-License-Identifier: Apache-2.0

package baseline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sjwhitworth/golearn/trees"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

const (
	maxDepth = 5
	// maxRows and maxCells bound the training rows, and rows × columns: 6,000
	// rows of 90 columns take 1.2 s, labelling 115,000 rows .4 s more.
	maxRows  = 6000
	maxCells = 540_000
	seed     = 1
	// timeLimit is forty times what a fit within these bounds takes: it ends
	// what hangs, and does not make results depend on how fast a machine is.
	timeLimit = time.Minute
	// chunk is how many rows are handed to the tree at a time; golearn copies
	// each grid twice.
	chunk = 8192
)

// CART returns golearn's decision tree as the candidate golearn_cart: Gini
// impurity, depth 5, grown on at most 6,000 training rows (fewer with more
// than 90 columns), drawn at random with a fixed seed.
//
// golearn's trees give labels only; their probabilities (labelRates) take at
// most two values a fit. Weights have no part in growing the
// tree: golearn knows none.
//
// A fit that takes more than a minute or outlives its context is an error, and
// so is a panic of the library. A goroutine cannot be stopped from outside:
// such a fit goes on in the background and is discarded when it ends.
func CART() evaluate.Candidate {
	return evaluate.Candidate{
		Name: "golearn_cart",
		Note: fmt.Sprintf("golearn's decision tree, depth %d, numbers in %d quantile bins, "+
			"grown on at most %d training rows (%d rows × columns) drawn with seed %d; it gives labels only, "+
			"so p_churn = (k+1)/(n+2) of the predicted label over all training rows",
			maxDepth, bins, maxRows, maxCells, seed),
		Fit: func(ctx context.Context, f *features.Frame) (evaluate.Predictor, error) {
			return withinLimit(ctx, timeLimit, func() (evaluate.Predictor, error) { return fit(f) })
		},
	}
}

// withinLimit runs fit in a goroutine of its own and waits for it no longer
// than the limit or the context allows.
func withinLimit(ctx context.Context, limit time.Duration,
	fit func() (evaluate.Predictor, error)) (evaluate.Predictor, error) {
	type outcome struct {
		predictor evaluate.Predictor
		err       error
	}
	ended := make(chan outcome, 1) // buffered: a fit that nobody waits for any more must be able to end
	go func() {
		var o outcome
		defer func() {
			if r := recover(); r != nil {
				o = outcome{err: fmt.Errorf("golearn panicked: %v", r)}
			}
			ended <- o
		}()
		o.predictor, o.err = fit()
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("golearn took more than %v", limit))
	defer cancel()
	select {
	case o := <-ended:
		return o.predictor, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// A cart is a fitted tree with the probability of each label.
type cart struct {
	tree     *trees.CARTDecisionTreeClassifier
	encoding *encoding
	p        labelRates
}

func fit(f *features.Frame) (evaluate.Predictor, error) {
	rows := sample(len(f.Rows), maxRows)
	c := &cart{encoding: newEncoding(f, rows)}
	if c.encoding.width() == 0 {
		return nil, errors.New("no column varies among the training rows")
	}
	// A prefix of rows in random order is itself a random draw.
	rows = rows[:min(len(rows), maxCells/c.encoding.width()+1)]
	slices.Sort(rows)
	grid, err := c.encoding.grid(f, rows, true)
	if err != nil {
		return nil, err
	}
	c.tree = trees.NewDecisionTreeClassifier(trees.GINI, maxDepth, []int64{0, 1})
	if err := c.tree.Fit(grid); err != nil {
		return nil, fmt.Errorf("golearn: %w", err)
	}
	labels, err := c.labels(f)
	if err != nil {
		return nil, err
	}
	c.p = ratesOf(f, labels)
	return c, nil
}

// sample returns all n row numbers, or most of them drawn without replacement,
// in random order.
func sample(n, most int) []int {
	rows := rand.New(rand.NewPCG(seed, 0)).Perm(n)
	return rows[:min(n, most)]
}

// Prob implements evaluate.Predictor.
func (c *cart) Prob(dst []float64, f *features.Frame) ([]float64, error) {
	labels, err := c.labels(f)
	if err != nil {
		return nil, err
	}
	return c.p.of(dst, labels), nil
}

// labels returns the label of every row.
func (c *cart) labels(f *features.Frame) ([]int64, error) {
	rows := make([]int, len(f.Rows))
	for i := range rows {
		rows[i] = i
	}
	var labels []int64
	for part := range slices.Chunk(rows, chunk) {
		grid, err := c.encoding.grid(f, part, false)
		if err != nil {
			return nil, err
		}
		labels = append(labels, c.tree.Predict(grid)...)
	}
	return labels, nil
}
