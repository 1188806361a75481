// SPDX-License-Identifier: Apache-2.0

package features

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

func readyTable() *data.Table {
	return &data.Table{Name: "t.parquet", Rows: 4, Columns: []data.Column{
		data.TextColumn("id", []string{"a", "b", "c", "a"}),
		{Name: "age", Kind: data.Int, Ints: []int64{1, 2, 0, 1}, Null: []bool{false, false, true, false}},
		{Name: "trial", Kind: data.Bool, Ints: []int64{0, 1, 1, 0}},
		{Name: "since", Kind: data.Date, Ints: []int64{10, 20, 30, 10}},
		data.TextColumn("plan", []string{"pro", "", "basic", "pro"}),
		data.TextColumn("left", []string{"Yes", "No", "No", ""}),
		{Name: "junk", Kind: data.Float, Floats: []float64{1, 2, 3, 1}}}}
}

func TestTableFrame(t *testing.T) {
	o := TableOptions{Label: "left", Positive: "Yes", Drop: []string{"junk", "id"}}
	spec, err := TableSpec(readyTable(), o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := TableFrame(readyTable(), spec, o)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range f.Columns {
		names = append(names, c.Feature.Name)
	}
	if diff := cmp.Diff([]string{"age", "trial", "since", "plan"}, names); diff != "" {
		t.Error(diff)
	}
	if age := f.Columns[0].Num; age[0] != 1 || !math.IsNaN(age[2]) {
		t.Errorf("age %v", age)
	}
	if diff := cmp.Diff(Column{Feature: f.Columns[3].Feature, Codes: []int32{1, -1, 0, 1}, Levels: []string{"basic", "pro"}}, f.Columns[3]); diff != "" {
		t.Error(diff)
	}
	var y []int8
	for _, r := range f.Rows {
		y = append(y, r.Y)
	}
	if diff := cmp.Diff([]int8{1, 0, 0, Unknown}, y); diff != "" {
		t.Error(diff)
	}
	// Rows 1 and 4 have the same content, so they share a fold; the others do not.
	if g := f.Rows; g[0].Group != g[3].Group || g[0].Group == g[1].Group || g[0].Account != "1" {
		t.Errorf("groups %q %q %q %q", g[0].Group, g[1].Group, g[2].Group, g[3].Group)
	}
	withID, err := TableFrame(readyTable(), spec, TableOptions{ID: "id"})
	if err != nil || withID.Rows[1].Group != "b" || withID.Rows[1].Y != Unknown {
		t.Errorf("with an id: %+v, %v", withID.Rows, err)
	}
}

// A table to score may have more columns and another order, not fewer and not
// other types.
func TestTableSignature(t *testing.T) {
	o := TableOptions{Label: "left", Positive: "Yes", ID: "id"}
	spec, err := TableSpec(readyTable(), o)
	if err != nil {
		t.Fatal(err)
	}
	fewer := readyTable()
	fewer.Columns = append(fewer.Columns[:1:1], fewer.Columns[2:]...)
	if _, err := TableFrame(fewer, spec, TableOptions{}); !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), `"age"`) ||
		!strings.Contains(err.Error(), "the model expects age (integer)") {
		t.Errorf("a missing column: %v", err)
	}
	other := readyTable()
	other.Columns[1] = data.TextColumn("age", []string{"1", "2", "", "1"})
	if _, err := TableFrame(other, spec, TableOptions{}); !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), "of type text; the model was trained on type integer") {
		t.Errorf("another type: %v", err)
	}
	dated := readyTable()
	dated.Columns[1] = data.Column{Name: "age", Kind: data.Date, Ints: []int64{1, 2, 3, 4}}
	if _, err := TableFrame(dated, spec, TableOptions{}); !errors.Is(err, data.ErrBadData) {
		t.Errorf("a date for an integer: %v", err)
	}
	empty := readyTable()
	empty.Columns[1], empty.Columns[4] = data.TextColumn("age", make([]string, 4)), data.Column{Name: "plan", Kind: data.Float, Floats: []float64{nan, nan, nan, nan}}
	if f, err := TableFrame(empty, spec, TableOptions{}); err != nil || f.Columns[0].Num[0] == f.Columns[0].Num[0] || f.Columns[3].Codes[0] != -1 {
		t.Errorf("columns without any value, of whatever type, are missing: %v", err)
	}
	more := readyTable()
	more.Columns = append(more.Columns, data.TextColumn("extra", make([]string, 4)))
	more.Columns[0], more.Columns[1] = more.Columns[1], more.Columns[0]
	if _, err := TableFrame(more, spec, TableOptions{}); err != nil {
		t.Errorf("more columns in another order: %v", err)
	}
}

