// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// Options configures Build. The zero value builds the training history.
type Options struct {
	// AsOf asks for one row for each account and term at that instant. The
	// zero time asks for every snapshot of the history.
	AsOf time.Time
	// Earlier asks, as of an instant, for the rows as of these instants too, in
	// the order given and before those of AsOf.
	Earlier []time.Time
	// OnlyScored leaves out, as of an instant, the rows that are early or
	// decided and so have no probability.
	OnlyScored bool
	// Every takes one account of so many, in order of their ids; zero and one
	// take all.
	Every int
	// Workers is the number of goroutines; zero means one for each CPU. The
	// frame's bytes do not depend on it.
	Workers int
	// Progress, if set, is called now and then with the number of accounts
	// done and their total. Calls come from one goroutine at a time.
	Progress func(done, total int)

	lookFrom func(*Row) int64 // see BuildHindsight
}

// Built is a frame and the account of what is not in it.
type Built struct {
	Frame *Frame
	Terms int          // contracts, or accounts in activity mode
	Left  []data.Count // snapshots or terms without a row, by reason
	// Outcomes counts how the terms ended, or in activity mode the snapshots;
	// only set for a build of the whole history.
	Outcomes []data.Count
	// Show holds the pass-through columns of the accounts table for each row
	// of the frame; only set for an as-of build.
	Show []data.Column
}

