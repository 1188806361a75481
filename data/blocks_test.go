// SPDX-License-Identifier: Apache-2.0

package data

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Blocks of any size make up what Read returns, whether they are whole row groups
// or cut from larger ones, and fingerprint alike.
func TestScanBlocks(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		table := anyTable(r)
		m := newMemFS()
		if err := Write(m, "t.parquet", table); err != nil {
			r.Fatal(err)
		}
		want, err := Read(m, "t.parquet", nil)
		if err != nil {
			r.Fatal(err)
		}
		size := rapid.SampledFrom([]int{1, 3, 100, 1000}).Draw(r, "size")
		got := &Table{}
		var digest BlockDigest
		err = ScanBlocks(m, "t.parquet", nil, size, func(part *Table) error {
			if part.Rows > size {
				r.Fatalf("a block of %d rows, want at most %d", part.Rows, size)
			}
			digest.Add(part)
			appendRows(got, part)
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
		equal(r, got, want)
		if sum := blockFingerprint(want); sum != digest.Sum() {
			r.Fatalf("fingerprint %s in blocks of %d, %s of the whole", digest.Sum(), size, sum)
		}
	})
}

func blockFingerprint(t *Table) string {
	var d BlockDigest
	d.Add(t)
	return d.Sum()
}

// appendRows appends the rows of a block.
func appendRows(to, part *Table) {
	if to.Columns == nil {
		to.Columns = make([]Column, len(part.Columns))
		for i, c := range part.Columns {
			to.Columns[i] = Column{Name: c.Name, Kind: c.Kind}
		}
	}
	to.Rows += part.Rows
	for i := range part.Columns {
		c, p := &to.Columns[i], part.Columns[i]
		if c.Kind == Text {
			codes := make([]int32, part.Rows)
			for r := range codes {
				codes[r] = p.Codes[r]
				if p.Codes[r] >= 0 {
					codes[r] += int32(len(c.Dict))
				}
			}
			p.Codes, c.Dict = codes, append(c.Dict, p.Dict...)
		}
		c.Append(&p)
	}
}

// A disk that fails is named, and the scratch file closed whatever happens.
func TestScanBlocksOnAFailingDisk(t *testing.T) {
	path := t.TempDir() + "/t.parquet"
	if err := Write(Disk{}, path, everyKind()); err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stop")
	for _, c := range []struct {
		name          string
		writes, reads int64
		none          bool
		each          error
		want          error
		text          string
	}{
		{"no file", 99, 99, true, nil, errDisk, "making room on disk"},
		{"writes", 3, 99, false, nil, errDisk, "writing"},
		{"reads", 99, 3, false, nil, errDisk, "reading back"},
		{"callback", 99, 99, false, stop, stop, "stop"},
	} {
		scratch := &failingScratch{}
		scratch.writes.Store(c.writes)
		scratch.reads.Store(c.reads)
		err := ScanBlocks(&failingFS{scratch: scratch, none: c.none}, path, nil, 2, func(*Table) error { return c.each })
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := scratch.closed.Load(); !c.none && n != 1 {
			t.Errorf("%s: closed %d times", c.name, n)
		}
	}
}
