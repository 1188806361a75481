// SPDX-License-Identifier: Apache-2.0

package features

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// shardRows returns a frame of numbers that float32 holds, numbers that it does not,
// and levels, with missing ones, and about three rows a group.
func shardRows(n int, seed uint64) *Frame {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &Frame{Columns: []Column{
		{Feature: Feature{Name: "count", Kind: NumberKind}}, {Feature: Feature{Name: "ratio", Kind: NumberKind}},
		{Feature: Feature{Name: "plan", Kind: LevelKind}, Levels: []string{"basic", "pro", "rare"}}}}
	for i := range n {
		f.Rows = append(f.Rows, Row{Group: fmt.Sprintf("g%d", r.IntN(n/3+1)), Y: int8(r.IntN(2)), Weight: 1 / float64(1+i%3)})
		number := func(x float64) float64 {
			if r.IntN(10) == 0 {
				return math.NaN()
			}
			return x
		}
		f.Columns[0].Num = append(f.Columns[0].Num, number(float64(r.IntN(9))))
		f.Columns[1].Num = append(f.Columns[1].Num, number(r.NormFloat64()))
		f.Columns[2].Codes = append(f.Columns[2].Codes, int32(r.IntN(4)-1))
	}
	return f
}

// lines writes each row of a frame as text, by group.
func lines(f *Frame, group func(*Row) string) map[string][]string {
	out := make(map[string][]string)
	for i := range f.Rows {
		r := &f.Rows[i]
		text := fmt.Sprint(r.Y, r.Weight)
		for k := range f.Columns {
			c := &f.Columns[k]
			switch {
			case !c.IsLevel():
				text += fmt.Sprintf(" %x", c.Num[i]) // exact; NaN for all that are
			case c.Codes[i] < 0:
				text += " -"
			default:
				text += " " + c.Levels[c.Codes[i]]
			}
		}
		out[group(r)] = append(out[group(r)], text)
	}
	return out
}

