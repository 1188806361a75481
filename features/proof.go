// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// A Proof is what came of an attempt to make features of a project's own data
// show something of the future (METHODS.md section 8). It holds for the sampled
// snapshots and for everything but the facts that are Assumed constant.
type Proof struct {
	Snapshots int     `json:"snapshots"` // sampled, each of another account
	Of        int     `json:"of"`        // accounts with a snapshot
	Features  int     `json:"features"`  // of each snapshot
	Trials    []Trial `json:"trials"`
	// Assumed names the facts without a valid-from. What they were at a snapshot
	// nobody can say, so that no trial touches them.
	Assumed []string `json:"assumed_constant"`
}

// A Trial is one way of changing the future, over all sampled snapshots.
type Trial struct {
	Name      string `json:"name"`      // Truncated, Perturbed or Canary
	Snapshots int    `json:"snapshots"` // that had a future to change
	Rows      int    `json:"rows"`      // rows or values taken out, changed or planted
	Values    int    `json:"values"`    // features compared
	Leaks     int    `json:"leaks"`     // those that differ by a bit or more
	First     *Leak  `json:"first,omitempty"`
}

// The trials of a Proof.
const (
	Truncated = "truncated" // all that was not visible at t is taken out: the bytes of every feature stay
	Perturbed = "perturbed" // all that was not visible at t is made up anew: nothing moves
	Canary    = "canary"    // events from the future are planted: no feature over them shows any
)

// A Leak is a feature that knew something of the future.
type Leak struct {
	Feature  string `json:"feature"`
	Account  string `json:"account,omitempty"`
	Contract string `json:"contract,omitempty"`
	Snapshot string `json:"snapshot"`
	Was      string `json:"was"` // with the future as it is, or without a canary
	Got      string `json:"got"` // with it changed
}

// String tells the leak in one sentence.
func (l *Leak) String() string {
	of := ""
	if l.Account != "" {
		of = fmt.Sprintf(" (account %q)", l.Account)
	}
	if l.Contract != "" {
		of = fmt.Sprintf(" (account %q, contract %q)", l.Account, l.Contract)
	}
	return fmt.Sprintf("feature %q at %s%s is %s, and %s once the future is changed", l.Feature, l.Snapshot, of, l.Was, l.Got)
}

// WithoutIDs returns the proof without ids of accounts and contracts, for a
// report that is kept.
func (p *Proof) WithoutIDs() *Proof {
	q := *p
	q.Trials = slices.Clone(p.Trials)
	for i := range q.Trials {
		if t := &q.Trials[i]; t.First != nil {
			first := *t.First
			first.Account, first.Contract = "", ""
			t.First = &first
		}
	}
	return &q
}

// Leaked returns the first trial in which a feature leaked, or nil.
func (p *Proof) Leaked() *Trial {
	for i := range p.Trials {
		if p.Trials[i].Leaks > 0 {
			return &p.Trials[i]
		}
	}
	return nil
}

// Empty reports whether nothing was compared, so that nothing is proved.
func (p *Proof) Empty() bool {
	return !slices.ContainsFunc(p.Trials, func(t Trial) bool { return t.Values > 0 })
}

// ProofOptions configures Prove. The zero value is ready to use.
type ProofOptions struct {
	// Workers is the number of goroutines; zero means one for each CPU. The
	// proof does not depend on it.
	Workers int
	// Progress, if set, is called with the number of snapshots done and their
	// total. Calls come from one goroutine at a time.
	Progress func(done, total int)
}

// Sample draws up to n rows of a frame, one from each of as many accounts, in
// ascending order.
func Sample(f *Frame, n int, seed uint64) []int {
	accounts, byAccount := accountsOf(f)
	var rows []int
	random := rand.New(rand.NewPCG(seed, sampleStream))
	random.Shuffle(len(accounts), func(i, j int) { accounts[i], accounts[j] = accounts[j], accounts[i] })
	for _, a := range accounts[:min(n, len(accounts))] {
		rows = append(rows, byAccount[a][random.IntN(len(byAccount[a]))])
	}
	slices.Sort(rows)
	return rows
}

// accountsOf lists the accounts of a frame in order of first appearance, and
// the rows of each.
func accountsOf(f *Frame) (accounts []string, rows map[string][]int) {
	rows = map[string][]int{}
	for i := range f.Rows {
		a := f.Rows[i].Account
		if rows[a] == nil {
			accounts = append(accounts, a)
		}
		rows[a] = append(rows[a], i)
	}
	return accounts, rows
}

// sampleStream keeps these draws apart from any other use of the same seed.
const sampleStream = 0x70726f6f66

// Prove rebuilds the given rows of a history frame from changed tables, each by
// itself and from the rows of its own account only, and compares every feature
// with that of the frame, bit by bit. t must hold all rows of the rows'
// accounts as data.ReadTablesOf reads them; the future is changed there, ahead
// of reading and joining, so that a leak in any step shows:
//
//   - Truncated: what was not visible at the snapshot is taken out.
//   - Perturbed: it is made up anew, with more of it.
//   - Canary: a source of events from the future is added, with features of its
//     own, which must be those of a source without events. An event of a moment
//     before the snapshot must show, else the look itself is blind.
//
// A leak is a result, not an error. Errors are those of reading and building.
func Prove(ctx context.Context, t *data.Tables, s data.Sources, spec *Spec, f *Frame, rows []int, o ProofOptions) (*Proof, error) {
	p := &prover{sources: s, spec: spec, frame: f, canary: newCanary(s, spec), join: data.NewHistory}
	return p.prove(ctx, t, rows, o)
}
