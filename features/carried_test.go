// SPDX-License-Identifier: Apache-2.0

package features

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// carriedRows is a frame with two rows of each of six accounts, in the frame's
// order, with a number and a level.
func carriedRows() (*Frame, *Spec) {
	spec := &Spec{Version: SpecVersion, Features: []Feature{{Name: "n", Kind: NumberKind}, {Name: "l", Kind: LevelKind}}}
	f := &Frame{SpecDigest: spec.Digest(), Columns: []Column{{Feature: spec.Features[0]}, {Feature: spec.Features[1], Levels: []string{"a", "b"}}}}
	for i := range 12 {
		account := fmt.Sprint("k", i/2)
		f.Rows = append(f.Rows, Row{Account: account, Contract: []string{"", "c"}[i%2], Group: account, Segment: "s", Currency: "EUR",
			Snapshot: int64(i) * 1e18 / 7, Due: int64(i) + 1, LeadDays: int32(i), TermDays: 365, Mature: Never, Y: int8(i%3) - 1, Weight: 1.0 / 3,
			Value: []float64{math.NaN(), 1e-300}[i%2], Kept: math.NaN(), Status: Status(i % 4), LastEvent: data.NoTime, AutoRenew: Unknown, Involuntary: i%5 == 0})
		f.Columns[0].Num = append(f.Columns[0].Num, []float64{math.Pi, math.NaN(), -0.5}[i%3])
		f.Columns[1].Codes = append(f.Columns[1].Codes, int32(i%3)-1)
	}
	return f, spec
}

// named writes levels out: the same ones may have other codes.
func named(f *Frame) *Frame {
	g := *f
	g.Columns = append([]Column{}, f.Columns...)
	for k := range g.Columns {
		if c := &g.Columns[k]; c.IsLevel() {
			var names []string
			for _, code := range c.Codes {
				names = append(names, append([]string{"(missing)"}, c.Levels...)[code+1])
			}
			c.Codes, c.Levels = nil, names
		}
	}
	return &g
}

// sameFrame compares frames, NaN being NaN.
func sameFrame(t *testing.T, what string, got, want *Frame) {
	t.Helper()
	got, want = named(got), named(want)
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b })); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// A carried frame is the frame, bit for bit, in whatever order and pieces its
// rows come back.
func TestCarriedFrame(t *testing.T) {
	f, spec := carriedRows()
	table := f.Carry()
	got, err := CarriedFrame(table, spec, f.SpecDigest)
	if err != nil {
		t.Fatal(err)
	}
	sameFrame(t, "carried", got, f)
	var a Assembly
	for _, rows := range [][]int{{11, 3, 4}, {0, 2, 1, 9}, {10, 5, 6, 8, 7}} {
		part := table.Take(rows)
		g, err := CarriedFrame(part, spec, f.SpecDigest)
		if err == nil {
			err = a.Add(part, g)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err = a.Frame(); err != nil {
		t.Fatal(err)
	}
	sameFrame(t, "assembled", got, f)
	part := table.Take([]int{3})
	if g, err := CarriedFrame(part, spec, ""); err != nil || a.Add(part, g) != nil {
		t.Fatal(err)
	}
	if _, err := a.Frame(); !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), "a row came twice") {
		t.Errorf("a row that came twice: %v", err)
	}
}

// What another process sends is refused where it is not a frame of the spec.
func TestCarriedFrameRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*data.Table)
		want   string
	}{
		"no feature": {func(t *data.Table) { t.Column("f1").Name = "f2" }, "column f1 is missing"},
		"another kind": {func(t *data.Table) {
			*t.Column("f1") = data.IntOf("f1", data.Int, t.Rows, func(int) (int64, bool) { return 1, true })
		}, "column f1 is of kind int"},
		"a fact's kind": {func(t *data.Table) { *t.Column("y") = data.FloatOf("y", t.Rows, func(int) float64 { return 0 }) }, "column y is of kind"},
		"a null":        {func(t *data.Table) { t.Column("due").Null = append(make([]bool, t.Rows-1), true) }, "column due is null in row 12"},
	} {
		f, spec := carriedRows()
		table := f.Carry()
		c.change(table)
		if _, err := CarriedFrame(table, spec, ""); !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	f, spec := carriedRows()
	table := f.Carry()
	if fact, err := CarriedFrame(&data.Table{Name: table.Name, Rows: table.Rows, Columns: []data.Column{*table.Column("f0"), *table.Column("f1")}}, spec, ""); err != nil || fact.Rows[3].Account != "" {
		t.Errorf("without facts: %+v, %v", fact, err)
	}
	table.Column("row").Name = "number"
	var a Assembly
	if err := a.Add(table, f); !errors.Is(err, data.ErrBadData) {
		t.Errorf("without row: %v", err)
	}
}