// Shards give back what was laid aside, each group in one shard and in order, with
// the levels that the sample lacks as other; twice the same.
func TestShards(t *testing.T) {
	f := shardRows(5000, 1)
	names := make([]Feature, len(f.Columns))
	for k := range names {
		names[k] = f.Columns[k].Feature
	}
	s := NewSharder(data.Disk{}, names, 66*shardValues/len(names)+1)
	defer s.Close()
	s.cut.Block, s.most = 32, 16 // so that a shard has more blocks than one
	all := make([]int, len(f.Rows))
	for i := range all {
		all[i] = i
	}
	for part := range slices.Chunk(all, 700) {
		if err := s.Add(f.Select(part)); err != nil {
			t.Fatal(err)
		}
	}
	sample := f.Select(nil)
	for k := range sample.Columns {
		if sample.Columns[k].IsLevel() {
			sample.Columns[k].Levels = []string{"basic", "pro"}
		}
	}
	shards, err := s.Shards(sample)
	if err != nil {
		t.Fatal(err)
	}
	if shards.Shards() != 66 {
		t.Fatalf("%d shards, want 66", shards.Shards())
	}
	f.Columns[2].Levels = []string{"basic", "pro", "other"} // in place of rare
	want := lines(f, func(r *Row) string { return r.Group })
	for range 2 {
		found := 0
		for k := range 66 {
			got, names := make(map[string][]string), make(map[string]string)
			last := 32
			err := shards.Shard(k, func(part *Frame) error {
				found += len(part.Rows)
				if last != 32 {
					t.Errorf("shard %d: a block of %d rows before the last one, want 32", k, last)
				}
				last = len(part.Rows)
				for group, rows := range lines(part, func(r *Row) string { return r.Group }) {
					got[group] = append(got[group], rows...)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for group := range want { // which name the group has in the shards
				if h := nameHash(group); s.cut.Shard(group) == k {
					b := make([]byte, 8)
					for i := range b {
						b[i] = byte(h >> (8 * i))
					}
					names[string(b)] = group
				}
			}
			if len(got) != len(names) || len(got) < 8 {
				t.Fatalf("shard %d has %d groups, want %d", k, len(got), len(names))
			}
			for name, rows := range got {
				if diff := cmp.Diff(want[names[name]], rows); diff != "" {
					t.Fatalf("group %s: %s", names[name], diff)
				}
			}
		}
		if found != len(f.Rows) {
			t.Fatalf("%d rows, want %d", found, len(f.Rows))
		}
	}
}

// Shards are those of other engines: Python's zlib.crc32(b"a-17") is 3970644084,
// and so is crc32('a-17') of Spark SQL. Their number grows with the values within
// bounds, and extents fill blocks.
func TestCut(t *testing.T) {
	if got := (Cut{Shards: 1000}).Shard("a-17"); got != 84 {
		t.Errorf("shard %d, want 84", got)
	}
	for _, c := range []struct{ rows, features, shards int }{{0, 0, 64}, {5_000_000, 100, 64}, {50_000_000, 100, 596}, {1 << 40, 100, 1024}} {
		cut := CutOf(c.rows, c.features)
		if cut.Shards != c.shards || cut.Block%cut.open(max(1, c.features)) != 0 || cut.Block < 16 || cut.Block*c.features > 2*blockValues {
			t.Errorf("%d rows of %d features: %+v", c.rows, c.features, cut)
		}
	}
}

// A sample takes groups whole, does not depend on the order of rows or on how they
// were cut, and keeps within its bound even where its size was guessed wrong.
func TestSampler(t *testing.T) {
	f := shardRows(3000, 2)
	in := func(s *Sampler, rows []int, cut int) map[string][]string {
		for part := range slices.Chunk(rows, cut) {
			s.Add(f.Select(part))
		}
		return lines(s.Frame(), func(r *Row) string { return r.Group })
	}
	var forward, backward []int
	for i := range f.Rows {
		forward = append(forward, i)
		backward = append([]int{i}, backward...)
	}
	whole := lines(f, func(r *Row) string { return r.Group })
	for _, c := range []struct{ most, guess, low, high int }{{1000, 3000, 850, 1000}, {1000, 100, 400, 1000}, {3000, 3000, 3000, 3000}} {
		got := in(NewSampler(1, c.most, c.guess), forward, 7)
		n := 0
		for group, rows := range got {
			n += len(rows)
			if len(rows) != len(whole[group]) {
				t.Errorf("most %d: group %s has %d rows of %d", c.most, group, len(rows), len(whole[group]))
			}
			slices.Sort(rows)
		}
		if n < c.low || n > c.high {
			t.Errorf("most %d of %d expected: a sample of %d rows, want %d to %d", c.most, c.guess, n, c.low, c.high)
		}
		other := in(NewSampler(1, c.most, c.guess), backward, 500)
		for _, rows := range other {
			slices.Sort(rows)
		}
		if diff := cmp.Diff(got, other); diff != "" {
			t.Errorf("most %d: another order, another sample: %s", c.most, diff)
		}
	}
	if diff := cmp.Diff(in(NewSampler(1, 1000, 3000), forward, 7), in(NewSampler(2, 1000, 3000), forward, 7)); diff == "" {
		t.Error("the seed does not count")
	}
	if levels := sampleOf(f).Columns[2].Levels; !slices.IsSorted(levels) {
		t.Errorf("levels %q are not sorted", levels)
	}
}

// sampleOf returns the sample of everything.
func sampleOf(f *Frame) *Frame {
	s := NewSampler(1, len(f.Rows), len(f.Rows))
	s.Add(f)
	return s.Frame()
}

// A table in blocks makes the frames of the table, rows numbered throughout; a
// label that differs only in a later block is understood.
func TestScanTable(t *testing.T) {
	path := t.TempDir() + "/t.parquet"
	table := readyTable()
	if err := data.Write(data.Disk{}, path, table); err != nil {
		t.Fatal(err)
	}
	for _, o := range []TableOptions{{Label: "left", Positive: "No"}, {Label: "trial", ID: "id", Time: "since"}} {
		spec, err := TableSpec(table, o)
		if err != nil {
			t.Fatal(err)
		}
		want, err := TableFrame(table, spec, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{1, 3, 100} {
			at := 0
			err = ScanTable(data.Disk{}, path, spec, o, rows, 2, func(part *data.Table, f *Frame) error {
				for i := range f.Rows {
					r, w := f.Rows[i], want.Rows[at]
					if r.Account != w.Account || r.Group != w.Group || r.Y != w.Y || r.Snapshot != w.Snapshot {
						t.Errorf("%d rows at a time, row %d: %+v, want %+v", rows, at, r, w)
					}
					at++
				}
				return nil
			})
			if err != nil || at != 4 {
				t.Errorf("%d rows, %v", at, err)
			}
		}
	}
	spec, err := TableSpec(table, TableOptions{Label: "junk"})
	if err != nil {
		t.Fatal(err)
	}
	none := func(*data.Table, *Frame) error { return nil }
	var bad *data.RowError
	if err := ScanTable(data.Disk{}, path, spec, TableOptions{Label: "junk"}, 2, 1, none); !errors.As(err, &bad) {
		t.Errorf("a label of three values: %v", err)
	}
	table.Columns[6].Floats[3] = math.Inf(1)
	if err := data.Write(data.Disk{}, path, table); err != nil {
		t.Fatal(err)
	}
	o := TableOptions{Label: "trial"}
	if spec, err = TableSpec(table, o); err != nil {
		t.Fatal(err)
	}
	if err := ScanTable(data.Disk{}, path, spec, o, 2, 1, none); !errors.As(err, &bad) || bad.Row != 4 {
		t.Errorf("an infinite number in row 4: %v", err)
	}
}

// A scratch file that cannot be made, written or read ends the laying aside, or
// the reading back, with an error that says which.
func TestShardsOnAFailingDisk(t *testing.T) {
	f := shardRows(200, 3)
	names := make([]Feature, len(f.Columns))
	for k := range names {
		names[k] = f.Columns[k].Feature
	}
	for name, c := range map[string]struct {
		disk *brokenScratch
		want string
	}{
		"none can be made":  {&brokenScratch{none: true}, "making room on disk for rows that do not fit in memory: input/output error"},
		"the first write":   {&brokenScratch{}, "bytes of rows that do not fit in memory to disk: input/output error"},
		"the last write":    {&brokenScratch{writes: 30}, "bytes of rows that do not fit in memory to disk: input/output error"},
		"reading back":      {&brokenScratch{writes: 1 << 30}, "reading back rows that did not fit in memory: input/output error"},
		"after some blocks": {&brokenScratch{writes: 1 << 30, reads: 3}, "reading back rows that did not fit in memory: input/output error"},
	} {
		s := NewSharder(c.disk, names, len(f.Rows))
		s.cut.Block, s.most = 4, 2
		err := s.Add(f)
		var shards *Shards
		if err == nil {
			shards, err = s.Shards(f.Select(nil))
		}
		for k := 0; err == nil && k < shards.Shards(); k++ {
			err = shards.Shard(k, func(*Frame) error { return nil })
		}
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A brokenScratch is a disk whose scratch file takes so many writes and reads.
type brokenScratch struct {
	data.Disk
	none          bool
	writes, reads int
}

func (b *brokenScratch) Scratch() (data.ScratchFile, error) {
	if b.none {
		return nil, errDisk
	}
	f, err := b.Disk.Scratch()
	return brokenFile{f, b}, err
}

type brokenFile struct {
	data.ScratchFile
	b *brokenScratch
}

func (f brokenFile) WriteAt(b []byte, at int64) (int, error) {
	if f.b.writes--; f.b.writes < 0 {
		return 0, errDisk
	}
	return f.ScratchFile.WriteAt(b, at)
}

func (f brokenFile) ReadAt(b []byte, at int64) (int, error) {
	if f.b.reads--; f.b.reads < 0 {
		return 0, errDisk
	}
	return f.ScratchFile.ReadAt(b, at)
}
