// SPDX-License-Identifier: Apache-2.0

package features

// Status says why a row has a probability or not.
type Status uint8

// The states of a snapshot.
const (
	Scored    Status = iota // at risk and inside the scoring range
	Early                   // due later than the longest lead plus 15 days: no probability yet
	Decided                 // notice or an early signature was known: no probability
	NoHistory               // scored, although no event of the account had been seen
)

var statusNames = [...]string{"scored", "early", "decided", "no_history"}

// String returns the name used in score files.
func (s Status) String() string { return statusNames[s] }

// A Row is what a frame knows of one snapshot beside its features.
type Row struct {
	Account  string
	Contract string // "" in activity mode and for ready tables
	Group    string // rows of one group share a fold; the account where no group is declared
	Segment  string
	Phase    string
	Currency string
	Snapshot int64   // instant t, nanoseconds since the epoch; only what was known before it is in the features
	Due      int64   // renewal mode: scheduled due date; activity mode: end of the horizon
	LeadDays int32   // whole days from Snapshot to Due
	TermDays int32   // whole days from the term's start to Due; 0 in activity mode and for ready tables
	Mature   int64   // instant at which the outcome was known, Never where it is not
	Y        int8    // 1 churned, 0 stayed, Unknown
	Weight   float64 // 1/K with K snapshots of one renewal
	Value    float64 // money at stake, NaN where not given; for reports only
	Kept     float64 // share of the yearly value kept: 0 for a churn, NaN where not known; an outcome, never a feature
	Status   Status

	LastEvent int64 // newest event seen at Snapshot, data.NoTime where there is none; only of a build as of an instant

	AutoRenew   int8 // 1 the contract renews by itself, 0 it does not, Unknown
	Involuntary bool // churned for a reason the account did not choose; an outcome, never a feature
}

// MultiYearDays is the longest term that still counts as one of a year: a year
// and what notice and rounding add to it. A row with more TermDays is of a
// multi-year term.
const MultiYearDays = 400

// Matured returns the instant from which the row may train: when its outcome
// was known, and not before it was due. A renewal that was signed early must
// not train before a churn of the same due date could, or predictions come out
// far too low (METHODS.md section 1).
func (r *Row) Matured() int64 { return max(r.Mature, r.Due) }

// Unknown is the Y of a row without a known outcome, and its AutoRenew where
// nobody says.
const Unknown int8 = -1

// Never is the Mature of a row whose outcome is not known.
const Never int64 = 1<<63 - 1

// A Column holds one feature for every row of a frame: Num for numbers, with
// NaN for missing, or Codes into Levels for levels, with -1 for missing.
type Column struct {
	Feature Feature
	Num     []float64
	Codes   []int32
	Levels  []string
}

// IsLevel reports whether the column holds levels rather than numbers.
func (c *Column) IsLevel() bool { return c.Feature.Kind == LevelKind }

// A Frame is a design matrix before standardising: one row per snapshot, one
// column per feature, made under one Spec.
type Frame struct {
	SpecDigest string
	Rows       []Row
	Columns    []Column
}

// Column returns the column of the named feature, or nil.
func (f *Frame) Column(name string) *Column {
	for i := range f.Columns {
		if f.Columns[i].Feature.Name == name {
			return &f.Columns[i]
		}
	}
	return nil
}

// Select returns a new frame with the given rows, in the given order. Level
// dictionaries are shared, values are copied.
func (f *Frame) Select(rows []int) *Frame {
	g := &Frame{SpecDigest: f.SpecDigest, Rows: make([]Row, len(rows)), Columns: make([]Column, len(f.Columns))}
	for i, r := range rows {
		g.Rows[i] = f.Rows[r]
	}
	for k := range f.Columns {
		c := &f.Columns[k]
		d := Column{Feature: c.Feature, Levels: c.Levels}
		if c.IsLevel() {
			d.Codes = make([]int32, len(rows))
			for i, r := range rows {
				d.Codes[i] = c.Codes[r]
			}
		} else {
			d.Num = make([]float64, len(rows))
			for i, r := range rows {
				d.Num[i] = c.Num[r]
			}
		}
		g.Columns[k] = d
	}
	return g
}

// Where returns the numbers of the rows for which keep is true, in order.
func (f *Frame) Where(keep func(*Row) bool) []int {
	var rows []int
	for i := range f.Rows {
		if keep(&f.Rows[i]) {
			rows = append(rows, i)
		}
	}
	return rows
}