// sharded returns a carried frame in the order of shards, accounts and rows.
func sharded(f *Frame, cut Cut) *data.Table {
	var rows []int
	var shards []int64
	for k := range cut.Shards {
		for i := range f.Rows {
			if cut.Shard(f.Rows[i].Group) == k {
				rows, shards = append(rows, i), append(shards, int64(k))
			}
		}
	}
	t := f.Carry().Take(rows)
	t.Columns = append(t.Columns, data.Column{Name: "shard", Kind: data.Int, Ints: shards})
	return t
}

// A Gatherer hands over whole shards, in blocks, whatever the batches were; rows
// that are out of place are refused.
func TestGatherer(t *testing.T) {
	f, spec := carriedRows()
	cut := Cut{Shards: 3, Block: 3}
	table := sharded(f, cut)
	for _, batch := range []int{1, 2, 5, 12} {
		rows, last := 0, -1
		g := NewGatherer(cut, func(s *Gathered) error {
			if s.Number() <= last || s.Shards() != 1 {
				t.Errorf("shard %d after %d, of %d", s.Number(), last, s.Shards())
			}
			last = s.Number()
			n := 0
			err := s.Shard(0, func(block *Frame) error {
				for i := range block.Rows {
					if r := &block.Rows[i]; cut.Shard(r.Group) != s.Number() || len(block.Rows) > cut.Block {
						t.Errorf("%s in shard %d, %d rows", r.Group, s.Number(), len(block.Rows))
					}
				}
				n += len(block.Rows)
				return nil
			})
			if rows += n; n != s.Rows {
				t.Errorf("%d rows, of %d", n, s.Rows)
			}
			return err
		})
		for from := 0; from < table.Rows; from += batch {
			var at []int
			for i := from; i < min(from+batch, table.Rows); i++ {
				at = append(at, i)
			}
			part := table.Take(at)
			frame, err := CarriedFrame(part, spec, f.SpecDigest)
			if err == nil {
				err = g.Add(part, frame)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Close(); err != nil || rows != len(f.Rows) {
			t.Errorf("batches of %d: %d rows, %v", batch, rows, err)
		}
		if err := g.Close(); err != nil { // nothing is left
			t.Error(err)
		}
	}
}

func TestGathererRefuses(t *testing.T) {
	f, spec := carriedRows()
	cut := Cut{Shards: 3, Block: 3}
	full := errors.New("full")
	for name, c := range map[string]struct {
		change func(*data.Table) *data.Table
		whole  error
		want   string
	}{
		"no shard":      {func(t *data.Table) *data.Table { t.Column("shard").Name = "part"; return t }, nil, "columns shard and row are expected"},
		"another shard": {func(t *data.Table) *data.Table { t.Column("shard").Ints[0]++; return t }, nil, "stands in shard"},
		"twice":         {func(t *data.Table) *data.Table { return t.Take([]int{0, 1, 1}) }, nil, "or one comes twice"},
		"out of order":  {func(t *data.Table) *data.Table { return t.Take([]int{1, 0}) }, nil, "rows are not in order"},
		"shards back":   {func(t *data.Table) *data.Table { return t.Take([]int{11, 0}) }, nil, "rows are not in order"},
		"a receiver":    {func(t *data.Table) *data.Table { return t }, full, "full"},
	} {
		table := c.change(sharded(f, cut))
		frame, err := CarriedFrame(table, spec, "")
		if err != nil {
			t.Fatal(err)
		}
		g := NewGatherer(cut, func(*Gathered) error { return c.whole })
		if err = g.Add(table, frame); err == nil || !strings.Contains(err.Error(), c.want) || c.whole == nil && !errors.Is(err, data.ErrBadData) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
