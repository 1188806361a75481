// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// uncertainModel is wholeModel with a scorecard and three directions.
func uncertainModel(t *testing.T) *Model {
	t.Helper()
	m := wholeModel()
	m.Scorecard = &Scorecard{Method: CardPoints, Least: -10, Most: 20, Mean: 40, SD: 12, Weight: -.3, ItemMeans: []float64{8, -2},
		Criteria: []Criterion{{Feature: "logins", AtLeast: at(10), Points: 20}, {Feature: "plan", Levels: []string{"basic"}, Points: -10}}}
	m.Uncertainty = &Uncertainty{Rank: 3, Rest: .0625}
	for i := range 3 * m.Columns() {
		m.Uncertainty.Factor = append(m.Uncertainty.Factor, Pack(math.Sin(float64(7*i))/30))
	}
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	return m
}

// direction returns the model that has direction k in place of its weights, and
// 0 in place of what its parts contribute on average.
func direction(t *testing.T, m *Model, k int) *Model {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d := new(Model)
	if err := json.Unmarshal(b, d); err != nil {
		t.Fatal(err)
	}
	u, i := m.Uncertainty, 0
	next := func() float64 {
		i++
		return float64(u.Factor[(i-1)*u.Rank+k])
	}
	d.Calibration = Calibration{Method: "none", Slope: 1}
	d.Intercept = next()
	for j := range d.Terms {
		d.Terms[j].RefMean = 0
		for c := range d.Terms[j].Columns {
			d.Terms[j].Columns[c].Weight = next()
		}
	}
	d.Scorecard.Weight = next()
	for p := range d.Pairs {
		d.Pairs[p].RefMean = 0
		for c := range d.Pairs[p].Cells {
			d.Pairs[p].Cells[c].Weight = next()
		}
	}
	for n := range d.Tables {
		d.Tables[n].RefMean = 0
		for r := range d.Tables[n].Rules {
			d.Tables[n].Rules[r].Weight = next()
		}
	}
	return d
}

