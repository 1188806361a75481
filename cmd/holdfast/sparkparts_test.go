// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict"
)

// partRows is what a part holds: ids of accounts, a number for each, and the
// trailer.
type partRows struct {
	accounts []string
	trailer  string
}

// partShape is the table that the parts are of.
var partShape = &data.Table{Columns: []data.Column{{Name: "account_id", Kind: data.Text}, {Name: "length", Kind: data.Float}}}

func writeParts(t *testing.T, parts []partRows) string {
	t.Helper()
	dir := t.TempDir()
	for i, p := range parts {
		n := len(p.accounts) + 1
		id := append(slices.Clone(p.accounts), "")
		write(t, dir, fmt.Sprintf("part-%05d-x.parquet", i), &data.Table{Rows: n, Columns: []data.Column{data.TextColumn("c0", id),
			data.FloatOf("c1", n, func(i int) float64 { return float64(len(id[i])) }),
			data.TextOf(trailerColumn, n, func(i int) string { return []string{"", p.trailer}[i/(n-1)] })}})
	}
	if err := os.WriteFile(filepath.Join(dir, "_SUCCESS"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

var wholeParts = []partRows{
	{[]string{"a", "a", "dd", "ff"}, `{"records": 7, "snapshots": 5, "rows": 4, "left": [{"table": "snapshots", "reason": "due", "rows": 1}], "profile": [4]}`},
	{[]string{"b", "eee"}, `{"records": 3, "snapshots": 4, "rows": 2, "left": [{"table": "snapshots", "reason": "due", "rows": 2}], "unseen": 1, "profile": [2]}`},
}

// Parts come back as one table in the order of accounts, however many rows at a
// time, and their trailers as one.
func TestMergeParts(t *testing.T) {
	dir := writeParts(t, wholeParts)
	for _, atATime := range []int{1, 2, allRows} {
		var got []string
		sum, err := mergeParts(data.Disk{}, dir, partShape, 10, atATime, func(piece *data.Table) error {
			for i := range piece.Rows {
				got = append(got, fmt.Sprint(piece.Column("account_id").Text(i), piece.Column("length").Floats[i]))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"a1", "a1", "b1", "dd2", "eee3", "ff2"}; !slices.Equal(got, want) {
			t.Errorf("%d at a time: rows %q, want %q", atATime, got, want)
		}
		if sum.Records != 10 || sum.Snapshots != 9 || sum.Rows != 6 || sum.Unseen != 1 || len(sum.Left) != 1 || sum.Left[0].Rows != 3 || !slices.Equal(sum.Of, []int{6}) {
			t.Errorf("the sum of trailers is %+v", sum)
		}
	}
}

// A folder that is not whole, or not what was asked for, is not taken.
func TestMergeRefuses(t *testing.T) {
	split := []partRows{{[]string{"a", "b"}, `{"records": 5, "rows": 2}`}, {[]string{"b", "c"}, `{"records": 5, "rows": 2}`}}
	unsorted := []partRows{{[]string{"b", "a"}, `{"records": 10, "rows": 2}`}}
	for _, c := range []struct {
		name  string
		parts []partRows
		harm  func(dir string) error
		want  string
	}{
		{"not committed", wholeParts, func(dir string) error { return os.Remove(filepath.Join(dir, "_SUCCESS")) }, "no _SUCCESS"},
		{"a part is gone", wholeParts, func(dir string) error { return os.Remove(filepath.Join(dir, "part-00001-x.parquet")) }, "7 records and 4 rows"},
		{"a part is there twice", append(slices.Clone(wholeParts), wholeParts[1]), nil, "must lie together"},
		{"an account in two parts", split, nil, "must lie together"},
		{"out of order", unsorted, nil, "in order"},
		{"a trailer counts a row more", []partRows{{[]string{"a"}, `{"records": 10, "rows": 2}`}}, nil, "1 rows are there"},
		{"a trailer is damaged", []partRows{{[]string{"a"}, `{"records": `}}, nil, "its trailer"},
	} {
		dir := writeParts(t, c.parts)
		if c.harm != nil {
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
		}
		_, err := mergeParts(data.Disk{}, dir, partShape, 10, pieceRows, func(*data.Table) error { return nil })
		if !errors.Is(err, predict.ErrIntegrity) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	other := &data.Table{Columns: []data.Column{partShape.Columns[0], {Name: "length", Kind: data.Int}}}
	if _, err := mergeParts(data.Disk{}, writeParts(t, wholeParts), other, 10, pieceRows, func(*data.Table) error { return nil }); !errors.Is(err, predict.ErrIntegrity) {
		t.Errorf("columns of other kinds: error %v", err)
	}
}

// The shim can be read in one sitting.
func TestShimIsShort(t *testing.T) {
	if n := bytes.Count(shim, []byte("\n")); n >= 150 {
		t.Errorf("the shim has %d lines; fewer than 150 are wanted", n)
	}
}
