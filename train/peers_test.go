// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// What testdata/peers.py computed with scikit-learn, scipy and numpy.
type peers struct {
	Plain, Hard, Telco peerFit
	Calibration        struct {
		Z, Y, W, Platt []float64
		Shift          float64
	}
}

type peerFit struct {
	Lambda, Intercept float64
	Columns           []struct {
		Name                 string
		Mean, SD, Weight, SE float64
	}
}

func readPeers(t *testing.T) peers {
	t.Helper()
	b, err := os.ReadFile("testdata/peers.json")
	if err != nil {
		t.Fatal(err)
	}
	var p peers
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	// peerTolerance is what issue 3 asks of every weight; scikit-learn stops
	// at a gradient of 1e-10, which leaves less.
	peerTolerance = 1e-6
	// columnTolerance is for means and standard deviations: rounding only.
	columnTolerance = 1e-12
)

// Columns, weights and clustered standard errors agree with an independent
// implementation, scikit-learn's solver and plain numpy.
func TestFitAgreesWithScikitLearn(t *testing.T) {
	p := readPeers(t)
	for _, test := range []struct {
		name  string
		frame *features.Frame
		want  peerFit
	}{
		{"plain", readTable(t, "testdata/plain.csv"), p.Plain},
		{"hard", readTable(t, "testdata/hard.csv"), p.Hard},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := Fit(context.Background(), test.frame, specOf(test.frame), Options{Lambda: test.want.Lambda})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, m, test.want)
			i := 0
			for _, term := range m.Terms {
				for _, b := range term.Columns {
					want := test.want.Columns[i]
					if !near(b.Mean/want.Mean, 1, columnTolerance) || !near(b.SD/want.SD, 1, columnTolerance) {
						t.Errorf("%s: mean %v and SD %v, want %v and %v", want.Name, b.Mean, b.SD, want.Mean, want.SD)
					}
					i++
				}
			}
		})
	}
}

func TestFitAgreesWithScikitLearnOnTelco(t *testing.T) {
	const name = "../../shared/data/tabular/telco/telco.parquet"
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared data folder is not there: %v", err)
	}
	table, err := data.Read(data.Disk{}, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := tableFrame(t, table, "target", "customerID")
	want := readPeers(t).Telco
	m, err := Fit(context.Background(), f, specOf(f), Options{Lambda: want.Lambda})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, m, want)
}

// compare checks the names and weights of all columns, and their errors.
func compare(t *testing.T, m *predict.Model, want peerFit) {
	t.Helper()
	if !near(m.Intercept, want.Intercept, peerTolerance) {
		t.Errorf("intercept %v, want %v", m.Intercept, want.Intercept)
	}
	i := 0
	for _, term := range m.Terms {
		for _, b := range term.Columns {
			name := fmt.Sprintf("%s|%s|%s%s", term.Feature, b.Kind, b.Transform, b.Level)
			if i >= len(want.Columns) || want.Columns[i].Name != name {
				t.Fatalf("column %d is %s; peers.json has another order or number", i, name)
			}
			if math.Abs(b.Weight-want.Columns[i].Weight) > peerTolerance {
				t.Errorf("%s: weight %v, want %v", name, b.Weight, want.Columns[i].Weight)
			}
			if math.Abs(b.SE-want.Columns[i].SE) > peerTolerance {
				t.Errorf("%s: standard error %v, want %v", name, b.SE, want.Columns[i].SE)
			}
			i++
		}
	}
	if i != len(want.Columns) {
		t.Errorf("%d columns, want %d", i, len(want.Columns))
	}
}

// tableFrame makes a frame of a ready table: numbers as they are, text as
// levels, the id as group.
func tableFrame(t *testing.T, table *data.Table, label, id string) *features.Frame {
	t.Helper()
	f := &features.Frame{Rows: make([]features.Row, table.Rows)}
	for k := range table.Columns {
		c := &table.Columns[k]
		x, texts := make([]float64, table.Rows), make([]string, table.Rows)
		for i := range table.Rows {
			switch {
			case c.Kind == data.Text:
				texts[i] = c.Text(i)
			case c.Missing(i):
				x[i] = math.NaN()
			case c.Kind == data.Float:
				x[i] = c.Floats[i]
			default:
				x[i] = float64(c.Ints[i])
			}
			if c.Name == label {
				f.Rows[i].Y, f.Rows[i].Weight = int8(x[i]), 1
			}
			if c.Name == id {
				f.Rows[i].Group = texts[i]
			}
		}
		switch {
		case c.Name == label || c.Name == id:
		case c.Kind == data.Text:
			f.Columns = append(f.Columns, levelColumn(c.Name, texts...))
		default:
			f.Columns = append(f.Columns, numberColumn(c.Name, x...))
		}
	}
	return f
}