// Build makes the frame of a history under a spec. Rows are ordered by
// account, then term, then snapshot. Terms without a row are counted by
// reason in Left; a frame without rows is for the caller to refuse, with
// Explain's words.
func Build(ctx context.Context, h *data.History, spec *Spec, o Options) (*Built, error) {
	var whole *Frame
	b, err := BuildParts(ctx, h, spec, o, func(f *Frame) error {
		if whole == nil {
			whole = &Frame{SpecDigest: f.SpecDigest, Columns: slices.Clone(f.Columns)}
			for i := range whole.Columns {
				whole.Columns[i].Num, whole.Columns[i].Codes = nil, nil
			}
		}
		whole.append(f)
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.Frame = whole
	return b, nil
}

// append adds the rows of another frame of the same spec and history.
func (f *Frame) append(g *Frame) {
	f.Rows = append(f.Rows, g.Rows...)
	for i := range f.Columns {
		f.Columns[i].Num = append(f.Columns[i].Num, g.Columns[i].Num...)
		f.Columns[i].Codes = append(f.Columns[i].Codes, g.Columns[i].Codes...)
	}
}

// pieceRows is the number of rows that make a piece. A part of few accounts has
// a handful, for which whatever writes them would have too much to do.
const pieceRows = 4096

// BuildParts makes the same frame and hands it over in pieces, in order, so that it
// need not be held whole: each piece is the rows of a range of accounts, at least
// pieceRows of them but in the last, which may have none, and valid until each
// returns. Frame of what it returns is not set.
//
// Workers take parts of the history in turn; each part's rows depend on its
// accounts alone, and pieces are handed over in the order of parts, so that
// nothing depends on who makes which.
func BuildParts(ctx context.Context, h *data.History, spec *Spec, o Options, each func(*Frame) error) (*Built, error) {
	if err := spec.Validate(h); err != nil {
		return nil, err
	}
	if err := spec.checkDays(h, o); err != nil {
		return nil, err
	}
	t := newTemplate(h, spec)
	s := &stream{h: h, spec: spec, options: o, each: each, template: t, piece: t.frame(), left: map[refusal]int{}, outcomes: outcomeTally{}}
	s.ready = sync.NewCond(&s.mu)
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var wg sync.WaitGroup
	for range min(workers, h.Parts()) {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
	if s.err == nil {
		s.err = ctx.Err()
	}
	if s.err == nil {
		s.err = data.Caught(s.handLast)
	}
	if s.err != nil {
		return nil, s.err
	}
	b := &Built{Terms: len(h.Contracts), Left: countsOf(s.left, s.rows), Show: s.show}
	if o.AsOf.IsZero() {
		b.Outcomes = s.outcomes.counts(spec.Outcome.Mode)
	}
	if spec.Outcome.Mode == Activity {
		b.Terms = len(h.Accounts)
	}
	return b, nil
}

// A stream is one run of BuildParts, shared by its workers.
type stream struct {
	h        *data.History
	spec     *Spec
	options  Options
	each     func(*Frame) error
	template template

	taken atomic.Int64 // parts

	mu       sync.Mutex
	ready    *sync.Cond
	next     int    // the part to be handed over
	piece    *Frame // rows of the parts before it
	err      error
	left     map[refusal]int
	outcomes outcomeTally
	rows     int
	show     []data.Column
}

// run makes parts until none are left.
func (s *stream) run(ctx context.Context) {
	k, part := newKernel(s.h, s.spec, s.template.facts), s.h.NewPart()
	l, f := &listing{h: s.h, spec: s.spec, part: part, asOf: history, every: max(1, s.options.Every)}, s.template.frame()
	if !s.options.AsOf.IsZero() {
		l.asOf, l.onlyScored = s.options.AsOf.UnixNano(), s.options.OnlyScored
		for _, t := range s.options.Earlier {
			l.instants = append(l.instants, t.UnixNano())
		}
		l.instants = append(l.instants, l.asOf)
	}
	for {
		i := int(s.taken.Add(1)) - 1
		if i >= s.h.Parts() {
			return
		}
		err := ctx.Err()
		if err == nil {
			err = data.Caught(func() error {
				if err := s.h.ReadPart(part, i); err != nil {
					return err
				}
				l.reset()
				s.make(k, l, f)
				return nil
			})
		}
		var panicked *data.PanicError
		if errors.As(err, &panicked) {
			err = fmt.Errorf("features of accounts %d to %d of %d: %w", part.First+1, part.End, len(s.h.Accounts), err)
		}
		if !s.hand(i, l, f, err) {
			return
		}
	}
}

// make lists the snapshots of a part and fills their features.
func (s *stream) make(k *kernel, l *listing, f *Frame) {
	if s.spec.Outcome.Mode == Activity {
		l.listActivity()
	} else {
		l.listRenewals()
	}
	l.lookFrom(s.options.lookFrom)
	f.resize(l.rows)
	for _, p := range l.spans {
		k.fill(f.Columns, p.start, l.part, p.account, l.snaps[p.start:p.end])
	}
	l.markNoHistory(f)
}

// hand hands a part's rows over when its turn has come. It reports whether to
// go on.
func (s *stream) hand(i int, l *listing, f *Frame, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.next != i && s.err == nil {
		s.ready.Wait()
	}
	if s.err == nil {
		if s.err = err; err == nil {
			s.err = data.Caught(func() error { return s.gather(f) })
		}
	}
	if s.err == nil {
		s.rows += len(l.rows)
		for why, n := range l.left {
			s.left[why] += n
		}
		s.outcomes.add(l.outcomes)
		if l.asOf != history {
			s.addShow(l)
		}
		if s.options.Progress != nil {
			s.options.Progress(l.part.End, len(s.h.Accounts))
		}
	}
	s.next++
	s.ready.Broadcast()
	return s.err == nil
}

// gather hands the rows of a part over once there are enough, with those of
// parts before it.
func (s *stream) gather(f *Frame) error {
	if len(s.piece.Rows) == 0 && len(f.Rows) >= pieceRows {
		return s.each(f)
	}
	s.piece.append(f)
	if len(s.piece.Rows) < pieceRows {
		return nil
	}
	err := s.each(s.piece)
	s.piece.resize(s.piece.Rows[:0])
	return err
}

// handLast hands over what is left, if only to show that there is no row.
func (s *stream) handLast() error {
	if len(s.piece.Rows) == 0 && s.rows > 0 {
		return nil
	}
	return s.each(s.piece)
}

// addShow repeats the pass-through columns of each account for each of its
// rows.
func (s *stream) addShow(l *listing) {
	var rows []int
	for _, p := range l.spans {
		for range p.end - p.start {
			rows = append(rows, int(p.account))
		}
	}
	if s.show == nil {
		s.show = make([]data.Column, len(s.h.Show))
		for i := range s.show {
			s.show[i] = s.h.Show[i].Take(nil)
		}
	}
	for i := range s.show {
		c, more := &s.show[i], s.h.Show[i].Take(rows)
		c.Append(&more)
	}
}

// A template is what the pieces of a frame share: its columns, their levels
// included, and how facts are read.
type template struct {
	digest  string
	columns []Column
	facts   []fact
}

func newTemplate(h *data.History, spec *Spec) template {
	t := template{digest: spec.Digest(), columns: make([]Column, len(spec.Features))}
	for i, feature := range spec.Features {
		t.columns[i].Feature = feature
		if f, ok := factOf(h, &t.columns[i]); ok {
			f.column = i
			t.facts = append(t.facts, f)
		}
	}
	return t
}

// frame returns an empty frame.
func (t *template) frame() *Frame {
	return &Frame{SpecDigest: t.digest, Columns: slices.Clone(t.columns)}
}

// resize makes the frame one of the given rows, whose features are still those
// of others.
func (f *Frame) resize(rows []Row) {
	f.Rows = rows
	for i := range f.Columns {
		c := &f.Columns[i]
		if c.IsLevel() {
			c.Codes = slices.Grow(c.Codes[:0], len(rows))[:len(rows)]
		} else {
			c.Num = slices.Grow(c.Num[:0], len(rows))[:len(rows)]
		}
	}
}

// A listing collects the snapshots of a part's accounts before any feature is
// made.
type listing struct {
	h    *data.History
	spec *Spec
	part *data.Part
	asOf int64 // or history
	rows []Row

	instants   []int64 // earlier ones and asOf
	onlyScored bool
	every      int // of so many accounts one

	snaps []snapshot // aligned with rows
	spans []span
	left  map[refusal]int

	outcomes outcomeTally
}

// reset empties the listing for another part.
func (l *listing) reset() {
	l.rows, l.snaps, l.spans = l.rows[:0], l.snaps[:0], l.spans[:0]
	l.left, l.outcomes = map[refusal]int{}, outcomeTally{}
}

// history stands for no as-of instant: the whole history is wanted.
const history = data.NoTime

// A span is the rows of one account.
type span struct {
	account    int32
	start, end int
}

func (l *listing) listRenewals() {
	h, o := l.h, &l.spec.Outcome
	end := data.MidnightAfter(h.Newest, h.Location).UnixNano()
	for a := l.part.First; a < l.part.End; a++ {
		if a%l.every != 0 {
			continue
		}
		first := len(l.rows)
		for k := h.Accounts[a].FirstContract; k < h.Accounts[a].EndContract; k++ {
			if l.asOf != history {
				for _, t := range l.instants {
					l.addAsOf(k, t)
				}
				continue
			}
			c := &h.Contracts[k]
			label := renewalLabel(h, o, k)
			l.outcomes.term(h, k, label.y)
			from := len(l.rows)
			for _, t := range snapshotsOf(c, o.LeadDays, h.Location) {
				if why := eligible(h, o, k, t, end); why != "" {
					l.left[why]++
				} else {
					l.add(k, t, label, Scored)
				}
			}
			for i := from; i < len(l.rows); i++ {
				l.rows[i].Weight = 1 / float64(len(l.rows)-from)
			}
		}
		l.close(int32(a), first)
	}
}

// addAsOf adds the row of contract k as of the instant t, if its term is
// running then. Terms decided or due too late get a row without probability.
func (l *listing) addAsOf(k int32, t int64) {
	h, o := l.h, &l.spec.Outcome
	status := Scored
	switch why := atRisk(h, o, k, t); why {
	case "":
	case notStarted, alreadyDue:
		return // not running: nobody expects a row
	case alreadyKnown:
		status = Decided
	default:
		l.left[why]++
		return
	}
	longest := 0
	for _, d := range o.LeadDays {
		longest = max(longest, d)
	}
	if status == Scored && int(lead(t, h.Contracts[k].Due, h.Location)) > longest+earlyDays {
		status = Early
	}
	if l.onlyScored && status != Scored {
		return
	}
	l.add(k, t, label{Unknown, Never}, status)
}

func (l *listing) add(k int32, t int64, label label, status Status) {
	c := &l.h.Contracts[k]
	a := &l.h.Accounts[c.Account]
	v := l.version(a, t)
	l.rows = append(l.rows, Row{
		Account: a.ID, Contract: c.ID, Group: a.Group, Segment: v.Segment, Phase: v.Phase, Currency: c.Currency, Snapshot: t, Due: c.Due,
		LeadDays: lead(t, c.Due, l.h.Location), Mature: label.mature, Y: label.y, Weight: 1, Value: c.Value, Status: status,
		TermDays: lead(c.Start, c.Due, l.h.Location), Kept: kept(c, label.y), AutoRenew: c.AutoRenew, Involuntary: label.y == 1 && c.Involuntary == 1,
	})
	l.snaps = append(l.snaps, snapshot{t: t, due: c.Due, contract: k})
}

// version returns what was true of an account at t, nothing where that is not
// known.
func (l *listing) version(a *data.Account, t int64) data.Version {
	if i, ok := VersionAt(l.h, a, t); ok {
		return l.h.Versions[i]
	}
	return data.Version{}
}

func (l *listing) close(account int32, first int) {
	if first < len(l.rows) {
		l.spans = append(l.spans, span{account, first, len(l.rows)})
	}
}

// markNoHistory sets the status of scored rows of accounts of which no source
// shows a visible event and, as of an instant, the newest one of the others.
func (l *listing) markNoHistory(f *Frame) {
	for _, s := range l.spans {
		if l.asOf != history {
			last, at := int64(0), history // of the instant looked at last
			for i := s.start; i < s.end; i++ {
				if t := f.Rows[i].Snapshot; t != at {
					last, at = l.lastVisible(s.account, t), t
				}
				f.Rows[i].LastEvent = last
				if f.Rows[i].Status == Scored && last == data.NoTime {
					f.Rows[i].Status = NoHistory
				}
			}
			continue
		}
		for i := s.start; i < s.end; i++ {
			if f.Rows[i].Status == Scored && !l.anyVisible(s.account, f.Rows[i].Snapshot) {
				f.Rows[i].Status = NoHistory
			}
		}
	}
}

// anyVisible reports whether any source shows an event of the account that was
// visible at t.
func (l *listing) anyVisible(account int32, t int64) bool {
	for range l.visible(account, t) {
		return true
	}
	return false
}

// lastVisible returns the time of the newest event of the account that was
// visible at t, data.NoTime where there is none. Where events are held by day,
// it is the start of the day.
func (l *listing) lastVisible(account int32, t int64) int64 {
	last := data.NoTime
	for at := range l.visible(account, t) {
		last = max(last, at)
	}
	return last
}

// visible calls yield with the time of each event of the account that any
// source shows at t; of events held by day, with the start of each day that is
// later than those before it.
func (l *listing) visible(account int32, t int64) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		for i := range l.h.Sources {
			r := l.part.Records(i, int(account))
			if l.h.Sources[i].ByDay() {
				latest, today := int32(math.MinInt32), int32(data.DayOf(t, l.h.Location)) // t is its start
				for _, word := range r.Words {
					if day := data.DayOfWord(word); day < today && day > latest {
						if latest = day; !yield(data.DayStart(int(day), l.h.Location)) {
							return
						}
					}
				}
				continue
			}
			for at := 0; at < len(r.Words); at += r.Stride {
				record := r.Words[at : at+r.Stride]
				if seen(int64(record[0]), l.h.Sources[i].Known(record), t) && !yield(int64(record[0])) {
					return
				}
			}
		}
	}
}

// countsOf returns how many snapshots have no row, by reason; rows have one.
func countsOf(left map[refusal]int, rows int) []data.Count {
	total := rows
	for _, n := range left {
		total += n
	}
	out := []data.Count{}
	for why, n := range left {
		out = append(out, data.Count{Table: "snapshots", Reason: string(why), Rows: n, Of: total})
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Rows != out[j].Rows {
			return out[i].Rows > out[j].Rows
		}
		return out[i].Reason < out[j].Reason
	})
	return out
}

// Counts returns the sum of the counts of several builds (Built.Left), which
// have so many rows in all, as one build of all their accounts would.
func Counts(left []data.Count, rows int) []data.Count {
	by := map[refusal]int{}
	for _, c := range left {
		by[refusal(c.Reason)] += c.Rows
	}
	return countsOf(by, rows)
}

// Explain says in one sentence why a frame has no rows.
func (b *Built) Explain() string {
	if b.Terms == 0 {
		return "there is nothing to look at: no contract (or, in activity mode, no account) is left after reading the tables"
	}
	var parts []string
	for _, c := range b.Left {
		parts = append(parts, fmt.Sprintf("%d: %s", c.Rows, c.Reason))
	}
	return fmt.Sprintf("0 snapshots of %d terms or accounts are eligible (%s)", b.Terms, strings.Join(parts, "; "))
}
