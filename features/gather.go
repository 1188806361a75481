// SPDX-License-Identifier: Apache-2.0

package features

import (
	"fmt"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// A Gatherer takes the rows of shards that come one after another, each in the
// order of the frame, and hands every shard over once it is whole, cut into the
// blocks of the Cut. It holds one shard.
type Gatherer struct {
	cut   Cut
	whole func(*Gathered) error
	now   *Gathered // being collected; nil before the first row
	last  place
}

// A place is where a row stands in the order that Gatherer asks for.
type place struct {
	account string
	row     int64
}

// NewGatherer returns one that hands whole shards to whole.
func NewGatherer(cut Cut, whole func(*Gathered) error) *Gatherer {
	return &Gatherer{cut: cut, whole: whole}
}

// Add takes the rows of a carried table, whose columns shard and row say where they
// stand. Rows out of order, twice, or in a shard that is not their group's are an
// error that wraps data.ErrBadData.
func (g *Gatherer) Add(t *data.Table, f *Frame) error {
	shard, row := t.Column("shard"), t.Column("row")
	if shard == nil || row == nil || shard.Kind != data.Int || row.Kind != data.Int {
		return carriedError("columns shard and row are expected, of integers")
	}
	for from := 0; from < len(f.Rows); {
		to := from
		for ; to < len(f.Rows) && shard.Ints[to] == shard.Ints[from]; to++ {
			if err := g.check(int(shard.Ints[to]), &f.Rows[to], row.Ints[to]); err != nil {
				return fmt.Errorf("row %d of a batch: %w", to+1, err)
			}
		}
		g.take(f, from, to)
		from = to
	}
	return nil
}

// check checks the place of one more row, and begins its shard.
func (g *Gatherer) check(shard int, r *Row, row int64) error {
	if want := g.cut.Shard(r.Group); shard != want {
		return carriedError("a row of shard %d stands in shard %d", want, shard)
	}
	here := place{r.Account, row}
	if g.now == nil || g.now.shard < shard {
		if err := g.Close(); err != nil {
			return err
		}
		g.now = &Gathered{shard: shard}
	} else if g.now.shard > shard || !g.last.before(here) {
		return carriedError("rows are not in order of shard, account and row, or one comes twice")
	}
	g.last = here
	return nil
}

func (p place) before(q place) bool {
	return p.account < q.account || p.account == q.account && p.row < q.row
}

// take takes rows from … to−1, which are of the shard that is being collected.
func (g *Gatherer) take(f *Frame, from, to int) {
	for from < to {
		n := len(g.now.blocks)
		if n == 0 || len(g.now.blocks[n-1].frame.Rows) == g.cut.Block {
			g.now.blocks = append(g.now.blocks, new(collected))
			n++
		}
		b := g.now.blocks[n-1]
		var rows []int
		for ; from < to && len(b.frame.Rows)+len(rows) < g.cut.Block; from++ {
			rows = append(rows, from)
		}
		b.append(f, rows)
		g.now.Rows += len(rows)
	}
}

// Close hands the last shard over.
func (g *Gatherer) Close() error {
	if g.now == nil {
		return nil
	}
	whole := g.now
	g.now = nil
	return g.whole(whole)
}

// A Gathered shard is one in memory. It implements train.Rows.
type Gathered struct {
	Rows   int
	shard  int
	blocks []*collected
}

// Number returns which shard it is.
func (g *Gathered) Number() int { return g.shard }

// Shards returns 1.
func (g *Gathered) Shards() int { return 1 }

// Shard hands the blocks of the shard to work.
func (g *Gathered) Shard(_ int, work func(*Frame) error) error {
	for _, b := range g.blocks {
		if err := work(&b.frame); err != nil {
			return err
		}
	}
	return nil
}

// An Assembly brings rows of carried tables, which come in any order, back into the
// order of the frame. The zero value is empty.
type Assembly struct {
	collected
	rows []int64
}

// Add takes the rows of a carried table, and the frame that it carries.
func (a *Assembly) Add(t *data.Table, f *Frame) error {
	row := t.Column("row")
	if row == nil || row.Kind != data.Int {
		return carriedError("column row is expected, of integers")
	}
	all := make([]int, len(f.Rows))
	for i := range all {
		all[i] = i
	}
	a.append(f, all)
	a.rows = append(a.rows, row.Ints...)
	return nil
}

// Frame returns the rows that were added. One that came twice is an error that wraps
// data.ErrBadData.
func (a *Assembly) Frame() (*Frame, error) {
	at := func(i int) place { return place{a.frame.Rows[i].Account, a.rows[i]} }
	order := make([]int, len(a.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if at(i).before(at(j)) {
			return -1
		}
		return 1
	})
	for k := 1; k < len(order); k++ {
		if at(order[k-1]) == at(order[k]) {
			return nil, carriedError("a row came twice")
		}
	}
	return a.frame.Select(order), nil
}
