// SPDX-License-Identifier: Apache-2.0

package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A gathering collects rows of a union until they are the tables of enough whole
// accounts.
type gathering struct {
	union   *Union
	sources Sources
	places  []int // of the event sources among the declared ones

	account   string // of the last row, and its table
	table     int64
	begun     bool
	rows      int
	accounts  []*builder
	numbers   []uint64 // of accounts
	contracts []*builder
	of        []eventGathering
}

// An eventGathering collects the rows of one declared event source.
type eventGathering struct {
	account *builder
	columns []*builder
	from    []*Column // of the piece in hand, by column
	recoded [][]int32 // of its texts: the code here by the code there, -1 where not yet asked
}

func newGathering(u *Union, s Sources) *gathering {
	g := &gathering{union: u, sources: s, places: places(s.Events), of: make([]eventGathering, len(u.Events))}
	g.empty()
	return g
}

// empty begins another set of accounts.
func (g *gathering) empty() {
	g.numbers = nil
	g.rows, g.accounts, g.contracts = 0, buildersOf(g.union.Accounts), buildersOf(g.union.Contracts)
	for i := range g.of {
		e := &g.of[i]
		e.account, e.columns = newBuilder(g.union.Events[i].Account, Text), buildersOf(g.union.Events[i].Columns)
		for k := range e.recoded {
			for c := range e.recoded[k] {
				e.recoded[k][c] = -1
			}
		}
	}
}

func buildersOf(columns []UnionColumn) []*builder {
	out := make([]*builder, len(columns))
	for i, c := range columns {
		out[i] = newBuilder(c.Name, c.Kind)
	}
	return out
}

