// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// Rows of merged parts are handed on so many at a time, or all at once.
const (
	pieceRows = 8192
	allRows   = math.MaxInt
)

// A part is one file of those that Spark wrote, being read: rows in the order of
// accounts, and a trailer.
type part struct {
	name    string
	next    func() (*data.Table, error, bool)
	stop    func()
	piece   *data.Table
	row     int
	account *data.Column // of the piece
}

// mergeParts reads a folder that Spark has committed, in the order of accounts,
// whatever part they lie in, and hands the rows over in tables with the names
// and kinds of shape's columns, of atATime rows each. The first column is the
// account. The folder is taken only if it is whole: with Spark's mark, a trailer
// for every part that has rows, and as many rows and records as the trailers and
// the tables that went in say. It returns the sum of the trailers.
func mergeParts(fsys data.FS, folder string, shape *data.Table, records, atATime int, each func(*data.Table) error) (sum trailer, err error) {
	names, err := filesOf(fsys, folder)
	if err != nil {
		return sum, err
	}
	m := &merge{shape: shape, atATime: atATime, each: each}
	defer func() {
		for _, p := range m.parts {
			p.stop()
		}
	}()
	for _, name := range names {
		p := openPart(fsys, name)
		m.parts = append(m.parts, p)
		if err := m.advance(p); err != nil {
			return sum, err
		}
	}
	if err := m.run(); err != nil {
		return sum, err
	}
	return m.sum, m.sum.check(folder, records, m.rows)
}

// check returns an integrity error unless the trailers of a folder count as many
// records as went in and as many rows as are there.
func (t *trailer) check(folder string, records, rows int) error {
	if t.Records != records || t.Rows != rows {
		return integrityError("%s: the trailers count %d records and %d rows; %d records went in and %d rows are there",
			folder, t.Records, t.Rows, records, rows)
	}
	return nil
}

// filesOf returns the files of a folder that Spark has committed.
func filesOf(fsys data.FS, folder string) (names []string, err error) {
	if _, err := fsys.Stat(filepath.Join(folder, "_SUCCESS")); err != nil {
		return nil, fmt.Errorf("%w: %s has no _SUCCESS: Spark has not committed it", predict.ErrIntegrity, folder)
	}
	entries, err := fsys.ReadDir(folder)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "part-") && strings.HasSuffix(e.Name(), ".parquet") {
			names = append(names, filepath.Join(folder, e.Name()))
		}
	}
	return names, err
}

func openPart(fsys data.FS, name string) *part {
	p := &part{name: name}
	p.next, p.stop = iterTables(func(each func(*data.Table) error) error { return data.Scan(fsys, name, nil, each) })
	return p
}

// errStopped ends a scan that nobody reads on.
var errStopped = errors.New("stopped")

