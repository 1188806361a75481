// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// Options configures Make and Shop. The zero value is ready to use.
type Options struct {
	// Seed decides everything that is drawn.
	Seed uint64
	// Accounts is how many accounts to make; 0 means 3,000, and for a shop 2,000.
	// The rows of an account do not depend on it.
	Accounts int
	// Months is the length of the history, at least 18; 0 means 30.
	Months int
	// End is the day, in UTC, at whose midnight the history ends; nothing that
	// happened or was loaded later is in the tables. Zero means 2026-07-01.
	End time.Time
}

// A Demo is one made history: the tables of a project, its project file, and
// what is true of it.
type Demo struct {
	Accounts  data.Table
	Contracts data.Table // a shop has none: no columns and no name
	Events    []data.Table
	// ProjectYAML is the text of a holdfast.yaml that fits the tables.
	ProjectYAML string
	Truth       Truth
}

// Tables returns all tables of the project. The name of each is its path,
// relative to the project file.
func (d *Demo) Tables() []data.Table {
	tables := []data.Table{d.Accounts}
	if d.Contracts.Name != "" {
		tables = append(tables, d.Contracts)
	}
	return append(tables, d.Events...)
}

// defaultEnd ends the history where Options does not say.
var defaultEnd = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// A world is what all accounts of one history share.
type world struct {
	seed       uint64
	start, end day // the history covers [start, end)
}

// Make makes the history of a software vendor's customers. The same options
// give the same bytes. It panics if Accounts is negative or Months is below 18.
func Make(o Options) *Demo {
	w := o.world()
	b := &builder{w: w, accounts: make([]*account, o.accounts(3000))}
	for i := range b.accounts {
		a := newAccount(w, i)
		l := newLife(w, a)
		b.addTerms(a, l.tell())
		b.addUsage(l)
		b.addEvents(l)
		a.usagePath, a.moodPath = nil, nil // nobody needs them once the life is told
		b.accounts[i] = a
	}
	b.addOrphans()
	return &Demo{
		Accounts:    b.accountTable(),
		Contracts:   b.contractTable(),
		Events:      b.eventTables(),
		ProjectYAML: projectYAML(holdfastYAML, w),
		Truth:       b.truth(),
	}
}

func (o *Options) accounts(otherwise int) int {
	if o.Accounts == 0 {
		return otherwise
	}
	return o.Accounts
}

// world checks the options and puts the defaults in place.
func (o *Options) world() *world {
	months, end := o.Months, o.End
	if months == 0 {
		months = 30
	}
	if end.IsZero() {
		end = defaultEnd
	}
	if o.Accounts < 0 || months < 18 {
		panic("demo: Accounts must not be negative and Months must be 18 or more")
	}
	e := dayOf(end.UTC())
	return &world{seed: o.Seed, start: e.addMonths(-months), end: e}
}