// A direction is a weight vector: x'Vx is Rest and the squares of the log-odds
// of the models with directions in place of weights, and what a pillar adds to
// them is what its contributions are; the interval of p is that of the formula.
func TestUncertaintyIsOfWeights(t *testing.T) {
	m := uncertainModel(t)
	rows := records(t, "testdata/rows-2.csv")
	f := frameOf(t, m, rows[1:])
	s, err := m.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	pillars := []string{"account", "product_utilization", "relationship"}
	of := newSpread(m, s, f, pillars)
	raw := s.LogOdds(nil)
	m.Calibration.Covariance = []float64{.01, -.002, .003}
	scores, err := m.Scores(f, ScoreOptions{Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var z, contributions [][]float64
	for k := range m.Uncertainty.Rank {
		d := direction(t, m, k)
		zk, err := d.LogOdds(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		c, err := d.Contributions(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		z, contributions = append(z, zk), append(contributions, c)
	}
	for i := range f.Rows {
		want, apart := m.Uncertainty.Rest, 0.0
		for k := range z {
			want += z[k][i] * z[k][i]
			gap := 0.0
			for j := range m.Terms {
				switch c := contributions[k][i*len(m.Terms)+j]; m.Terms[j].Pillar {
				case pillars[0]:
					gap += c
				case pillars[1]:
					gap -= c
				}
			}
			apart += gap * gap
		}
		of.row(i)
		if got := of.variance(); math.Abs(got-want) > 1e-12*want {
			t.Errorf("row %d: variance %v, want %v", i, got, want)
		}
		if got := of.ahead(0, 1); math.Abs(got-math.Sqrt(apart)) > 1e-12 {
			t.Errorf("row %d: pillars are apart by ± %v, want %v", i, got, math.Sqrt(apart))
		}
		a, slope := m.Calibration.Intercept, m.Calibration.Slope
		half := 1.6448536269514722 * math.Sqrt(slope*slope*want+.01-.004*raw[i]+.003*raw[i]*raw[i])
		for k, name := range []string{"p_low", "p_high"} {
			logit := a + slope*raw[i] + []float64{-half, half}[k]
			if got := scores.Column(name).Floats[i]; math.Abs(got-1/(1+math.Exp(-logit))) > 1e-12 {
				t.Errorf("row %d: %s %v, want %v", i, name, got, 1/(1+math.Exp(-logit)))
			}
		}
	}
	// Rows of a larger frame, which several goroutines share, have the same bits.
	var often []int
	for k := range 100 * len(f.Rows) {
		often = append(often, k%len(f.Rows))
	}
	many, err := m.Scores(f.Select(often), ScoreOptions{Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range often {
		for _, name := range []string{"p_low", "p_high", "stability"} {
			if a, b := many.Column(name).Floats[k], scores.Column(name).Floats[i]; a != b && (a == a || b == b) {
				t.Fatalf("row %d: %s is %v among many, %v among few", k, name, a, b)
			}
		}
	}
	b, err := Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(b); err != nil || !slices.Equal(again.Uncertainty.Factor, m.Uncertainty.Factor) {
		t.Errorf("read again: %v", err)
	}
}

// The interval of a stored model is what testdata/interval.py (numpy 2) makes of
// the file.
func TestGoldenIntervals(t *testing.T) {
	m := uncertainModel(t)
	m.Calibration.Covariance = []float64{.01, -.002, .003}
	const name = "testdata/model-5.json"
	if *update {
		if _, err := Save(data.Disk{}, name, m); err != nil {
			t.Fatal(err)
		}
	}
	m, _, err := Load(data.Disk{}, name)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := m.Scores(frameOf(t, m, records(t, "testdata/rows-2.csv")[1:]), ScoreOptions{Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	want := records(t, "testdata/model-5.csv")
	if len(want) != scores.Rows {
		t.Fatalf("%d golden rows for %d", len(want), scores.Rows)
	}
	for i := range want {
		for k, column := range []string{"p_low", "p_high"} {
			w, err := strconv.ParseFloat(want[i][k], 64)
			if got := scores.Column(column).Floats[i]; err != nil || math.Abs(got-w) > 1e-9*w {
				t.Errorf("row %d: %s %v, want %v, %v", i+1, column, got, w, err)
			}
		}
	}
}

// The ends of an isotonic map's interval go through the map.
func TestBoundsOfSteps(t *testing.T) {
	c := Calibration{Method: Isotonic, Slope: 1, Knots: []Knot{{-4, .02}, {-2, .1}, {0, .4}, {2, .9}}}
	low, high := c.Bounds(-1, 1.5, c.LogOdds(-1)+.2)
	for k, got := range []float64{low, high} {
		z := -1 + []float64{-1, 1}[k]*1.6448536269514722*math.Sqrt(1.5)
		if want := Sigmoid(c.LogOdds(z) + .2); math.Abs(got-want) > 1e-12 {
			t.Errorf("end %d: %v, want %v", k, got, want)
		}
	}
	if !(low < .25 && .25 < high) {
		t.Errorf("from %v to %v", low, high)
	}
}

// The main pillar is named only where it is likely to stay ahead, and its
// stability is the share of draws of the weights in which it does.
func TestStability(t *testing.T) {
	m := fileModel()
	m.Uncertainty = &Uncertainty{Rank: 2, Factor: make(Packed, 2*m.Columns())}
	f := scoredFrame(m)
	for k, size := range []float32{.0625, 3} { // the weight of linear logins, ±
		m.Uncertainty.Factor[2] = size
		s, err := m.Scores(f, ScoreOptions{Location: time.UTC, Show: []data.Column{}})
		if err != nil {
			t.Fatal(err)
		}
		stability, main := s.Column("stability"), s.Column("main_pillar")
		// The second account: no logins, so that linear logins are at (0 − 2)/1,
		// and the basic plan; both pillars raise the risk.
		scorer, _ := m.Bind(f)
		e := m.Explain(scorer.Contributions(nil)[2:4])
		gap := (e.Effects[0] - e.Effects[1]) / m.Calibration.Slope
		want := normal(gap / (2 * float64(size)))
		if got := stability.Floats[1]; math.Abs(got-want) > 1e-12 {
			t.Errorf("stability %v, want %v", got, want)
		}
		if got := main.Text(1); got != []string{"product_utilization", MixedPillar}[k] {
			t.Errorf("main pillar %q at stability %.2f", got, want)
		}
		if f.Rows[2].Status != features.Early || !stability.Missing(2) || main.Text(2) != "" {
			t.Errorf("an early row has stability %v, pillar %q", stability.Floats[2], main.Text(2))
		}
	}
}

func TestUncertaintyRefused(t *testing.T) {
	for want, damage := range map[string]func(*Uncertainty){
		"expected 3 for each of":     func(u *Uncertainty) { u.Factor = u.Factor[1:] },
		"a rest of -1":               func(u *Uncertainty) { u.Rest = -1 },
		"NaN is not a usable number": func(u *Uncertainty) { u.Factor[4] = float32(math.NaN()) },
	} {
		m := uncertainModel(t)
		damage(m.Uncertainty)
		if err := m.Validate(); !errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if err := new(Packed).UnmarshalText([]byte("AA==")); err == nil {
		t.Error("one byte is taken for a number")
	}
}