func TestTableLabels(t *testing.T) {
	for _, c := range []struct {
		label, positive string
		want            string // "" means fine
	}{
		{"left", "Yes", ""},
		{"trial", "", ""},
		{"left", "", `holds "No", "Yes"; give --positive VALUE`},
		{"left", "yes", `--positive "yes" is not among them`},
		{"junk", "1", `holds "1", "2", "3"; a label has two values`},
		{"lef", "", `no column "lef" (did you mean "left"?)`},
	} {
		o := TableOptions{Label: c.label, Positive: c.positive}
		spec, err := TableSpec(readyTable(), o)
		if err == nil {
			_, err = TableFrame(readyTable(), spec, o)
		}
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("label %s, positive %q: error %v, want %q", c.label, c.positive, err, c.want)
		}
	}
}

// What makes a ready table unfit to learn from is said with its column, row and
// what was found.
func TestTableRefuses(t *testing.T) {
	learn := TableOptions{Label: "left", Positive: "Yes", Time: "since", ID: "id"}
	spec, err := TableSpec(readyTable(), learn)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o      TableOptions
		change func(*data.Table)
		want   string
	}{
		"an infinite number":  {learn, func(t *data.Table) { t.Columns[6].Floats[2] = math.Inf(-1) }, `row 3: column "junk" is infinite`},
		"a time that is text": {TableOptions{Label: "left", Positive: "Yes", Time: "plan"}, func(*data.Table) {}, `column "plan": is of type text; --time needs a date`},
		"no time":             {learn, func(t *data.Table) { t.Columns[3].Null = []bool{false, true, false, false} }, `row 2: column "since" is empty`},
		"many outcomes": {TableOptions{Label: "plan"}, func(t *data.Table) {
			t.Columns[4] = data.TextColumn("plan", []string{"a", "b", "c", "d"})
		}, `holds "a", "b", "c", "d"; a label has two values`},
		"two that are true": {TableOptions{Label: "plan"}, func(t *data.Table) {
			t.Columns[4] = data.TextColumn("plan", []string{"1", "true", "1", "1"})
		}, "give --positive VALUE"},
		"no such outcome": {TableOptions{Label: "left", Positive: "Perhaps"}, func(*data.Table) {}, `--positive "Perhaps" is not among them`},
	} {
		table := readyTable()
		c.change(table)
		if _, err := TableFrame(table, spec, c.o); !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := TableSpec(readyTable(), TableOptions{Drop: []string{"id", "age", "trial", "since", "plan", "left", "junk"}}); !errors.Is(err, data.ErrBadData) {
		t.Errorf("no column left: %v", err)
	}
	f, err := TableFrame(readyTable(), spec, learn)
	if err != nil || f.Rows[1].Snapshot != data.DayStart(20, time.UTC) {
		t.Errorf("the time of a row: %+v, %v", f.Rows[1], err)
	}
}

// A stream of pieces names what it needs, and gives columns without any value,
// of whatever type, as missing.
func TestTableStreamOfNothing(t *testing.T) {
	spec, err := TableSpec(readyTable(), TableOptions{Label: "left", ID: "id", Drop: []string{"junk", "since"}})
	if err != nil {
		t.Fatal(err)
	}
	s := NewTableStream(spec)
	if diff := cmp.Diff([]string{"age", "trial", "plan"}, s.Columns()); diff != "" {
		t.Error(diff)
	}
	if got := s.Expects([]string{"plan", "age", "other"}); got != "age (integer), plan (text)" {
		t.Errorf("expects %q", got)
	}
	empty := readyTable()
	empty.Columns[1], empty.Columns[4] = data.TextColumn("age", make([]string, 4)), data.Column{Name: "plan", Kind: data.Float, Floats: []float64{nan, nan, nan, nan}}
	for _, table := range []*data.Table{readyTable(), empty} {
		f, err := s.Frame(table)
		if err != nil {
			t.Fatal(err)
		}
		want, err := TableFrame(table, spec, TableOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for k := range f.Columns {
			sameFrame(t, f.Columns[k].Feature.Name, &Frame{Columns: f.Columns[k : k+1]}, &Frame{Columns: want.Columns[k : k+1]})
		}
	}
	short := readyTable()
	short.Columns = short.Columns[:2]
	if _, err := s.Frame(short); !errors.Is(err, data.ErrBadData) {
		t.Errorf("a column is gone: %v", err)
	}
}
