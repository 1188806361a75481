// SPDX-License-Identifier: Apache-2.0

package data

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// An eventScan is the row groups of an event source's files, to be read by
// several workers.
type eventScan struct {
	*scan
	source  *EventSource
	filters []*BoundFilter
	groups  []fileGroup
	rows    int
}

// A fileGroup is one row group of one file.
type fileGroup struct {
	file, group int
	before      int64 // rows in the groups before
	rows        int
}

func newEventScan(fsys FS, s *EventSource, loc *time.Location) (*eventScan, error) {
	kinds, err := filterKinds(fsys, s)
	if err != nil {
		return nil, err
	}
	columns := slices.DeleteFunc(s.columns(), func(name string) bool {
		_, there := kinds[name]
		return !there && slices.Contains(s.filterColumns(), name) // for the filter to say
	})
	sc, err := newScan(fsys, s.Path, columns)
	if err != nil {
		return nil, err
	}
	for i := range sc.columns {
		c := &sc.columns[i]
		if c.void && slices.Contains(s.times(), c.name) {
			c.kind = Time // nothing but nulls; see settleTimes
		}
		kinds[c.name] = c.kind // that of all files
	}
	if err := checkEventKinds(s.Path, s, func(name string) Kind { return sc.columns[sc.index[name]].kind }); err != nil {
		return nil, err
	}
	e := &eventScan{scan: sc, source: s}
	if e.filters, err = s.bindFilters(kinds, loc); err != nil {
		return nil, err
	}
	for i := range sc.sources {
		var before int64
		for g, rows := range sc.sources[i].rows {
			e.groups = append(e.groups, fileGroup{i, g, before, int(rows)})
			before += rows
			e.rows += int(rows)
		}
	}
	return e, nil
}

// filterKinds returns the kinds of all columns of a source's first file, for
// its filters to be checked against.
func filterKinds(fsys FS, s *EventSource) (kinds map[string]Kind, err error) {
	kinds = map[string]Kind{}
	if len(s.Filters) == 0 {
		return kinds, nil
	}
	sources, err := glob(fsys, s.Path)
	if err != nil {
		return nil, err
	}
	sc := &scan{pattern: s.Path, sources: sources}
	sc.addFolders()
	for _, c := range sc.folders {
		kinds[c.name] = c.kind
	}
	p, err := openParquet(fsys, sources[0].name)
	if err != nil {
		return nil, err
	}
	defer p.closeInto(&err)
	for i := range p.leaves {
		if p.leaves[i].unfit == "" {
			kinds[p.leaves[i].name] = p.leaves[i].kind
		}
	}
	return kinds, nil
}

// read joins all row groups. Which layout suits them, the first of them tells;
// where it misleads, all are read again.
func (e *eventScan) read(ctx context.Context, h *History, index *accountIndex, b *budget, workers int, p *rowProgress) error {
	values, err := e.firstValues()
	if err != nil {
		return err
	}
	taken, done := b.mark(), p.done
	for _, l := range layouts(h, e.source, values) {
		err = e.join(ctx, newJoin(h, e.source, e.pattern, index, b, e.filters, l), workers, p)
		if !errors.Is(err, errOtherLayout) {
			return err
		}
		b.back(taken)
		p.done = done
	}
	return err
}

// join has workers take row groups in turn.
func (e *eventScan) join(ctx context.Context, j *join, workers int, p *rowProgress) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	readers := make([]*eventReader, max(1, min(workers, len(e.groups))))
	joined := make([]*joinWorker, len(readers))
	for i := range readers {
		joined[i] = j.worker()
		readers[i] = &eventReader{scan: e, w: joined[i], at: len(e.groups)}
		wg.Go(func() { readers[i].run(ctx, &next, p) })
	}
	wg.Wait()
	first := readers[0]
	for _, r := range readers {
		if r.err != nil && (first.err == nil || r.at < first.at) { // the error that one worker alone would have met
			first = r
		}
	}
	if first.err != nil {
		return first.err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return j.end(joined)
}

// firstValues returns the values of the first row group that has any, nil where
// none are declared.
func (e *eventScan) firstValues() (*Column, error) {
	if e.source.Value == "" || e.source.Dates != (Dates{}) {
		return nil, nil
	}
	for _, g := range e.groups {
		if g.rows == 0 {
			continue
		}
		r := &eventReader{scan: e}
		defer r.close()
		return r.column(g, e.source.Value, 0)
	}
	return nil, nil
}

// An eventReader reads row groups for one worker.
type eventReader struct {
	scan    *eventScan
	w       *joinWorker
	file    *boundFile
	opened  int // the number of the file
	buffers chunkReader
	times   [2]*builder

	err error
	at  int // the row group of err
}

