// SPDX-License-Identifier: Apache-2.0

package data

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// ScanBatches reads like Scan, and hands over at most so many rows at a time,
// so that memory does not grow with row groups either: of each column it holds
// one page, one dictionary and those rows. An infinite number is refused. Columns are decoded by so many
// goroutines, or by as many as there are processors where workers is 0; what is
// handed over does not depend on their number.
//
// A batch, and all its slices, are valid until each returns.
func ScanBatches(fsys FS, pattern string, columns []string, rows, workers int,
	each func(*Table) error) error {
	s, err := newScan(fsys, pattern, columns)
	if err != nil {
		return err
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	b := &batches{scan: s, rows: rows, each: each, builders: s.builders(min(rows, s.room)),
		cursors: make([]cursor, len(s.columns)), windows: make([][]byte, workers)}
	for _, src := range s.sources {
		if err := b.file(src); err != nil {
			return err
		}
	}
	if b.before == 0 {
		return each(s.table(b.builders, 0))
	}
	return nil
}

// batches is a scan under way.
type batches struct {
	*scan
	rows     int
	each     func(*Table) error
	builders []*builder // one a column, used again for every batch
	cursors  []cursor
	windows  [][]byte // one a goroutine
	before   int64    // rows handed over
}

func (b *batches) file(src source) error {
	inFile := int64(0)
	return b.fileGroups(src, func(f *boundFile, group int) error {
		for i, bound := range f.bindings {
			if bound.leaf < 0 {
				continue
			}
			if err := b.cursors[i].open(f.parquetFile, group, bound.leaf, inFile); err != nil {
				return err
			}
		}
		rows := int(f.meta.RowGroups[group].NumRows)
		inFile += int64(rows)
		return b.rowGroup(f, rows)
	})
}

// rowGroup hands over the rows of the row group to which the cursors point.
func (b *batches) rowGroup(f *boundFile, rows int) error {
	for done := 0; done < rows; {
		n := min(b.rows, rows-done)
		err := inOrder(len(b.windows), len(b.builders), func(worker, i int) error {
			return b.column(f, i, n, done+n == rows, &b.windows[worker])
		})
		if err != nil {
			return err
		}
		if err := b.each(b.table(b.builders, n)); err != nil {
			return err
		}
		done += n
		b.before += int64(n)
	}
	return nil
}

// column replaces what a builder holds by the next n rows of its column.
func (b *batches) column(f *boundFile, i, n int, last bool, window *[]byte) error {
	to, c := b.builders[i], &b.cursors[i]
	to.reset()
	if to.texts != nil && len(to.texts.dict) > b.rows {
		to.texts.reset() // texts of earlier batches would heap up
		c.names = nil
	}
	if f.bindings[i].leaf < 0 {
		f.bindings[i].fill(to, n)
		return nil
	}
	if err := c.read(to, n, window); err != nil {
		return err
	}
	if last {
		if err := c.close(window); err != nil {
			return err
		}
	}
	if !to.wild {
		return nil
	}
	to.wild = false
	at := slices.IndexFunc(to.Floats, func(v float64) bool { return math.IsInf(v, 0) })
	if at < 0 {
		return nil
	}
	return &RowError{Table: b.pattern, Row: int(b.before) + at + 1, Column: to.Name,
		Problem: "is infinite; give a finite number or null"}
}

// inOrder has workers call do for each i below n. It returns the error that one
// worker alone would have met first.
func inOrder(workers, n int, do func(worker, i int) error) error {
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	errs := make([]error, n)
	work := func(w int) {
		for i := int(next.Add(1)) - 1; i < n && !failed.Load(); i = int(next.Add(1)) - 1 {
			if errs[i] = Caught(func() error { return do(w, i) }); errs[i] != nil {
				failed.Store(true)
			}
		}
	}
	for w := 1; w < min(workers, n); w++ {
		wg.Go(func() { work(w) })
	}
	work(0) // here, where the data are near
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