// take adds a piece, and hands over what is gathered whenever an account ends and
// there is enough of it.
func (g *gathering) take(t *Table, atLeast int, each func(*Tables) error) error {
	account, table, facts, err := g.bind(t)
	if err != nil {
		return err
	}
	for from, to := 0, 0; from < t.Rows; from = to {
		for to = from + 1; to < t.Rows && account.Codes[to] == account.Codes[from] && table.Ints[to] == table.Ints[from]; to++ {
		}
		id, number := account.Text(from), table.Ints[from]
		if g.begun && (id < g.account || id == g.account && number < g.table) {
			return fmt.Errorf("the rows are not sorted by account and table: account %s, table %d comes after account %s, table %d",
				Marked(id), number, Marked(g.account), g.table)
		}
		if id != g.account && g.rows >= atLeast {
			if err := each(g.tables()); err != nil {
				return err
			}
			g.empty()
		}
		g.account, g.table, g.begun = id, number, true
		g.rows += to - from
		switch {
		case number == unionAccounts:
			err = unpackRows(g.accounts, facts, from, to, g.number)
		case number == unionContracts && g.union.Contracts != nil:
			err = unpackRows(g.contracts, facts, from, to, nil)
		case number >= unionEvents && number < unionEvents+int64(len(g.of)):
			g.of[number-unionEvents].add(id, from, to)
		default:
			err = fmt.Errorf("a row of table %d; there is none of that number", number)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bind finds the columns of a piece.
func (g *gathering) bind(t *Table) (account, table, facts *Column, err error) {
	find := func(name string, kind Kind) *Column {
		c := t.Column(name)
		if c == nil || c.Kind != kind {
			if err == nil {
				err = fmt.Errorf("a column %q of kind %v is needed; the columns are %q", name, kind, t.Names())
			}
			return &Column{Name: name, Kind: kind}
		}
		return c
	}
	account, table, facts = find(UnionAccount, Text), find(UnionTable, Int), find(UnionFacts, Text)
	for i := range g.of {
		e, columns := &g.of[i], g.union.Events[i].Columns
		e.from, e.recoded = make([]*Column, len(columns)), make([][]int32, len(columns))
		for k := range columns {
			c := find(columns[k].Slot, columns[k].Kind)
			e.from[k], e.recoded[k] = c, make([]int32, len(c.Dict))
			for code := range c.Dict {
				e.recoded[k][code] = -1
			}
		}
	}
	if err == nil && table.Null != nil {
		err = fmt.Errorf("a row without a table")
	}
	return account, table, facts, err
}

// add adds the rows of one account.
func (e *eventGathering) add(account string, from, to int) {
	code := e.account.texts.codeOf(account)
	for range to - from {
		e.account.Codes = append(e.account.Codes, code)
	}
	for k, b := range e.columns {
		c := e.from[k]
		switch c.Kind {
		case Float:
			b.Floats = append(b.Floats, c.Floats[from:to]...)
		case Text:
			for _, there := range c.Codes[from:to] {
				here := int32(-1)
				if there >= 0 {
					if here = e.recoded[k][there]; here < 0 {
						here = b.texts.codeOf(c.Dict[there])
						e.recoded[k][there] = here
					}
				}
				b.Codes = append(b.Codes, here)
			}
		default:
			more := Column{Kind: c.Kind, Ints: c.Ints[from:to]}
			if c.Null != nil {
				more.Null = c.Null[from:to]
			}
			b.Append(&more)
		}
	}
}

// tables returns what is gathered.
func (g *gathering) tables() *Tables {
	out := &Tables{Accounts: tableOf(g.sources.Accounts.Path, g.accounts), Numbers: g.numbers}
	if g.sources.Contracts != nil {
		out.Contracts = tableOf(g.sources.Contracts.Path, g.contracts)
	}
	declared := make([]*Table, len(g.of))
	for i, k := range g.places {
		e := &g.of[k]
		if declared[k] == nil {
			columns := e.columns
			if !slices.ContainsFunc(columns, func(b *builder) bool { return b.Name == e.account.Name }) { // it may be there as it was written
				columns = append([]*builder{e.account}, columns...)
			}
			declared[k] = tableOf(g.sources.Events[i].Path, columns)
		}
		out.Events = append(out.Events, declared[k])
	}
	return out
}

func tableOf(name string, builders []*builder) *Table {
	t := &Table{Name: name}
	for _, b := range builders {
		t.Columns = append(t.Columns, b.column())
		t.Rows = b.Len()
	}
	return t
}

// packRow appends a row of a table: for each column a byte that is 0 where the
// value is missing and else 1, and the value: a number as its 8 bytes, a text
// after its length, all else as a varint.
func packRow(b []byte, t *Table, row int) []byte {
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Missing(row) {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		switch c.Kind {
		case Float:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.Floats[row]))
		case Text:
			text := c.Text(row)
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		default:
			b = binary.AppendVarint(b, c.Ints[row])
		}
	}
	return b
}

// number takes the number of an account from the front of one of its rows, which
// come one after another.
func (g *gathering) number(text []byte) (rest []byte) {
	number, k := binary.Uvarint(text)
	if k <= 0 {
		return nil
	}
	if n := len(g.numbers); n == 0 || g.numbers[n-1] != number {
		g.numbers = append(g.numbers, number)
	}
	return text[k:]
}

// unpackRows appends rows that packRow has written, after what front takes off.
func unpackRows(builders []*builder, facts *Column, from, to int, front func([]byte) []byte) error {
	for r := from; r < to; r++ {
		text := []byte(facts.Text(r))
		if front != nil {
			text = front(text)
		}
		for _, b := range builders {
			var ok bool
			if text, ok = unpackValue(b, text); !ok {
				return fmt.Errorf("row %d of the piece: its facts are damaged", r+1)
			}
		}
		if len(text) > 0 {
			return fmt.Errorf("row %d of the piece: its facts have %d bytes too many", r+1, len(text))
		}
	}
	return nil
}

// unpackValue appends the next value and returns what follows it.
func unpackValue(b *builder, text []byte) (rest []byte, ok bool) {
	if len(text) == 0 || text[0] > 1 {
		return nil, false
	}
	there := text[0] == 1
	text = text[1:]
	switch {
	case !there:
		b.appendMissing(1)
	case b.Kind == Float:
		if len(text) < 8 {
			return nil, false
		}
		b.Floats, text = append(b.Floats, math.Float64frombits(binary.LittleEndian.Uint64(text))), text[8:]
	case b.Kind == Text:
		n, k := binary.Uvarint(text)
		if k <= 0 || n > uint64(len(text)-k) {
			return nil, false
		}
		b.Codes, text = append(b.Codes, b.texts.code(text[k:k+int(n)])), text[k+int(n):]
	default:
		v, k := binary.Varint(text)
		if k <= 0 {
			return nil, false
		}
		b.appendInt(v, 1)
		text = text[k:]
	}
	return text, true
}
