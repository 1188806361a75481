// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

func bound(x float64) *float64 { return &x }

// handCard is a scorecard over the columns of history.
func handCard() *predict.Scorecard {
	c := &predict.Scorecard{Method: predict.CardPoints, Criteria: []predict.Criterion{
		{Feature: "login", AtLeast: bound(.5), Points: 20},
		{Feature: "login", Below: bound(-1), Points: -20},
		{Feature: "ticket", Above: bound(1), Points: -15},
		{Feature: "survey", Missing: true, Points: -5},
		{Feature: "plan", Levels: []string{"pro", "plus"}, Points: 10},
	}}
	c.Least, c.Most = c.Extent()
	return c
}

func scoresOf(t *testing.T, c *predict.Scorecard, f *features.Frame) []float64 {
	t.Helper()
	in, err := predict.NewCardInput(c, f)
	if err != nil {
		t.Fatal(err)
	}
	s := make([]float64, len(f.Rows))
	for i := range s {
		s[i] = in.Score(nil, i)
	}
	return s
}

// sameRanking checks that p falls strictly where the score rises, and ties
// where it ties.
func sameRanking(t *testing.T, s, p []float64) {
	t.Helper()
	order := make([]int, len(s))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if s[a] != s[b] {
			return map[bool]int{true: -1, false: 1}[s[a] < s[b]]
		}
		return a - b
	})
	for k := 1; k < len(order); k++ {
		a, b := order[k-1], order[k]
		if s[a] == s[b] && p[a] != p[b] || s[b]-s[a] > 1e-9 && !(p[b] < p[a]) {
			t.Fatalf("scores %v and %v have p %v and %v", s[a], s[b], p[a], p[b])
		}
	}
}

// Worth nothing is the model without a card, byte for byte; worth infinitely
// much, the ranking by hand, with probabilities that sum to the churned.
func TestScorecardWorth(t *testing.T) {
	f := history(1500, -1, 3)
	spec := specOf(f)
	fit := func(o Options) *predict.Model {
		o.Time, o.Stages = true, StagesLinear
		m, err := Fit(context.Background(), f, spec, o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	bytesOf := func(m *predict.Model) []byte {
		b, err := predict.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if plain, none := fit(Options{}), fit(Options{Scorecard: handCard()}); !bytes.Equal(bytesOf(plain), bytesOf(none)) {
		t.Error("a card worth 0 renewals changes the model")
	}
	card := handCard()
	for _, calibration := range []string{CalibrationAuto, CalibrationNone, CalibrationIntercept, CalibrationIsotonic} {
		m := fit(Options{Scorecard: card, ScorecardWorth: math.Inf(1), Calibration: calibration})
		again, err := predict.Parse(bytesOf(m))
		if err != nil {
			t.Fatal(err)
		}
		p, err := again.Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		sameRanking(t, scoresOf(t, card, f), p)
		b, err := m.Bind(f)
		if err != nil {
			t.Fatal(err)
		}
		if b.Unseen() != 0 {
			t.Errorf("%d levels of training count as unseen", b.Unseen())
		}
		c, n, predicted, churned := b.Contributions(nil), len(m.Terms), 0.0, 0.0
		for i := range p {
			sum := 0.0
			for _, e := range c[i*n : (i+1)*n] {
				sum += e
			}
			if !near(m.Score.ZRef+sum, predict.LogOddsOf(p[i]), 1e-9) || !near(m.Reference(), m.Score.ZRef, 1e-9) {
				t.Fatalf("%s, row %d: reasons lead to %v, not to %v", calibration, i, m.Score.ZRef+sum, predict.LogOddsOf(p[i]))
			}
			predicted += p[i]
			churned += float64(f.Rows[i].Y)
		}
		if !near(predicted, churned, 1e-6) {
			t.Errorf("%s: %v churned predicted of %v", calibration, predicted, churned)
		}
	}
	if card.ItemMeans != nil || card.Weight != 0 {
		t.Error("the fit changed the card it was given")
	}
}

// Without any outcome health is the card's own score.
func TestScorecardModelReadsAsTheCard(t *testing.T) {
	f := history(300, -1, 3)
	card, spec := handCard(), specOf(f)
	m, err := ScorecardModel(spec, card, Options{Score: predict.Score{BaseRate: .12}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := predict.Marshal(m); err != nil {
		t.Fatal(err)
	}
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range scoresOf(t, card, f) {
		if h := m.Score.Health(p[i]); !near(h, s, 1e-9) {
			t.Fatalf("row %d: health %v, the card says %v", i, h, s)
		}
	}
	if _, err := ScorecardModel(spec, card, Options{}); err == nil {
		t.Error("a card without outcomes and without a rate is taken")
	}
}

// The prior's arithmetic, with a plain fit of all columns in place of the
// published one: worth 10¹² leads to the ranking by hand, and the card's weight
// lies between that of the data and its own.
func TestScorecardPriorLimits(t *testing.T) {
	f := history(1500, -1, 3)
	specOf(f)
	s, err := newSample(f, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	card := handCard()
	v, err := cardColumn(card, s)
	if err != nil {
		t.Fatal(err)
	}
	x := [][]float64{v, s.frame.Columns[0].Num, s.frame.Columns[1].Num, s.frame.Columns[2].Num}
	y, w := make([]float64, len(v)), make([]float64, len(v))
	for i := range y {
		y[i], w[i] = float64(s.frame.Rows[i].Y), s.frame.Rows[i].Weight
	}
	const lambda = 5
	rate := s.churn / s.total
	weights := func(worth float64) []float64 {
		l := worthPenalty(worth, rate)
		theta, _, err := smallFit(x, y, w, []float64{l, lambda + l, lambda + l, lambda + l}, []float64{cardPrior(card), 0, 0, 0})
		if err != nil {
			t.Fatal(err)
		}
		return theta
	}
	if w0 := -math.Ln2 / 12 * card.SD; !near(cardPrior(card), w0, 1e-15) {
		t.Errorf("prior weight %v, want %v", cardPrior(card), w0)
	}
	free, some, all := weights(0), weights(300), weights(1e12)
	if !near(all[1], cardPrior(card), 1e-6) || math.Abs(all[2])+math.Abs(all[3]) > 1e-6 {
		t.Errorf("worth 10¹² renewals: weights %v, want %v and zeros", all[1:], cardPrior(card))
	}
	if low, high := min(free[1], all[1]), max(free[1], all[1]); some[1] < low || some[1] > high {
		t.Errorf("worth 300 renewals: weight %v is not between %v and %v", some[1], low, high)
	}
	// The card is worth N renewals: added to n that say the same of its weight,
	// it moves a weight by about N/(n + N) of the way. Here with the card alone;
	// rows that are told apart carry less information than p (1 − p) of the mean.
	alone := func(worth float64) float64 {
		theta, _, err := smallFit(x[:1], y, w, []float64{worthPenalty(worth, rate)}, []float64{cardPrior(card)})
		if err != nil {
			t.Fatal(err)
		}
		return theta[1]
	}
	ml, prior := alone(0), cardPrior(card)
	if got := (alone(1500) - ml) / (prior - ml); math.Abs(got-.5) > .15 {
		t.Errorf("a card worth as many renewals as there are moves its weight by %.2f of the way, want .5", got)
	}
}
