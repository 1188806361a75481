// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
)

// Options configures Look. The zero value is ready to use.
type Options struct {
	// Rows is about how many rows of each table are looked at; 0 means 200,000.
	Rows int
	// Progress, if not nil, is called before each table is read.
	Progress func(table string)
}

// A Layout is the guessed roles of the tables of a folder.
type Layout struct {
	Sources    data.Sources      // paths as data.FindTables gives them
	Why        map[string]string // reasons, by role: "accounts.key", "contracts.due", "usage.time"
	Tables     []Seen            // every table met
	LeftOut    []LeftOut         // columns without a role that the user should know of
	Streams    []Stream          // one for each of Sources.Events
	Of         string            // the event source that best tells that an account is active; "" without events
	Accounts   int               // rows of the accounts table
	TermDays   int               // length of the longer terms: their 90th percentile; 0 without contracts
	MatureDays int               // median days from due to known_at; 0 without the two
	First      int               // earliest due date or, without contracts, event: days since 1970-01-01
	Newest     int               // day of the newest event, strays aside, or else of the latest contract start
}

// A Seen is a table and what was made of it.
type Seen struct {
	Name    string
	Pattern string
	Files   int
	Rows    int
	Sampled int
	Role    string // "accounts", "contracts", "events", or "" where it is left out
	Why     string // why it has that role or none
}

// A LeftOut is a column that got no role.
type LeftOut struct {
	Table     string // "accounts", "contracts" or the name of an event source
	Column    string
	Why       string
	Hindsight bool // it may know the outcome
}

// A Stream counts what happens in an event source.
type Stream struct {
	Name     string
	PerMonth float64 // events per account and 30 days
	Valued   bool    // it has a column of values
	Types    []Type  // the most frequent first; empty where the source has no column of types
}

// A Type is one kind of event of a stream.
type Type struct {
	Name     string
	PerMonth float64 // events per account and 30 days
	Valued   bool    // some of its rows have a value
}

// A table is a table on its way to a role.
type table struct {
	data.Found
	sample  *data.Sample
	columns []data.ColumnProfile
	used    map[string]bool // columns that have a role, or a reason to have none
	account string          // the column that refers to the accounts' key
	match   float64         // share of its rows whose account exists
	why     string          // why it has no role
}

// A looker carries what the steps of Look hand to each other.
type looker struct {
	ctx    context.Context
	fsys   data.FS
	dir    string
	tables []*table
	layout *Layout
}

// Look guesses the roles of the Parquet files below dir. An error that
// satisfies data.ErrBadData says what is missing for a project, or which file
// is damaged. It stops between tables when the context is cancelled.
func Look(ctx context.Context, fsys data.FS, dir string, o Options) (*Layout, error) {
	k := &looker{ctx: ctx, fsys: fsys, dir: dir, layout: &Layout{Why: map[string]string{}}}
	if err := k.read(o); err != nil {
		return nil, err
	}
	accounts, err := k.findAccounts()
	if err != nil {
		return nil, err
	}
	k.accounts(accounts)
	contracts := k.findContracts(accounts)
	for _, t := range k.tables {
		if t != accounts && t != contracts && t.account != "" {
			k.events(t)
		}
	}
	if contracts == nil && len(k.layout.Sources.Events) == 0 {
		return nil, k.noHistory(accounts)
	}
	k.finish(accounts, contracts)
	return k.layout, nil
}

// ownFolders are where Holdfast itself writes, beside a project file.
var ownFolders = []string{"models", "reports", "runs"}

// read samples every table of the folder.
func (k *looker) read(o Options) error {
	if o.Rows == 0 {
		o.Rows = 200_000
	}
	found, err := data.FindTables(k.fsys, k.dir, func(folder string) bool {
		return path.Dir(folder) == path.Clean(k.dir) && slices.Contains(ownFolders, path.Base(folder))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for Parquet files in %s: %w", k.dir, fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return k.bad("no Parquet file in this folder or below it; put the tables there, or name their " +
			"folder with --data")
	}
	for _, f := range found {
		if err := k.ctx.Err(); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(f.Pattern)
		}
		s, err := data.TakeSample(k.fsys, f.Pattern, o.Rows)
		if err != nil {
			return err
		}
		t := &table{Found: f, sample: s, columns: s.Profile(), used: map[string]bool{}}
		t.why = t.unfit()
		k.tables = append(k.tables, t)
	}
	return nil
}

// unfit returns why a table is none of a project's, or "".
func (t *table) unfit() string {
	numbers, label := 0, ""
	for _, c := range t.columns {
		if c.Kind == data.Float || c.Kind == data.Int {
			numbers++
		}
		if label == "" && speaks(c.Name, "=y", "=label", "=target", "churn") {
			label = c.Name
		}
	}
	has := func(name string) bool { return t.sample.Column(name) != nil }
	switch {
	case has("p_churn") && has("as_of"):
		return "it holds scores that Holdfast wrote"
	case label != "" && numbers >= 15 && t.sample.Column("snapshot") != nil:
		return fmt.Sprintf("it is a ready table of features with a label (%s), not a history", label)
	case t.sample.Total == 0:
		return "it has no rows"
	}
	return ""
}

// bad returns an error about the folder that satisfies data.ErrBadData.
func (k *looker) bad(format string, args ...any) error {
	return &data.FileError{File: k.dir, Err: fmt.Errorf(format, args...)}
}

