// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// A join reads one event source into the store of a history: each row finds
// its account, is packed into a record and goes to the account's part. Workers
// share it.
type join struct {
	h       *History
	s       *EventSource
	table   string // what messages call the source's files
	index   *accountIndex
	store   *store
	layout  layout
	classes *classTable
	filters []*BoundFilter

	mu  sync.Mutex
	odd []float64
}

// A joinWorker turns batches of rows into records.
type joinWorker struct {
	*join
	counts eventCounts
	out    *storeWriter
	rows   batch

	hint int       // digits after the point of the last values
	odd  []float64 // values of this batch that are no short decimals

	strangers []string // account ids of this batch that are unknown

	passes  []bool                // by row, of one filter
	matches map[classMatch]uint16 // classes asked for
	keys    []uint64              // by row, the last word of its record but for the account
	cal     Days                  // of a source by day
}

// A batch is a run of rows of an event table, column by column. Columns that
// the source does not declare are empty.
type batch struct {
	first, n int // number of the first row in its file or table, from 0; number of rows
	file     string

	account mapped[int32] // -1 for a missing id, below it for one that is unknown; see stranger
	value   mapped[packed]
	class   mapped[uint16]
	id      mapped[uint64]
	at      []int64
	known   []int64
	match   []uint64 // the filters that each row passes
}

// newJoin prepares to read a source into records of the given layout.
func newJoin(h *History, s *EventSource, table string, index *accountIndex, b *budget, filters []*BoundFilter, l layout) *join {
	j := &join{h: h, s: s, table: table, index: index, layout: l, classes: newClassTable(), filters: filters}
	j.store = newStore(len(h.Accounts), j.layout.stride, b)
	if s.Type == "" {
		j.classes.number(classKey{kind: s.Name}) // 0, the class of all rows
	}
	return j
}

func (j *join) worker() *joinWorker {
	w := &joinWorker{join: j, out: j.store.writer(), counts: newEventCounts(), matches: map[classMatch]uint16{}, cal: Days{Location: j.h.Location}}
	b := &w.rows
	b.account.null, b.account.translate = -1, func(dst []int32, c *Column) ([]int32, error) {
		return j.index.numbers(dst, c, w.stranger), nil
	}
	b.account.ofTexts = func(dst []int32, ids [][]byte) []int32 { return j.index.ofTexts(dst, ids, w.stranger) }
	b.value.null, b.value.translate = noValue, w.packValues
	b.class.translate = w.classNumbers
	b.id.null, b.id.translate = noID, func(dst []uint64, c *Column) ([]uint64, error) { return idKeys(dst, c), nil }
	if j.s.Type != "" {
		n, _ := j.classes.number(classKey{none: true})
		b.class.null = n
	}
	return w
}

// begin empties the batch for n rows, and makes room at once for as many as are
// likely.
func (w *joinWorker) begin(file string, first, n, room int) {
	b := &w.rows
	b.file, b.first, b.n = file, first, n
	declared := func(name string) int {
		if name == "" {
			return 0
		}
		return room
	}
	b.account.reset(room)
	b.value.reset(declared(w.s.Value))
	b.class.reset(declared(w.s.Type))
	b.id.reset(declared(w.s.ID))
	w.odd, w.strangers = w.odd[:0], w.strangers[:0]
}

// forgottenAccount stands for the id of every account that was forgotten.
const forgottenAccount = math.MinInt32

// stranger numbers an unknown account id of this batch, from -2 down.
func (w *joinWorker) stranger(id string) int32 {
	if w.h.forgotten.has(id) {
		return forgottenAccount
	}
	w.strangers = append(w.strangers, id)
	return int32(-1 - len(w.strangers))
}

// A mappedColumn is a declared column that is read in another form.
type mappedColumn struct {
	name string
	into coder
}

// declared lists the columns of the batch that the source declares.
func (w *joinWorker) declared() []mappedColumn {
	b, s := &w.rows, w.s
	all := []mappedColumn{{s.Account, &b.account}, {s.Value, &b.value}, {s.Type, &b.class}, {s.ID, &b.id}}
	return slices.DeleteFunc(all, func(m mappedColumn) bool { return m.name == "" })
}

// packValues packs the values of a column. Those that are no short decimals
// are numbered within the batch.
func (w *joinWorker) packValues(dst []packed, c *Column) ([]packed, error) {
	for i := range c.Len() {
		v := c.Number(i)
		if v != v {
			dst = append(dst, noValue)
			continue
		}
		p, hint, ok := pack(v, w.hint)
		if ok {
			w.hint = hint
		} else {
			p = packed(len(w.odd))<<4 | oddValue
			w.odd = append(w.odd, v)
		}
		dst = append(dst, p)
	}
	return dst, nil
}

// classNumbers returns the class of each type in a column, before filters.
func (w *joinWorker) classNumbers(dst []uint16, c *Column) ([]uint16, error) {
	for i := range c.Len() {
		var k classKey
		if !c.Missing(i) {
			k.kind = c.format(i)
		}
		k.none = k.kind == ""
		n, ok := w.classes.number(k)
		if !ok {
			return nil, w.tooManyTypes()
		}
		dst = append(dst, n)
	}
	return dst, nil
}

func (w *joinWorker) tooManyTypes() error {
	return &RowError{Table: w.table, Column: w.s.Type, Problem: fmt.Sprintf(
		"more than %d different types; name a column with few, or leave type out", maxClasses-1)}
}

