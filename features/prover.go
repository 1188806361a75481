// SPDX-License-Identifier: Apache-2.0

package features

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

// A prover holds what the trials of all snapshots share.
type prover struct {
	sources data.Sources
	spec    *Spec
	frame   *Frame
	canary  *canary
	// join makes the history that is built from. Tests put one here that breaks
	// the point-in-time rule.
	join func(context.Context, *data.Tables, data.Sources) (*data.History, error)
}

func (p *prover) prove(ctx context.Context, t *data.Tables, rows []int, o ProofOptions) (*Proof, error) {
	tables := byAccount(t, p.sources)
	tried := make([][]Trial, len(rows))
	errs := make([]error, len(rows))
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	var progress sync.Mutex
	done := 0
	for range min(workers, len(rows)) {
		wg.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(rows) && ctx.Err() == nil; k = int(next.Add(1)) - 1 {
				errs[k] = data.Caught(func() (err error) {
					tried[k], err = p.try(ctx, tables(p.frame.Rows[rows[k]].Account), rows[k])
					return err
				})
				progress.Lock()
				if done++; o.Progress != nil {
					o.Progress(done, len(rows))
				}
				progress.Unlock()
			}
		})
	}
	wg.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	accounts, _ := accountsOf(p.frame)
	proof := &Proof{Snapshots: len(rows), Of: len(accounts), Features: len(p.spec.Features), Assumed: data.AssumedConstant(p.sources),
		Trials: []Trial{{Name: Truncated}, {Name: Perturbed}, {Name: Canary}}}
	for _, trials := range tried {
		for i := range trials {
			proof.Trials[i].add(&trials[i])
		}
	}
	return proof, nil
}

// add adds the figures of one snapshot.
func (t *Trial) add(one *Trial) {
	t.Snapshots += one.Snapshots
	t.Rows += one.Rows
	t.Values += one.Values
	t.Leaks += one.Leaks
	if t.First == nil {
		t.First = one.First
	}
}

// try makes the trials of one row of the frame.
func (p *prover) try(ctx context.Context, t *data.Tables, row int) ([]Trial, error) {
	r := &p.frame.Rows[row]
	f := &future{p.sources, r.Snapshot}
	want := rowOf(p.frame, row)
	trials := make([]Trial, 3)
	for i, change := range []func(*data.Tables) (*data.Tables, int){f.truncated, f.perturbed} {
		changed, n := change(t)
		got, err := p.rebuild(ctx, changed, p.sources, p.spec, r)
		if err != nil {
			return nil, err
		}
		trials[i].Rows, trials[i].Snapshots = n, min(n, 1)
		trials[i].compare(r, got, want)
	}
	return trials, p.tryCanary(ctx, t, r, want, &trials[2])
}

// tryCanary plants what nobody may see, then what must be seen.
func (p *prover) tryCanary(ctx context.Context, t *data.Tables, r *Row, want frameRow, trial *Trial) error {
	build := func(laid []egg) (frameRow, error) {
		tables, sources := p.canary.plant(t, p.sources, r.Account, laid)
		return p.rebuild(ctx, tables, sources, p.canary.spec, r)
	}
	without, err := build(nil)
	if err != nil {
		return err
	}
	hidden := eggs(r)
	with, err := build(hidden)
	if err != nil {
		return err
	}
	trial.Rows, trial.Snapshots = len(hidden), 1
	trial.compare(r, with, append(slices.Clip(want), without[min(len(without), p.canary.ordered):]...))
	seen, err := build(visibleEgg(r))
	if err != nil {
		return err
	}
	if slices.Equal(seen, without) {
		if trial.Leaks++; trial.First == nil {
			trial.First = leak(r, p.canary.spec.Features[p.canary.ordered].Name, "blind to an event a moment before", "not to be trusted")
		}
	}
	return nil
}

// A frameRow is the features of one row, each with its value as a text that
// tells every bit. It is empty where there is no such row.
type frameRow []frameValue

type frameValue struct{ feature, value string }

// rowOf writes down the features of row i.
func rowOf(f *Frame, i int) frameRow {
	row := make(frameRow, len(f.Columns))
	for k := range f.Columns {
		c := &f.Columns[k]
		v := &row[k]
		switch v.feature = c.Feature.Name; {
		case c.IsLevel() && c.Codes[i] >= 0:
			v.value = strconv.Quote(c.Levels[c.Codes[i]])
		case c.IsLevel() || math.IsNaN(c.Num[i]):
			v.value = "missing"
		default: // the shortest text that reads back as the same bits
			v.value = strconv.FormatFloat(c.Num[i], 'g', -1, 64)
		}
	}
	return row
}

// rebuild builds the features of one snapshot from tables as they are given.
func (p *prover) rebuild(ctx context.Context, t *data.Tables, s data.Sources, spec *Spec, r *Row) (frameRow, error) {
	h, err := p.join(ctx, t, s)
	if err != nil {
		return nil, fmt.Errorf("rebuilding a snapshot of account %s: %w", data.Marked(r.Account), err)
	}
	defer h.Close()
	b, err := Build(ctx, h, spec, Options{AsOf: time.Unix(0, r.Snapshot), Workers: 1})
	if err != nil {
		return nil, fmt.Errorf("rebuilding a snapshot of account %s: %w", data.Marked(r.Account), err)
	}
	for i := range b.Frame.Rows {
		if b.Frame.Rows[i].Contract == r.Contract {
			return rowOf(b.Frame, i), nil
		}
	}
	return nil, nil
}

// compare counts the values that differ. A snapshot that is gone, or one that
// was not there before, differs in one.
func (t *Trial) compare(r *Row, got, want frameRow) {
	if len(got) != len(want) {
		t.Values, t.Leaks, t.First = 1, 1, leak(r, "the snapshot itself", "there", "gone")
		return
	}
	for k := range want {
		t.Values++
		if got[k].value == want[k].value {
			continue
		}
		if t.Leaks++; t.First == nil {
			t.First = leak(r, want[k].feature, want[k].value, got[k].value)
		}
	}
}

func leak(r *Row, feature, was, got string) *Leak {
	return &Leak{Feature: feature, Account: r.Account, Contract: r.Contract,
		Snapshot: time.Unix(0, r.Snapshot).UTC().Format(time.RFC3339), Was: was, Got: got}
}

// byAccount returns the tables of one account at a time.
func byAccount(t *data.Tables, s data.Sources) func(account string) *data.Tables {
	accounts := rowsByID(t.Accounts, s.Accounts.Key)
	var contracts map[string][]int
	if s.Contracts != nil {
		contracts = rowsByID(t.Contracts, s.Contracts.Account)
	}
	events := make([]map[string][]int, len(t.Events))
	for i, e := range t.Events {
		events[i] = rowsByID(e, s.Events[i].Account)
	}
	return func(account string) *data.Tables {
		out := &data.Tables{Accounts: t.Accounts.Take(accounts[account])}
		if contracts != nil {
			out.Contracts = t.Contracts.Take(contracts[account])
		}
		for i, e := range t.Events {
			out.Events = append(out.Events, e.Take(events[i][account]))
		}
		return out
	}
}

func rowsByID(t *data.Table, key string) map[string][]int {
	rows := map[string][]int{}
	ids := t.Column(key).AsText()
	for i := range t.Rows {
		rows[ids.Text(i)] = append(rows[ids.Text(i)], i)
	}
	return rows
}