func (r *eventReader) run(ctx context.Context, next *atomic.Int64, p *rowProgress) {
	defer r.close()
	for ctx.Err() == nil {
		i := int(next.Add(1)) - 1
		if i >= len(r.scan.groups) {
			return
		}
		if err := Caught(func() error { return r.group(r.scan.groups[i]) }); err != nil {
			r.err, r.at = err, i
			next.Store(int64(len(r.scan.groups))) // no further ones
			return
		}
		p.add(r.scan.groups[i].rows)
	}
}

// open makes the file of a row group the current one.
func (r *eventReader) open(g fileGroup) error {
	if r.file != nil && r.opened == g.file {
		return nil
	}
	r.close()
	src := r.scan.sources[g.file]
	p, err := openParquet(r.scan.fsys, src.name)
	if err != nil {
		return err
	}
	f, err := r.scan.bind(p, src)
	if err == nil {
		err = r.scan.unchanged(f, src)
	}
	if err != nil {
		p.file.Close()
		return err
	}
	f.reader = r.buffers
	r.file, r.opened = f, g.file
	return nil
}

// close closes the current file; the next one reads into its buffers.
func (r *eventReader) close() {
	if r.file != nil {
		r.buffers = r.file.reader
		r.file.file.Close()
		r.file = nil
	}
}

// group reads one row group and joins its rows.
func (r *eventReader) group(g fileGroup) error {
	if err := r.open(g); err != nil {
		return err
	}
	r.w.begin(r.file.name, int(g.before), g.rows, r.file.room(g.group))
	s, b := r.scan.source, &r.w.rows
	for _, m := range r.w.declared() {
		i := r.scan.index[m.name]
		if err := r.file.code(g, i, r.scan.columns[i].kind, m.into); err != nil {
			return err
		}
	}
	if err := r.computed(g); err != nil {
		return err
	}
	c, err := r.column(g, s.Time, 0)
	if err != nil {
		return err
	}
	b.at = stamps(c, r.w.h.Location)
	if s.KnownAt != "" {
		if c, err = r.column(g, s.KnownAt, 1); err != nil {
			return err
		}
		b.known = stamps(c, r.w.h.Location)
	}
	return r.w.take()
}

// computed reads what is made of whole columns: the value of two dates, and the
// filters that rows pass.
func (r *eventReader) computed(g fileGroup) error {
	s := r.scan.source
	if d := s.Dates; d != (Dates{}) {
		t, err := r.table(g, []string{d.From, d.To})
		if err != nil {
			return err
		}
		if err := r.w.takeDates(t.Column(d.From), t.Column(d.To)); err != nil {
			return err
		}
	}
	if len(s.Filters) == 0 {
		return nil
	}
	t, err := r.table(g, s.filterColumns())
	if err != nil {
		return err
	}
	return r.w.match(t)
}

// table reads columns of a row group as they are.
func (r *eventReader) table(g fileGroup, names []string) (*Table, error) {
	t := &Table{Name: r.file.name, Rows: g.rows}
	for _, name := range named(names) {
		i := r.scan.index[name]
		b := newBuilder(name, r.scan.columns[i].kind)
		b.grow(r.file.room(g.group))
		r.file.before = g.before
		if err := r.file.readColumn(g.group, i, b); err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, b.column())
	}
	return t, nil
}

// column reads one column of a row group as it is, into one of two places
// where it is valid until the next call for that place.
func (r *eventReader) column(g fileGroup, name string, place int) (*Column, error) {
	if err := r.open(g); err != nil {
		return nil, err
	}
	i := r.scan.index[name]
	if kind := r.scan.columns[i].kind; r.times[place] == nil || r.times[place].Kind != kind {
		r.times[place] = newBuilder(name, kind)
	}
	b := r.times[place]
	b.reset()
	r.file.before = g.before
	if err := r.file.readColumn(g.group, i, b); err != nil {
		return nil, err
	}
	c := b.column()
	return &c, nil
}

// rowProgress adds up the rows of all workers.
type rowProgress struct {
	mu          sync.Mutex
	done, total int
	call        func(done, total int)
}

func (p *rowProgress) add(rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += rows
	if p.call != nil {
		p.call(p.done, p.total)
	}
}

// code reads one column of a row group into a coder.
func (f *boundFile) code(g fileGroup, column int, kind Kind, k coder) error {
	k.of(kind)
	b := f.bindings[column]
	switch {
	case b.leaf >= 0:
		return f.reader.readInto(f.parquetFile, g.group, b.leaf, g.before, k)
	case b.void:
		k.missing(g.rows)
		return nil
	}
	one := newBuilder("", kind)
	if kind == Text {
		one.appendText(b.text, 1)
	} else {
		v, _ := strconv.ParseInt(b.text, 10, 64) // folder has seen that it parses
		one.appendInt(v, 1)
	}
	c := one.column()
	if err := k.dictionary(entries{column: &c}); err != nil {
		return err
	}
	k.codes(make([]int32, g.rows), nil)
	return nil
}