// best returns the column without a role whose name matches the earliest
// pattern, of those that ok accepts; nil where there is none.
func (t *table) best(ok func(*data.ColumnProfile) bool, patterns ...string) *data.ColumnProfile {
	var found *data.ColumnProfile
	least := len(patterns)
	for i := range t.columns {
		c := &t.columns[i]
		if t.used[c.Name] || c.Present() == 0 {
			continue
		}
		if r := rank(c.Name, patterns...); r >= 0 && r < least && ok(c) {
			least, found = r, c
		}
	}
	return found
}

// take gives a role to a column, with the reason, and returns its name.
func (k *looker) take(t *table, role string, c *data.ColumnProfile, why string) string {
	if c == nil {
		return ""
	}
	t.used[c.Name] = true
	k.layout.Why[role] = why
	return c.Name
}

// leave says why a column has no role.
func (k *looker) leave(t *table, source string, c *data.ColumnProfile, hindsight bool, why string) {
	t.used[c.Name] = true
	k.layout.LeftOut = append(k.layout.LeftOut,
		LeftOut{Table: source, Column: c.Name, Why: why, Hindsight: hindsight})
}

func isDated(c *data.ColumnProfile) bool  { return c.Kind == data.Date || c.Kind == data.Time }
func isNumber(c *data.ColumnProfile) bool { return c.Kind == data.Float || c.Kind == data.Int }
func isID(c *data.ColumnProfile) bool     { return c.Kind == data.Text || c.Kind == data.Int }

// maxLevels is how many levels a text may have to be a feature of its own:
// more are names, not kinds.
const maxLevels = 60

// looked limits a statement about a column to the rows it was made from.
func (t *table) looked() string {
	if t.sample.Whole() {
		return ""
	}
	return " in the rows looked at"
}

// attributes shares out the columns of accounts or contracts that are left:
// facts with few levels, and those left out with the reason.
func (k *looker) attributes(t *table, source string) []string {
	var out []string
	for i := range t.columns {
		c := &t.columns[i]
		if t.used[c.Name] {
			continue
		}
		why, late := hindsight(c.Name, source == "accounts"), true
		if why == "" {
			late = false
			switch {
			case personal(c.Name):
				why = "it looks like personal data"
			case slices.Contains(t.sample.Folders, c.Name):
				why = "it is the name of a folder"
			case isDated(c):
				why, late = "it is a date without a role; as a fact it would be known before its day", true
			case c.Distinct < 2:
				why = "it has the same value in all rows looked at"
			case c.Kind == data.Text && c.Distinct > maxLevels:
				why = fmt.Sprintf("it is a text with %d different values", c.Distinct)
			case isID(c) && c.Distinct*10 > c.Present()*9 && speaks(c.Name, idWords...):
				why = "it is an id"
			}
		}
		if why != "" {
			k.leave(t, source, c, late, why)
			continue
		}
		t.used[c.Name] = true
		out = append(out, c.Name)
	}
	return out
}

// finish lists the tables with their roles and the dates that settings need.
func (k *looker) finish(accounts, contracts *table) {
	l := k.layout
	roles := map[*table]string{accounts: "accounts"}
	if contracts != nil {
		roles[contracts] = "contracts"
	}
	for _, t := range k.tables {
		s := Seen{Name: t.Name, Pattern: t.Pattern, Files: len(t.Files), Rows: t.sample.Total,
			Sampled: t.sample.Rows, Role: roles[t], Why: t.why}
		if s.Role == "" && t.why == "" {
			s.Role = "events"
		}
		if s.Role != "" {
			s.Why = ""
		}
		l.Tables = append(l.Tables, s)
	}
	l.Of = l.activity()
}

// activity returns the event source that best says an account is active: the
// first of the words for it, else the most frequent source.
func (l *Layout) activity() string {
	for _, p := range []string{"order", "purchase", "transaction", "sale", "booking", "visit", "session",
		"login", "usage", "activit"} {
		for _, s := range l.Streams {
			if speaks(s.Name, p) {
				return s.Name
			}
		}
	}
	best, most := "", -1.0
	for _, s := range l.Streams {
		if s.PerMonth > most {
			most, best = s.PerMonth, s.Name
		}
	}
	return best
}

// noHistory is the error of a folder with accounts and nothing else to use.
func (k *looker) noHistory(accounts *table) error {
	var problems []string
	for _, t := range k.tables {
		if t != accounts && t.why != "" {
			problems = append(problems, t.Name+": "+t.why)
		}
	}
	if label := accounts.label(); label != "" {
		return k.bad("%s has one row per account and a column %q, and there is no history beside it; "+
			"learn from it as it is with holdfast train --table %s --label %s",
			accounts.Pattern, label, accounts.Pattern, label)
	}
	if problems == nil {
		problems = []string{"there is no other table"}
	}
	return k.bad("found the accounts (%s), and neither contracts nor events that refer to them: %s",
		accounts.Pattern, strings.Join(problems, "; "))
}

// label returns a column that may be the outcome of a ready table, or "".
func (t *table) label() string {
	for _, c := range t.columns {
		if c.Distinct == 2 && speaks(c.Name, "churn", "=y", "=label", "=target", "renewed", "exited", "attrit") {
			return c.Name
		}
	}
	return ""
}
