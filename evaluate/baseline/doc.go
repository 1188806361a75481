// SPDX-License-Identifier: Apache-2.0

// Package baseline lends golearn's decision tree and naive Bayes to the
// backtest, as candidates that come from somebody else's library.
//
// CART proceeds in three steps: a frame is encoded as numbers of few distinct
// values (encode.go), golearn grows a tree on a bounded number of rows, and
// the tree's labels become probabilities (cart.go, labels.go), because golearn's
// learners have none. Bayes (bayes.go) does the same with flags. The fit runs behind recover and a time limit, so that a fault of
// the library is a row in the report and nothing more.
//
// Of golearn only the pure-Go packages base, naive and trees are linked. None
// prints, and none draws random numbers on the way from Fit to Predict. Its
// linear_models, ensemble, knn and filters are not used: they were found to
// panic, to fit wrongly or to take gigabytes (DESIGN.md, section 2).
//
//	candidates := []evaluate.Candidate{ours, evaluate.BaseRate(), baseline.CART(), baseline.Bayes()}
package baseline