// Without a penalty, weights and standard errors are those of R's glm.
func TestModelVarianceAgreesWithGLM(t *testing.T) {
	const glmTolerance = 1e-6 // relative, as issue 5 asks; observed 1e-10
	d, want := glmDesign(t), readLines(t, "testdata/glm_fit.csv")[1:]
	s, err := newton(context.Background(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	v := s.factor.inverse() // what glm states: right if rows are independent and the model is true
	for j, l := range want {
		estimate, se := number(t, l[1]), number(t, l[2])
		if got := s.theta[j]; math.Abs(got/estimate-1) > glmTolerance {
			t.Errorf("%s: weight %v, want %v", l[0], got, estimate)
		}
		if got := math.Sqrt(v[j*d.cols+j]); math.Abs(got/se-1) > glmTolerance {
			t.Errorf("%s: standard error %v, want %v", l[0], got, se)
		}
	}
}

// Under a penalty, weights are those of R's glmnet at the same one, with rows that
// weigh the same and with rows that do not; by the dense solver and by the sparse.
func TestRidgeAgreesWithGlmnet(t *testing.T) {
	lines := readLines(t, "testdata/glmnet_fit.csv")[1:]
	for len(lines) > 0 {
		d := glmDesign(t)
		lambda := number(t, lines[0][1])
		if lines[0][0] == "uneven" {
			d.total = 0
			for i := range d.w {
				d.w[i] = 1 / float64(1+i%3)
				d.total += d.w[i]
			}
		}
		s, err := newton(context.Background(), d, lambda)
		if err != nil {
			t.Fatal(err)
		}
		sparse := newRidge(sparseOf(d), noFold)
		mustSolve(t, sparse, slices.Concat([]float64{0}, slices.Repeat([]float64{lambda}, d.cols-1)), newtonTolerance, true)
		for j := range d.cols {
			l := lines[j]
			want := number(t, l[3])
			if !near(s.theta[j], want, peerTolerance) || !near(sparse.theta[j], want, peerTolerance) {
				t.Errorf("%s weights, λ=%v: %s: %v and %v, want %v", l[0], lambda, l[2], s.theta[j], sparse.theta[j], want)
			}
		}
		lines = lines[d.cols:]
	}
}

// sparseOf returns a dense design by rows.
func sparseOf(d *design) *matrix {
	m := &matrix{rows: d.rows, cols: d.cols, start: []int{0}, y: d.y, w: d.w, total: d.total, chunks: d.chunks, workers: 1}
	for i := range d.rows {
		for j := range d.cols {
			m.col, m.val = append(m.col, int32(j)), append(m.val, d.x[i*d.stride+j])
		}
		m.start = append(m.start, len(m.col))
	}
	return m
}

// readLines returns the lines of a table, its header first.
func readLines(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// glmDesign is the standardised table that R's fits read.
func glmDesign(t *testing.T) *design {
	t.Helper()
	lines := readLines(t, "testdata/glm.csv")[1:]
	d := &design{rows: len(lines), cols: len(lines[0]), stride: 2 * strideUnit, workers: 1}
	d.x = make([]float64, d.rows*d.stride)
	for i, l := range lines {
		d.x[i*d.stride] = 1
		for j := range d.cols - 1 {
			d.x[i*d.stride+1+j] = number(t, l[j])
		}
		d.y, d.w = append(d.y, number(t, l[d.cols-1])), append(d.w, 1)
	}
	d.total, d.chunks = float64(d.rows), chunksOf([]int{0, d.rows})
	return d
}

// The calibration maps are those that scipy's simplex search finds.
func TestFitMapAgreesWithScipy(t *testing.T) {
	const tolerance = 1e-6 // the simplex stops at steps of 1e-11, but its loss is flat to 1e-8
	c := readPeers(t).Calibration
	a, s, err := fitMap(c.Z, c.Y, c.W, mapPrior{slope: 1 / 0.09})
	if err != nil || math.Abs(a-c.Platt[0]) > tolerance || math.Abs(s-c.Platt[1]) > tolerance {
		t.Errorf("Platt map %v, %v, error %v; want %v", a, s, err, c.Platt)
	}
	a, s, err = fitMap(c.Z, c.Y, c.W, mapPrior{intercept: 1 / 0.09, slope: math.Inf(1)})
	if err != nil || math.Abs(a-c.Shift) > tolerance || s != 1 {
		t.Errorf("shift %v, slope %v, error %v; want %v and 1", a, s, err, c.Shift)
	}
}