// iterTables turns a function that hands tables over into one that is asked for
// them.
func iterTables(scan func(each func(*data.Table) error) error) (next func() (*data.Table, error, bool), stop func()) {
	return iter.Pull2(func(yield func(*data.Table, error) bool) {
		err := scan(func(t *data.Table) error {
			if !yield(t, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	})
}

// A merge brings the rows of several parts into one order.
type merge struct {
	atATime int // rows
	shape   *data.Table
	each    func(*data.Table) error
	parts   []*part // those with rows left
	refs    []rowRef
	last    string // account
	begun   bool
	rows    int
	sum     trailer
}

// A rowRef is one row of a piece of a part.
type rowRef struct {
	piece *data.Table
	row   int
}

// advance moves a part to its next row, or takes it out.
func (m *merge) advance(p *part) error {
	p.row++
	for {
		if p.piece == nil || p.row >= p.piece.Rows {
			t, err, ok := p.next()
			if err != nil {
				return err
			}
			if !ok {
				m.parts = slices.DeleteFunc(m.parts, func(q *part) bool { return q == p })
				return nil
			}
			if err := m.fits(t); err != nil {
				return fmt.Errorf("%w: %s: %v", predict.ErrIntegrity, p.name, err)
			}
			p.piece, p.row, p.account = t, 0, &t.Columns[0]
			continue
		}
		end := &p.piece.Columns[len(p.piece.Columns)-1]
		if end.Missing(p.row) {
			return nil
		}
		var t trailer
		if err := json.Unmarshal([]byte(end.Text(p.row)), &t); err != nil {
			return fmt.Errorf("%w: %s: its trailer: %v", predict.ErrIntegrity, p.name, err)
		}
		m.sum.add(&t)
		p.row++
	}
}

// fits refuses a part with other columns than those asked for.
func (m *merge) fits(t *data.Table) error {
	want := positional(m.shape)
	want.Columns = append(want.Columns, data.Column{Name: trailerColumn, Kind: data.Text})
	if !slices.EqualFunc(t.Columns, want.Columns, func(a, b data.Column) bool { return a.Name == b.Name && a.Kind == b.Kind }) {
		return fmt.Errorf("its columns are %q; %q are expected, of the kinds that were asked for", t.Names(), want.Names())
	}
	return nil
}

// add adds the counts of another trailer.
func (t *trailer) add(u *trailer) {
	t.Records, t.Snapshots, t.Rows, t.Unseen = t.Records+u.Records, t.Snapshots+u.Snapshots, t.Rows+u.Rows, t.Unseen+u.Unseen
	t.Left = addCounts(t.Left, u.Left)
	for i, n := range u.Of {
		if i == len(t.Of) {
			t.Of = append(t.Of, 0)
		}
		t.Of[i] += n
	}
	if u.Training != nil {
		if t.Training == nil {
			t.Training = new(training)
		}
		t.Training.add(u.Training)
	}
}

// run hands over all rows. Parts are kept in the order of the account that each
// has come to; one account lies in one part.
func (m *merge) run() error {
	byAccount := func(a, b *part) int { return strings.Compare(a.account.Text(a.row), b.account.Text(b.row)) }
	slices.SortFunc(m.parts, byAccount)
	for len(m.parts) > 0 {
		p := m.parts[0]
		account := p.account.Text(p.row)
		if m.begun && account <= m.last {
			return fmt.Errorf("%w: %s: account %s comes after account %s; rows of one account must lie together, in order",
				predict.ErrIntegrity, p.name, data.Marked(account), data.Marked(m.last))
		}
		m.last, m.begun = account, true
		n := len(m.parts)
		for len(m.parts) == n && p.account.Text(p.row) == account {
			m.refs = append(m.refs, rowRef{p.piece, p.row})
			if err := m.advance(p); err != nil {
				return err
			}
		}
		if len(m.refs) >= m.atATime {
			if err := m.flush(); err != nil {
				return err
			}
		}
		if len(m.parts) == n { // to its new place
			rest := m.parts[1:]
			at, _ := slices.BinarySearchFunc(rest, p, byAccount)
			copy(m.parts, rest[:at])
			m.parts[at] = p
		}
	}
	return m.flush()
}

// flush hands the rows collected over. The first piece may be empty, so that the
// columns are known.
func (m *merge) flush() error {
	if len(m.refs) == 0 && m.rows > 0 {
		return nil
	}
	t := &data.Table{Name: m.shape.Name, Rows: len(m.refs)}
	for k := range m.shape.Columns {
		t.Columns = append(t.Columns, m.column(k))
	}
	m.rows += len(m.refs)
	m.refs = m.refs[:0]
	return m.each(t)
}

// column gathers column k of the rows collected.
func (m *merge) column(k int) data.Column {
	name, kind := m.shape.Columns[k].Name, m.shape.Columns[k].Kind
	n := len(m.refs)
	switch kind {
	case data.Float:
		return data.FloatOf(name, n, func(i int) float64 { return m.refs[i].piece.Columns[k].Floats[m.refs[i].row] })
	case data.Text:
		c := data.Column{Name: name, Kind: kind, Codes: make([]int32, n)}
		codes := make(map[string]int32)
		for i, r := range m.refs {
			from := &r.piece.Columns[k]
			if from.Missing(r.row) {
				c.Codes[i] = -1
				continue
			}
			text := from.Text(r.row)
			code, known := codes[text]
			if !known {
				code = int32(len(c.Dict))
				codes[text], c.Dict = code, append(c.Dict, text)
			}
			c.Codes[i] = code
		}
		return c
	}
	return data.IntOf(name, kind, n, func(i int) (int64, bool) {
		c := &m.refs[i].piece.Columns[k]
		return c.Ints[m.refs[i].row], !c.Missing(m.refs[i].row)
	})
}
