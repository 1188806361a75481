// SPDX-License-Identifier: Apache-2.0

// Package train fits a weight model to renewals whose outcomes are known. It
// owns everything that learns from an outcome: the penalty, the weights, their
// errors and the calibration map. FORMULAS.md lists the formulas with their
// sources. Fit goes through these steps:
//
//	sample.go    the rows in an order of their own, cut into folds by account, group or time;
//	             value.go weighs them by what is at stake
//	terms.go     each feature's basis columns and their standardising, without the outcomes;
//	             twins.go drops numbers that say the same
//	design.go    the matrix X, evaluated by the code that scores (predict.Input)
//	path.go      the penalty by grouped cross-validation; stale.go fits its many folds fast,
//	             search.go a whole grid in float32; onese.go takes a larger penalty
//	newton.go    the published weights, exactly: logloss.go, kernels.go, cholesky.go
//	contest.go   linear terms, splines, slopes, pairs or tables, whichever predicts rows of other
//	             accounts best: stages.go grows them, curves.go makes the splines,
//	             pairs.go and tree.go find what acts together (bins.go cuts features
//	             into cells), matrix.go keeps such designs by rows, ridge.go fits them
//	judge.go     judges the penalties of linear terms and splines
//	slopes.go    segments and lifecycle phases with slopes of their own, drawn together
//	publish.go   the winner's weights; bands.go its errors
//	streamed.go  the weights of more rows than fit in memory, from sums over shards (sums.go) of
//	             the model's columns (raw.go), a few rows at a time (squares.go)
//	variance.go  errors clustered by group; effects.go states them term by term,
//	             termcurves.go along their ranges
//	chain.go     predictions of later rows by earlier fits; calibrate.go fits the map to them,
//	             isotonic.go a step-like one, bends.go one that bends, segments.go shifts of its segments
//	prior.go     a hand-made scorecard, alone or as a prior; beliefs.go fits under it, and under
//	             directions that bind: monotone.go has their curves, bounds.go keeps weights
//	             on their side of 0, bootstrap.go gives their intervals
//	nested.go    what renewals do to value, beside whether they happen
//	update.go    between retrainings: how little of a model must change
//	warnings.go  what is doubtful about the result
//
// It refuses rows without a known outcome rather than guess, samples with one
// outcome only, and fits that do not converge. It does not apply the maturity
// rule: the caller decides which outcomes were known. It knows no clock, no
// file and no log; randomness comes from Options.Seed, sums run in a fixed
// order, and the same rows give the same bytes for any number of workers. The
// bits of math.Exp and math.Log1p differ between processor families, so weights
// made on another family may differ in their last digits.
//
//	m, err := train.Fit(ctx, frame, spec, train.Options{Seed: 1, Time: true, AsOf: "2026-01-31"})
package train
