// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// goldens are model files of format 1, which score the same for ever, with their
// rows: a linear one; one with every kind of column, side and rule; one with
// slopes of segments, a scorecard by points, an isotonic map and shifts; one with
// a scorecard by pillars. The scores were made by testdata/reader.py (numpy 2),
// which FORMAT.md shows:
//
//	python reader.py model-1.json rows.csv > model-1.csv
var goldens = [][3]string{{"model-1.json", "rows.csv", "model-1.csv"}, {"model-2.json", "rows-2.csv", "model-2.csv"},
	{"model-3.json", "rows-2.csv", "model-3.csv"}, {"model-4.json", "rows-2.csv", "model-4.csv"}}

func TestGoldenModels(t *testing.T) {
	for _, name := range goldens {
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

// The reader still gives the golden scores, where Python and numpy are at hand.
func TestReaderGivesTheGoldenScores(t *testing.T) {
	if err := exec.Command("python3", "-c", "import numpy").Run(); err != nil {
		t.Skipf("the reader was not run: python3 with numpy is needed (%v)", err)
	}
	for _, name := range goldens {
		var problems bytes.Buffer
		c := exec.Command("python3", "reader.py", name[0], name[1])
		c.Dir, c.Stderr = "testdata", &problems
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name[0], err, &problems)
		}
		got, want := strings.Split(strings.TrimSpace(string(out)), "\n"), records(t, "testdata/"+name[2])
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, want %d", name[0], len(got), len(want))
		}
		for i := range got {
			for k, text := range strings.Split(got[i], ",") {
				a, errA := strconv.ParseFloat(text, 64)
				b, errB := strconv.ParseFloat(want[i][k], 64)
				if errA != nil || errB != nil || math.Abs(a-b) > 1e-12*math.Max(1, b) {
					t.Errorf("%s, row %d: %s, want %s", name[0], i+1, text, want[i][k])
				}
			}
		}
	}
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
