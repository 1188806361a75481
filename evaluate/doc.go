// SPDX-License-Identifier: Apache-2.0

// Package evaluate says how good a way of predicting churn is, out of time and
// in figures that can be checked.
//
// A backtest proceeds in four steps. Origins (origin.go) choose for every
// calendar month or quarter T which rows of a frame may train, because their
// outcome was known at T, and which are to be predicted. Backtest (backtest.go)
// refits every Candidate at every origin and predicts the test rows; one that
// fails or panics becomes a row that says why. The metrics (logloss.go,
// brier.go, auc.go, bins.go, lift.go, calibration.go) are plain functions of
// probabilities p, outcomes y and weights w. The Report (report.go) holds them
// per origin and pooled, compared to the base rate with an interval by account
// (interval.go), and says in words what they mean (verdict.go).
//
// Leaks (leaks.go) holds the proofs that nothing leaks from the future: those of
// features, a recipe refitted on shuffled outcomes (shuffle.go), and what
// features seen too late would seem to be worth (hindsight.go). A promotion
// (gate.go) needs that none failed.
//
// Tables without a time are cross-validated instead (folds.go) and end in the
// same Report.
//
// A DataCheck (datacheck.go) says what is known of a project's data before any
// of that: findings, events, coverage and outcomes by month, and a Plan
// (plan.go, samplesize.go) of what the matured outcomes are enough for.
//
// The package reads no clock, writes no file and draws nothing:
// evaluate/report makes pages, evaluate/baseline the golearn candidate.
// Doubtful figures are warnings in the report, never errors. METRICS.md lists
// each formula with its function and source.
//
//	result, err := evaluate.Backtest(ctx, frame, []evaluate.Candidate{ours, evaluate.BaseRate()},
//		evaluate.Options{Origins: evaluate.OriginOptions{Months: 3}})
package evaluate
