// SPDX-License-Identifier: Apache-2.0

// Package features turns account histories into frames: one row for each
// snapshot of a renewal, one column for each feature, each row holding only
// what was known at its snapshot.
//
// The steps, each in its own file:
//
//	spec.go     what the columns are; the spec travels inside every model
//	auto.go     the automatic feature set of a history
//	outcome.go  THE label, and which terms are at risk at which snapshots
//	asof.go     THE point-in-time rule; nothing else decides what is visible
//	window.go   counts, sums, recency and the like over a window
//	kernel.go   one account's history in, feature rows out; pure
//	build.go    fans the kernel out over accounts
//	table.go    ready tables, whose columns are taken as they are
//
// A build cannot be given the future by accident: the kernel sees a history
// through the two functions of asof.go only. The package fits nothing, scores
// nothing, and drops no term without counting it by reason.
//
//	spec := features.Auto(history, features.AutoOptions{WindowDays: []int{7, 30, 90}})
//	built, err := features.Build(ctx, history, spec, features.Options{})
package features
