// SPDX-License-Identifier: Apache-2.0

// Package demo makes histories of customers whose true reasons to leave are
// known, for demonstrations and for tests that no real history allows: are the
// weights right, are the probabilities, does anything look into the future.
//
// Make tells the life of each account of a software vendor in these steps:
//
//	account.go  what the account is like, and its latent mood and level of use
//	life.go     the events of each day, drawn from those
//	terms.go    term after term: live to the snapshot, decide, live on
//	seen.go     what the tables show of a term at its primary snapshot
//	hazard.go   the true log-odds of churn, from what is seen and nothing else
//	builder.go  rows and tables; late, repeated and orphan rows, missing values
//	truth.go    what is true of it all
//
// Shop tells the lives of a shop's customers, who leave without a word:
//
//	shop.go           the steps, rows and tables
//	shop_customer.go  what the customer is like, and his latent pace
//	shop_life.go      his orders and what comes of each
//	shop_hazard.go    the true log-odds of leaving, from what is seen
//	shop_truth.go     the true probability of an outcome, and what is true of it all
//
// Linear makes a smaller history whose log-odds are exactly linear in eight
// features, for studies of intervals. TRUTH.md lists every formula and
// coefficient.
//
// A term is decided at its primary snapshot by a draw with probability p; what
// happens later (notice, signature, less use in the last weeks) follows from
// the decision and never the other way round. Every draw comes from a stream
// of its own for the seed, the account and the purpose, so that the same
// options give the same bytes and more accounts change no earlier one.
//
// The package writes no files and knows no clock.
//
//	d := demo.Make(demo.Options{Seed: 1})
//	for _, t := range d.Tables() {
//		// write t to the path t.Name, beside d.ProjectYAML as holdfast.yaml
//	}
package demo
