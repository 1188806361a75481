// SPDX-License-Identifier: Apache-2.0

// Package predict owns the published weight model: what it is, how its file
// is read and written, and everything that scoring an account takes.
//
//	model.go      the types: data only
//	basis.go      a feature's value to its basis columns; training uses the same code
//	spline.go     B-splines
//	input.go      a term bound to its column: all basis columns, or those not 0
//	term.go       a term prepared for scoring
//	pair.go       what two features add together
//	table.go      rules: conjunctions of conditions
//	score.go      log-odds and the one sigmoid
//	effects.go    each feature's part of the log-odds
//	calibrate.go  the map from raw to calibrated log-odds
//	uncertainty.go how well log-odds are known, by direction
//	certainty.go  intervals of probabilities, and whether the first reason would stay first
//	shape.go      curves of terms and grids of pairs, for people to look at
//	curve.go      points of a term's curve, with band and density
//	words.go      rules and values in words
//	difference.go what changed from one model to another
//	health.go     the 0-100 health score and its tiers
//	reasons.go    which pillars and features moved an account, in words
//	scores.go     the table of scores that other programs read
//	file.go       the file format (FORMAT.md) and its id
//	validate.go   what a model must be to be applied
//	registry/     immutable versions and the aliases champion and latest
//
// A batch scorer needs this package and features, and links no optimiser. It
// refuses a frame whose spec is not the model's, a file it does not know the
// format of, and a model that holds anything but finite numbers.
//
//	m, id, err := predict.Load(data.Disk{}, "models/3f2a9c01b7de/model.json")
//	p, err := m.Prob(nil, frame)
package predict