// take turns the rows of the batch into records.
func (w *joinWorker) take() error {
	if w.plain() {
		return w.addPlain()
	}
	return w.add()
}

// add does so for any batch. Rows without a known account, a time or a declared
// known_at are counted and left out.
func (w *joinWorker) add() error {
	b, l, counts := &w.rows, &w.layout, &w.counts
	counts.rows += b.n
	typed, valued, filtered := len(b.class.out) > 0, len(b.value.out) > 0, len(w.filters) > 0
	mask := int32(1)<<w.store.shift - 1
	var sum [2]uint64
	for r := range b.n {
		a, at := b.account.out[r], b.at[r]
		if a < 0 || at == NoTime || l.known > 0 && b.known[r] == NoTime {
			w.leaveOut(r)
			continue
		}
		value, class := noValue, uint16(0)
		if valued {
			value = b.value.out[r]
		}
		if typed {
			class = b.class.out[r]
		}
		if filtered {
			var err error
			if class, err = w.matched(class, b.match[r]); err != nil {
				return err
			}
		}
		bits := uint64(value)
		if value&15 == oddValue {
			var err error
			if value, bits, err = w.keepOdd(w.odd[value>>4], r); err != nil {
				return err
			}
		}
		if int(class) >= len(counts.classes) {
			counts.meet(class, w.classes)
		}
		k := &counts.classes[class]
		k.rows++
		if value != noValue {
			k.valued++
		}
		counts.days.add(at)
		if l.byDay() {
			word, err := w.dayRecord(a&mask, at, class, value)
			if err != nil {
				return err
			}
			w.out.record(int(a) >> w.store.shift)[0] = word
			continue
		}
		record := w.out.record(int(a) >> w.store.shift)
		record[0], record[1] = uint64(at), keyWord(a&mask, class, value)
		if l.known > 0 {
			record[l.known] = uint64(b.known[r])
		}
		if l.id > 0 {
			record[l.id] = b.id.out[r]
		}
		if l.wide > 0 {
			record[l.wide] = bits
		}
		lo, hi := digestRow(uint64(at), bits^k.hash, w.h.number(a), l.rest(record))
		sum[0] += lo
		sum[1] += hi
	}
	counts.sum[0] += sum[0]
	counts.sum[1] += sum[1]
	return w.out.err
}

// leaveOut counts row r of the batch among those that make no event.
func (w *joinWorker) leaveOut(r int) {
	switch a := w.rows.account.out[r]; {
	case a == -1:
		w.counts.orphans.n++
	case a == forgottenAccount:
		w.counts.forgotten++
	case a < -1:
		w.counts.orphans.add(w.strangers[-2-a])
	case w.rows.at[r] == NoTime:
		w.counts.undated.add(w.h.Accounts[a].ID)
	default:
		w.counts.unseen.add(w.h.Accounts[a].ID)
	}
}

// keepOdd keeps the value of row r of the batch, which is no short decimal:
// beside the record where many are such, else in the source's table.
func (w *joinWorker) keepOdd(v float64, r int) (p packed, bits uint64, err error) {
	if v-v != 0 {
		return 0, 0, &RowError{Table: w.rows.file, Row: w.rows.first + r + 1, Column: w.s.Value, Problem: "is infinite; give a finite number or null"}
	}
	bits = math.Float64bits(v)
	if w.layout.wide > 0 {
		return oddValue, bits, nil
	}
	b := w.store.budget
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.join.odd); b.maxOdd > 0 && n == b.maxOdd {
		return 0, 0, errOtherLayout
	}
	b.used.Add(8)
	w.join.odd = append(w.join.odd, v)
	return packed(len(w.join.odd)-1)<<4 | oddValue, bits, nil
}

// finish hands the worker's last blocks over.
func (w *joinWorker) finish() error { return w.out.flush() }

// end makes the source of what the workers have read.
func (j *join) end(workers []*joinWorker) error {
	total := newEventCounts()
	for _, w := range workers {
		if err := w.finish(); err != nil {
			return err
		}
		total.add(&w.counts)
	}
	src := Source{Name: j.s.Name, Lag: int64(j.s.Lag), Derived: j.s.Derived, Filters: j.s.filterTexts(), layout: j.layout, store: j.store, odd: j.odd}
	src.Types, src.Classes = j.classes.settle(total.classes)
	if j.s.Type == "" {
		src.Types = []string{j.s.Name}
	}
	src.Newest, src.Stray = total.days.newest()
	for i := range src.Classes {
		src.Rows += src.Classes[i].Rows
	}
	src.digest = total.sum
	h := j.h
	if j.s.Derived { // the declared source has counted the same rows
		h = &History{}
	}
	h.drop(j.s.Name, wasForgotten, total.rows, tally{n: total.forgotten})
	h.drop(j.s.Name, "the account is not in the accounts table", total.rows, total.orphans)
	h.drop(j.s.Name, "the time is missing", total.rows, total.undated)
	h.drop(j.s.Name, "known_at is missing, so the row was never seen", total.rows, total.unseen)
	if j.layout.id > 0 {
		repeats, err := src.dropRepeats(j.h)
		if err != nil {
			return err
		}
		src.Rows -= repeats
		h.drop(j.s.Name, "the id repeats; the row known first is kept", total.rows, tally{n: repeats})
	}
	j.h.Sources = append(j.h.Sources, src)
	return nil
}
