// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// predictTable scores a ready table, some rows at a time: what it holds of the
// table, and of its scores, does not grow with the number of rows.
func (a *app) predictTable(tf tableFlags, ref, output, format string) error {
	if ref == "" {
		return usageError("--model FILE is needed to score a table")
	}
	m, id, err := a.signers.Load(a.fsys, ref)
	if err != nil {
		return err
	}
	// A table goes through one core about as fast as through two, for what two
	// have read and scored must pass between their caches (predict/BENCH.md).
	workers := max(1, a.workers)
	scorer, err := m.NewTableScorer(tf.id, workers)
	if err != nil {
		return err
	}
	a.progress.begin("scoring the table")
	var failed error // of reading and scoring, rather than of writing
	err = a.writePieces(output, format, func(w data.TableWriter) error {
		var writing error
		failed = data.ScanBatches(a.fsys, tf.path, scorer.Columns(), predict.TableRows, workers, func(t *data.Table) error {
			scores, err := scorer.Score(t)
			if err == nil {
				writing = w.Append(scores)
				err = writing
			}
			return err
		})
		if writing != nil {
			failed = nil
			return writing
		}
		return failed
	})
	var missing *data.ColumnError
	if errors.As(failed, &missing) {
		if expected := scorer.Expects(missing.Missing); expected != "" {
			failed = fmt.Errorf("%w; the model expects %s", failed, expected)
		}
	}
	if failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	return a.showScores(&scored{Path: output, ModelID: id, Rows: scorer.Rows(), Tiers: scorer.Tiers(), Unseen: scorer.Unseen()})
}
