// SPDX-License-Identifier: Apache-2.0

package features

import (
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// laterVersion tells the rows of the accounts table that were not valid yet at
// t. Without a declared valid-from there are none: facts are assumed constant.
func (f *future) laterVersion(t *data.Table) func(int) bool {
	from := f.instants(t, f.sources.Accounts.ValidFrom)
	return func(i int) bool { return from(i) > f.t }
}

// versionFacts lists the columns whose values belong to a version.
func (f *future) versionFacts(t *data.Table) []*data.Column {
	s := &f.sources.Accounts
	var facts []*data.Column
	for _, name := range append([]string{s.Segment, s.Phase}, s.Attributes...) {
		if c := t.Column(name); name != "" && c != nil && !slices.Contains(facts, c) {
			facts = append(facts, c)
		}
	}
	return facts
}

// truncatedAccounts returns the accounts without versions that were not valid
// yet. Of one that had none the first stays, with its facts missing: that there
// is such an account is not what is hidden.
func (f *future) truncatedAccounts(in *data.Table) (out *data.Table, n int) {
	rows := except(in, f.laterVersion(in))
	n = in.Rows - len(rows)
	if out = in.Take(rows); len(rows) == 0 && in.Rows > 0 {
		out = in.Take([]int{0})
		for _, c := range f.versionFacts(out) {
			n += blank(c, func(int) bool { return true })
		}
	}
	if s := f.sources.Accounts; s.Created != "" {
		created := f.instants(out.Take(all(out)), s.Created)
		n += blank(out.Column(s.Created), func(i int) bool { return created(i) > f.t })
	}
	return out, n
}

// otherAccounts makes up the future of the accounts table: versions that were
// not valid yet have other facts and begin later, and one is added.
func (f *future) otherAccounts(in *data.Table) (out *data.Table, n int) {
	s := f.sources.Accounts
	rows := all(in)
	if s.ValidFrom != "" && in.Rows > 0 {
		rows = append(rows, in.Rows-1)
	}
	out = in.Take(rows)
	if s.ValidFrom != "" {
		later, from := f.laterVersion(in), f.instants(in, s.ValidFrom)
		for i, row := range rows {
			switch {
			case i >= in.Rows:
				f.setInstant(out.Column(s.ValidFrom), i, f.t+20_000*dayLength) // later than any other
			case later(row):
				f.setInstant(out.Column(s.ValidFrom), i, from(row)+2*dayLength)
			default:
				continue
			}
			for _, c := range f.versionFacts(out) {
				alter(c, i)
			}
			n++
		}
	}
	if s.Created != "" {
		created, c := f.instants(in, s.Created), out.Column(s.Created)
		for i, row := range rows {
			if created(row) > f.t {
				f.setInstant(c, i, created(row)+5*dayLength)
				n++
			}
		}
	}
	return out, n
}
