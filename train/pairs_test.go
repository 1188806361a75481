// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// crossed returns n rows of four numbers, one of few values and one partly
// missing among them, and two levels; outcomes are drawn at random.
func crossed(n int, r *rand.Rand) *features.Frame {
	x := make([][]float64, 4)
	plan, region := make([]string, n), make([]string, n)
	f := &features.Frame{}
	for i := range n {
		for k := range x {
			x[k] = append(x[k], r.NormFloat64())
		}
		x[2][i] = float64(r.IntN(3))
		if r.IntN(5) == 0 {
			x[3][i] = nan
		}
		plan[i] = []string{"basic", "pro", "plus", ""}[r.IntN(4)]
		region[i] = []string{"north", "south"}[r.IntN(2)]
		f.Rows = append(f.Rows, features.Row{Y: int8(r.IntN(2)), Weight: 1, Snapshot: int64(i), Group: string(rune(i))})
	}
	for k, name := range []string{"logins", "seats", "steps", "survey"} {
		f.Columns = append(f.Columns, numberColumn(name, x[k]...))
	}
	f.Columns = append(f.Columns, levelColumn("plan", plan...), levelColumn("region", region...))
	return f
}

func pairingOf(s *sample) *pairing {
	terms, _ := newTerms(s, 1)
	return newPairing(s, withCurves(s, terms, nil, 1))
}

// The pair whose product decides outcomes ranks first: two numbers, one and a
// level, one that is missing at times, few values and a level.
func TestRankFindsAnInteraction(t *testing.T) {
	for _, test := range []struct {
		name string
		pair [2]int // as crossed orders its columns
		high func(f *features.Frame, i int) bool
	}{
		{"two numbers", [2]int{0, 1}, func(f *features.Frame, i int) bool {
			return f.Columns[0].Num[i]*f.Columns[1].Num[i] > 0
		}},
		{"a number and a level", [2]int{1, 5}, func(f *features.Frame, i int) bool {
			return (f.Columns[1].Num[i] > 0) == (f.Columns[5].Codes[i] == 0)
		}},
		{"missing or not, and a level", [2]int{3, 4}, func(f *features.Frame, i int) bool {
			return (f.Columns[3].Num[i] != f.Columns[3].Num[i]) == (f.Columns[4].Codes[i] == 0)
		}},
		{"few values and a level", [2]int{2, 5}, func(f *features.Frame, i int) bool {
			return (f.Columns[2].Num[i] == 1) == (f.Columns[5].Codes[i] == 0)
		}},
	} {
		r := rand.New(rand.NewPCG(11, 11))
		f := crossed(1500, r)
		for i := range f.Rows {
			f.Rows[i].Y = 0
			if test.high(f, i) != (r.IntN(4) == 0) {
				f.Rows[i].Y = 1
			}
		}
		s := mustSample(t, f)
		p := pairingOf(s)
		g, h, _ := residuals(s)
		ranked := p.rank(g, h, nil, 2)
		if len(ranked) == 0 || ranked[0] != test.pair {
			t.Errorf("%s: ranked %v, want %v first", test.name, ranked, test.pair)
		}
		if again := p.rank(g, h, [][2]int{test.pair}, 2); slices.Contains(again, test.pair) {
			t.Errorf("%s: a pair that is there already is ranked", test.name)
		}
	}
}

// On noise the score is negative on average, by what chance takes from it: fewer
// than half of the pairs are listed.
func TestRankOfNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	listed, pairs := 0, 0
	for range 30 {
		s := mustSample(t, crossed(600, r))
		p := pairingOf(s)
		g, h, _ := residuals(s)
		listed += len(p.rank(g, h, nil, 1))
		pairs += 15
	}
	if share := float64(listed) / float64(pairs); share > .5 || share < .1 {
		t.Errorf("of pairs of noise a share of %.2f is listed; chance alone lists .1 to .5", share)
	}
}

// For the ranking numbers are cut at quintiles, and missing values stand apart.
func TestCellsOfTheRanking(t *testing.T) {
	s := mustSample(t, crossed(1000, rand.New(rand.NewPCG(14, 14))))
	p := pairingOf(s)
	if want := []int{5, 5, 3, 6}; !slices.Equal(p.cells[:4], want) {
		t.Errorf("cells %v, want %v", p.cells, want)
	}
	var rows [6]int
	for i, code := range p.codes[3] {
		rows[code]++
		if x := s.frame.Columns[3].Num[i]; (x != x) != (code == 5) {
			t.Fatalf("the value %v is in cell %d", x, code)
		}
	}
	for code, n := range rows[:5] {
		if fifth := (1000 - rows[5]) / 5; n < fifth-1 || n > fifth+1 {
			t.Errorf("%d rows in cell %d, want a fifth of those known, %d", n, code, fifth)
		}
	}
}

// The columns of a pair are the products of its sides' columns that are not 0
// in .4 % of the rows and hold a renewal's worth, and the cells say which and with
// what moments.
func TestPartOfAPair(t *testing.T) {
	f := crossed(500, rand.New(rand.NewPCG(13, 13)))
	for i := range f.Rows { // value 2 in six rows, three of each region, and value 0 in two
		switch {
		case i < 6:
			f.Columns[2].Num[i], f.Columns[5].Codes[i] = 2, int32(i%2)
		case i < 8:
			f.Columns[2].Num[i] = 0
		default:
			f.Columns[2].Num[i] = 1
		}
	}
	s := mustSample(t, f)
	p := pairingOf(s)
	for _, pair := range [][2]int{{0, 1}, {0, 5}, {2, 3}, {2, 5}, {4, 5}} {
		part, stated := p.part(pair)
		var sides [2][]float64 // dense
		var width [2]int
		for k := range sides {
			width[k] = stated.Sides[k].Columns()
			in := predict.NewSideInput(&stated.Sides[k], s.frame.Column(stated.Sides[k].Feature))
			for i := range s.frame.Rows {
				row := make([]float64, width[k])
				for _, e := range in.Entries(nil, i) {
					row[e.Column] = e.Value
				}
				sides[k] = append(sides[k], row...)
			}
		}
		got, at := part.dense(), 0
		for a := range width[0] {
			for b := range width[1] {
				var column []float64
				mean, squares, often := 0.0, 0.0, 0
				for i := range s.frame.Rows {
					v := sides[0][i*width[0]+a] * sides[1][i*width[1]+b]
					column = append(column, v)
					mean += v / 500
					squares += v * v
					if v > 1e-6 {
						often++
					}
				}
				if often <= 2 || squares < leastProduct { // .4 % of 500
					continue
				}
				if at >= part.cols || stated.Cells[at].I != a || stated.Cells[at].J != b {
					t.Fatalf("%v: column %d is not that of (%d, %d); cells %+v", pair, at, a, b, stated.Cells)
				}
				for i, v := range column {
					if got[i*part.cols+at] != v {
						t.Fatalf("%v: column %d, row %d: %v, want %v", pair, at, i, got[i*part.cols+at], v)
					}
				}
				if c := stated.Cells[at]; !near(c.Mean, mean, 1e-12) || c.SD != part.sd[at] {
					t.Errorf("%v: column %d: cell %+v, want mean %v", pair, at, c, mean)
				}
				at++
			}
		}
		if at != part.cols || at != len(stated.Cells) || at != len(part.kind) {
			t.Errorf("%v: %d columns and %d cells, want %d", pair, part.cols, len(stated.Cells), at)
		}
		if again, _ := p.part(pair); again != part {
			t.Errorf("%v is made twice", pair)
		}
	}
}
