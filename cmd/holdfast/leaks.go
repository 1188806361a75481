// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// proofSample is how many snapshots the proofs look at unless told otherwise,
// and the most that evaluate looks at.
const proofSample = 200

// proveFeatures tries to make features show something of the future, on up to
// n snapshots of as many accounts.
func (a *app) proveFeatures(ctx context.Context, l *loaded, f *features.Frame, n int) (*features.Proof, error) {
	a.progress.begin("proofs against leaks: reading")
	rows := features.Sample(f, n, trainSeed)
	accounts := make([]string, len(rows))
	for i, r := range rows {
		accounts[i] = f.Rows[r].Account
	}
	t, err := data.ReadTablesOf(ctx, a.fsys, l.sources, accounts)
	if err != nil {
		return nil, err
	}
	return features.Prove(ctx, t, l.sources, &l.spec, f, rows, features.ProofOptions{Workers: a.workers,
		Progress: func(done, total int) { a.progress.step("proofs against leaks: snapshots", done, total) }})
}
