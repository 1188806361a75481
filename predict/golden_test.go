// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// Model files of format 1 score the same for ever: a linear one and one with
// every kind of column, side and rule. The scores were made by
// testdata/reader.py (numpy 2), which FORMAT.md shows:
//
//	python reader.py model-1.json rows.csv > model-1.csv
//	python reader.py model-2.json rows-2.csv > model-2.csv
func TestGoldenModels(t *testing.T) {
	for _, name := range [][3]string{{"model-1.json", "rows.csv", "model-1.csv"}, {"model-2.json", "rows-2.csv", "model-2.csv"}} {
		m, _, err := Load(data.Disk{}, "testdata/"+name[0])
		if err != nil {
			t.Fatal(err)
		}
		rows, want := records(t, "testdata/"+name[1]), records(t, "testdata/"+name[2])
		p, err := m.Prob(nil, frameOf(t, m, rows[1:]))
		if err != nil {
			t.Fatal(err)
		}
		if len(want) != len(p) || len(p) < 8 {
			t.Fatalf("%s: %d golden rows for %d", name[0], len(want), len(p))
		}
		for i := range p {
			for k, got := range []float64{p[i], m.Score.Health(p[i])} {
				w, err := strconv.ParseFloat(want[i][k], 64)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(got-w) > 1e-12*math.Max(1, w) { // some roundings of exp and log
					t.Errorf("%s, row %d, %v: %v, want %v", name[0], i+1, rows[i+1], got, w)
				}
			}
		}
	}
}

// frameOf returns a frame of rows of texts, one column a feature of the spec.
func frameOf(t *testing.T, m *Model, rows [][]string) *features.Frame {
	t.Helper()
	f := &features.Frame{SpecDigest: m.Spec.Digest(), Rows: make([]features.Row, len(rows))}
	for k, feature := range m.Spec.Features {
		c := features.Column{Feature: feature}
		for _, row := range rows {
			switch x, err := strconv.ParseFloat(row[k], 64); {
			case feature.Kind == features.LevelKind && row[k] == "":
				c.Codes = append(c.Codes, -1)
			case feature.Kind == features.LevelKind:
				c.Codes, c.Levels = append(c.Codes, int32(len(c.Levels))), append(c.Levels, row[k])
			case row[k] == "":
				c.Num = append(c.Num, math.NaN())
			case err != nil:
				t.Fatal(err)
			default:
				c.Num = append(c.Num, x)
			}
		}
		f.Columns = append(f.Columns, c)
	}
	return f
}

// The reader that FORMAT.md shows is the one that made the golden scores.
func TestFormatShowsTheReader(t *testing.T) {
	page, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := os.ReadFile("testdata/reader.py")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```python\n"+string(reader)+"```") {
		t.Error("FORMAT.md does not show testdata/reader.py as it is")
	}
}

func records(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
