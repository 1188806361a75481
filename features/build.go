// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"
	"fmt"
	"runtime"
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
	// Workers is the number of goroutines; zero means one for each CPU. The
	// frame's bytes do not depend on it.
	Workers int
	// Progress, if set, is called now and then with the number of accounts
	// done and their total. Calls come from one goroutine at a time.
	Progress func(done, total int)
}

// Built is a frame and the account of what is not in it.
type Built struct {
	Frame *Frame
	Terms int          // contracts, or accounts in activity mode
	Left  []data.Count // snapshots or terms without a row, by reason
	// Show holds the pass-through columns of the accounts table for each row
	// of the frame; only set for an as-of build.
	Show []data.Column
}

// Build makes the frame of a history under a spec. Rows are ordered by
// account, then term, then snapshot. Terms without a row are counted by
// reason in Left; a frame without rows is for the caller to refuse, with
// Explain's words.
func Build(ctx context.Context, h *data.History, spec *Spec, o Options) (*Built, error) {
	if err := spec.validate(h); err != nil {
		return nil, err
	}
	l := listing{h: h, spec: spec, asOf: history, left: map[refusal]int{}}
	if !o.AsOf.IsZero() {
		l.asOf = o.AsOf.UnixNano()
	}
	if spec.Outcome.Mode == Activity {
		l.listActivity()
	} else {
		l.listRenewals()
	}
	f := &Frame{SpecDigest: spec.Digest(), Rows: l.rows, Columns: make([]Column, len(spec.Features))}
	for i, feature := range spec.Features {
		f.Columns[i].Feature = feature
		if feature.Kind == LevelKind {
			f.Columns[i].Codes = make([]int32, len(l.rows))
		} else {
			f.Columns[i].Num = make([]float64, len(l.rows))
		}
	}
	if err := l.fill(ctx, f, o); err != nil {
		return nil, err
	}
	l.markNoHistory(f)
	b := &Built{Frame: f, Terms: l.terms, Left: l.counts()}
	if l.asOf != history {
		b.Show = l.show()
	}
	return b, nil
}

// A listing collects the snapshots of a history before any feature is made.
type listing struct {
	h     *data.History
	spec  *Spec
	asOf  int64 // or history
	terms int
	rows  []Row
	snaps []snapshot // aligned with rows
	spans []span
	left  map[refusal]int
}

// history stands for no as-of instant: the whole history is wanted.
const history = data.NoTime

// A span is the rows of one account.
type span struct {
	account    int32
	start, end int
}

// afterData refuses snapshots that lie after the newest event: what they
// would have seen is not there yet.
const afterData refusal = "the snapshot lies after the newest event"

func (l *listing) listRenewals() {
	h, o := l.h, &l.spec.Outcome
	l.terms = len(h.Contracts)
	if l.terms == 0 {
		return // then the data may have no end either
	}
	end := data.MidnightAfter(h.Newest, h.Location).UnixNano()
	for a := range h.Accounts {
		first := len(l.rows)
		for k := h.Accounts[a].FirstContract; k < h.Accounts[a].EndContract; k++ {
			if l.asOf != history {
				l.addAsOf(k)
				continue
			}
			c := &h.Contracts[k]
			label := renewalLabel(h, o, o.Declared, k)
			from := len(l.rows)
			for _, t := range snapshotsOf(c, o.LeadDays, h.Location) {
				switch why := atRisk(h, o.Rolling, k, t); {
				case why != "":
					l.left[why]++
				case t > end:
					l.left[afterData]++
				default:
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

// addAsOf adds the row of contract k at the as-of instant, if its term is
// running then. Terms decided or due too late get a row without probability.
func (l *listing) addAsOf(k int32) {
	h, o := l.h, &l.spec.Outcome
	status := Scored
	switch why := atRisk(h, o.Rolling, k, l.asOf); why {
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
	if status == Scored && int(lead(l.asOf, h.Contracts[k].Due, h.Location)) > longest+earlyDays {
		status = Early
	}
	l.add(k, l.asOf, label{Unknown, Never}, status)
}

func (l *listing) add(k int32, t int64, label label, status Status) {
	c := &l.h.Contracts[k]
	a := &l.h.Accounts[c.Account]
	l.rows = append(l.rows, Row{
		Account: a.ID, Contract: c.ID, Group: a.Group, Segment: a.Segment, Phase: a.Phase, Currency: c.Currency, Snapshot: t, Due: c.Due,
		LeadDays: lead(t, c.Due, l.h.Location), Mature: label.mature, Y: label.y, Weight: 1, Value: c.Value, Status: status,
	})
	l.snaps = append(l.snaps, snapshot{t: t, due: c.Due, contract: k})
}

func (l *listing) close(account int32, first int) {
	if first < len(l.rows) {
		l.spans = append(l.spans, span{account, first, len(l.rows)})
	}
}

// markNoHistory sets the status of scored rows of accounts of which no source
// shows a visible event.
func (l *listing) markNoHistory(f *Frame) {
	for _, s := range l.spans {
		for i := s.start; i < s.end; i++ {
			if f.Rows[i].Status == Scored && !l.anyVisible(s.account, f.Rows[i].Snapshot) {
				f.Rows[i].Status = NoHistory
			}
		}
	}
}

func (l *listing) anyVisible(account int32, t int64) bool {
	for s := range l.h.Sources {
		events := l.h.Sources[s].Of(int(account))
		for i := before(events, t) - 1; i >= 0; i-- {
			if visible(&events[i], t) {
				return true
			}
		}
	}
	return false
}

// fill runs the kernel over all accounts. Accounts are handed out in blocks;
// each writes its own rows, so the bytes do not depend on who takes which.
func (l *listing) fill(ctx context.Context, f *Frame, o Options) error {
	const block = 64 // accounts: enough work to hide the hand-out, small enough to share out evenly
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	// Levels are set by the first kernel; the others find them set alike.
	kernels := make([]*kernel, workers)
	for i := range kernels {
		kernels[i] = newKernel(l.h, l.spec, f.Columns)
	}
	var next, done atomic.Int64
	var report sync.Mutex
	var wg sync.WaitGroup
	for _, k := range kernels {
		wg.Go(func() {
			for ctx.Err() == nil {
				lo := int(next.Add(block)) - block
				if lo >= len(l.spans) {
					return
				}
				hi := min(lo+block, len(l.spans))
				for _, s := range l.spans[lo:hi] {
					k.fill(f.Columns, s.start, s.account, l.snaps[s.start:s.end])
				}
				n := done.Add(int64(hi - lo))
				if o.Progress != nil {
					report.Lock()
					o.Progress(int(n), len(l.spans))
					report.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// show repeats the pass-through columns of each account for each of its rows.
func (l *listing) show() []data.Column {
	var rows []int
	for _, s := range l.spans {
		for range s.end - s.start {
			rows = append(rows, int(s.account))
		}
	}
	var out []data.Column
	for i := range l.h.Show {
		out = append(out, l.h.Show[i].Take(rows))
	}
	return out
}

func (l *listing) counts() []data.Count {
	total := len(l.rows)
	for _, n := range l.left {
		total += n
	}
	out := []data.Count{}
	for why, n := range l.left {
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
