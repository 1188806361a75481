// SPDX-License-Identifier: Apache-2.0

// Package features turns account histories into frames: one row for each
// snapshot of a renewal, one column for each feature, each row holding only
// what was known at its snapshot.
//
// The steps, each in its own file:
//
//	spec.go      what the columns are; the spec travels inside every model
//	auto.go      the automatic feature set of a history
//	validate.go  whether a spec and a history fit together
//	outcome.go   THE label, and which terms are at risk at which snapshots
//	activity.go  snapshots of activity mode
//	asof.go      THE point-in-time rule; nothing else decides what is visible
//	window.go    counts, sums, recency and the like over a window
//	intervals.go the same for all windows in one pass, where that is exact
//	aggregate.go what needs the single events of a window; columns.go, what
//	             is computed from other features
//	facts.go     attributes, tenure, term number and other facts
//	plan.go      what a spec asks of one event source
//	kernel.go    one account's history in, feature rows out; pure
//	build.go     lists the snapshots and fans the kernel out over accounts
//	proof.go     proves on a project's own data that nothing leaks; prover.go tries it,
//	             future*.go, perturb.go and canary.go change the future
//	table.go     ready tables, whose columns are taken as they are
//	frame.go     the result; output.go writes it as a table
//
// A build cannot be given the future by accident: every event passes the rule
// of asof.go before it is counted, and every date of a contract before it is
// used. The package fits nothing, scores nothing, and drops no term without
// counting it by reason.
//
//	spec := &features.Spec{Version: features.SpecVersion, Timezone: "UTC", Outcome: outcome}
//	spec.Features = features.Auto(history, outcome, features.AutoOptions{WindowDays: []int{7, 30, 90}})
//	built, err := features.Build(ctx, history, spec, features.Options{})
package features
