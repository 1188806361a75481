// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// declared returns a history with directions, of login and few the true ones, of
// the others what a team might guess. The log-odds fall by −k tanh(3 login), with
// k by plan, and rise by 1.5 where few is 2 or more.
func declared(n int, seed uint64) *features.Frame {
	f := history(n, -1, seed)
	r := rand.New(rand.NewPCG(seed, 2))
	few, wrong := make([]float64, n), make([]float64, n)
	for i := range few {
		few[i] = float64(r.IntN(5))
		wrong[i] = r.NormFloat64()
		slope := []float64{0.2, 0.8, 2}[f.Columns[5].Codes[i]] // by plan
		z := -slope*math.Tanh(3*f.Columns[0].Num[i]) + f.Columns[1].Num[i]/2 - 1.5 + 0.3*wrong[i]
		if few[i] >= 2 {
			z += 1.5
		}
		f.Rows[i].Y = 0
		if r.Float64() < predict.Sigmoid(z) {
			f.Rows[i].Y = 1
		}
		if r.IntN(10) == 0 {
			wrong[i] = math.NaN()
		}
	}
	f.Columns = append(f.Columns, numberColumn("few", few...), numberColumn("wrong", wrong...))
	for name, d := range map[string]features.Direction{"login": features.Healthy, "few": features.Risky,
		"noise": features.Risky, "spend": features.Healthy, "wrong": features.Healthy} {
		f.Column(name).Feature.Direction = d
	}
	return f
}

func termOf(t *testing.T, m *predict.Model, feature string) *predict.Term {
	t.Helper()
	j := slices.IndexFunc(m.Terms, func(x predict.Term) bool { return x.Feature == feature })
	if j < 0 {
		t.Fatalf("no term %s", feature)
	}
	return &m.Terms[j]
}

// With binding directions no prediction moves the wrong way, whatever stages are
// allowed; a true effect is found, and what was declared the wrong way round
// gets no weight at all, where a free fit warns.
func TestDirectionsBind(t *testing.T) {
	f := declared(1800, 5)
	for _, stages := range []string{StagesLinear, StagesSplines, StagesAuto} {
		o := Options{Directions: true, Stages: stages, Workers: 1, Calibration: CalibrationNone}
		m := mustFit(t, f, o)
		o.Workers = 3
		if !bytes.Equal(marshal(t, m), marshal(t, mustFit(t, f, o))) {
			t.Errorf("%s: three workers give another model", stages)
		}
		for _, w := range m.Warnings {
			t.Errorf("%s: warning %q", stages, w)
		}
		if stages == StagesAuto && len(m.Pairs) == 0 {
			t.Errorf("no pair was chosen: %+v", m.Provenance.Contest)
		}
		wantMonotone(t, m, f)
		for _, b := range termOf(t, m, "wrong").Columns {
			if (b.Kind == predict.Linear || b.Kind == predict.Cumulated) && b.Weight != 0 {
				t.Errorf("%s: a wrong direction has weight %v", stages, b.Weight)
			}
		}
		e := termOf(t, m, "login").Effect // up to −2 of the mean plan over two quartiles; less beside a pair
		if !(e.Low < e.Estimate && e.Estimate < e.High && e.High < -0.4 && e.Low > -2.5) {
			t.Errorf("%s: login has the effect %+v", stages, e)
		}
		if e := termOf(t, m, "noise").Effect; !(e.Low >= 0 && e.Estimate >= e.Low && e.High >= e.Estimate && e.High < 0.4) {
			t.Errorf("%s: noise has the effect %+v", stages, e)
		}
	}
	if m := mustFit(t, f, Options{}); len(m.Warnings) == 0 {
		t.Error("no warning of a direction declared the wrong way round")
	}
	for k := range f.Columns {
		f.Columns[k].Feature.Direction = features.Free
	}
	if !bytes.Equal(marshal(t, mustFit(t, f, Options{})), marshal(t, mustFit(t, f, Options{Directions: true}))) {
		t.Error("without declared directions, to enforce them changes the model")
	}
}

// wantMonotone moves every declared number of some rows over its range.
func wantMonotone(t *testing.T, m *predict.Model, f *features.Frame) {
	t.Helper()
	const steps = 60
	for k := range f.Columns {
		sign := map[features.Direction]int8{features.Risky: 1, features.Healthy: -1}[f.Columns[k].Feature.Direction]
		if sign == 0 {
			continue
		}
		term := termOf(t, m, f.Columns[k].Feature.Name)
		spike := math.NaN()
		for _, b := range term.Columns {
			if b.Kind == predict.Spike {
				spike = b.At
			}
		}
		for row := range 12 {
			g := f.Select(slices.Repeat([]int{row}, steps+1))
			x := g.Columns[k].Num
			for i := range x {
				x[i] = term.Low + (term.High-term.Low)*float64(i)/steps
			}
			z, err := m.LogOdds(nil, g)
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(z); i++ {
				const rounding = 1e-12
				if x[i] != spike && x[i-1] != spike && float64(sign)*(z[i]-z[i-1]) < -rounding {
					t.Fatalf("%s: log-odds %v at %v, %v at %v", term.Feature, z[i-1], x[i-1], z[i], x[i])
				}
			}
		}
	}
}

// Monotone columns of few values are steps at the values, so that any rising
// sequence can be had.
func TestMonotoneColumnsOfFewValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, fewValues).Draw(t, "values")
		v := &values{distinct: []float64{rapid.Float64Range(-100, 100).Draw(t, "first")}}
		for range n - 1 {
			v.distinct = append(v.distinct, v.distinct[len(v.distinct)-1]+rapid.Float64Range(0.01, 100).Draw(t, "step"))
		}
		term := &predict.Term{Kind: string(features.NumberKind), Low: v.distinct[0], High: v.distinct[n-1]}
		addMonotone(term, v)
		for k := range term.Columns {
			for i, x := range v.distinct {
				want := 0.0
				if i > k {
					want = 1
				}
				if u := term.Raw(k, x); math.Abs(u-want) > 1e-12 {
					t.Fatalf("column %d is %v at value %d, want %v", k, u, i, want)
				}
			}
		}
		if len(term.Columns) != n-1 {
			t.Fatalf("%d columns for %d values", len(term.Columns), n)
		}
	})
}

// A monotone feature pairs with levels only, within each of which its cells keep
// its sign, and no rule tests it.
func TestDirectionsBindPairs(t *testing.T) {
	f := declared(900, 6)
	specOf(f)
	s, err := newSample(f, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	s.told.directions = true
	terms, _ := newTerms(s, 1)
	c := newContest(s, terms, []string{"login", "few", "wrong"}, 1) // noise and spend stay linear
	p := newPairing(s, c.mains.terms)
	ones := slices.Repeat([]float64{1}, len(f.Rows))
	found := 0
	for _, pair := range p.rank(slices.Clone(c.base.y), ones, nil, 1) {
		a, b := &c.mains.terms[pair[0]], &c.mains.terms[pair[1]]
		for _, of := range [][2]*predict.Term{{a, b}, {b, a}} {
			if s.signOf(of[0].Feature) == 0 {
				continue
			}
			found++
			if of[1].Feature != "plan" {
				t.Errorf("%s is monotone and pairs with %s", of[0].Feature, of[1].Feature)
			}
			sign, free := s.signOf(of[0].Feature), 0
			part, _ := p.part(pair)
			for _, l := range part.limits {
				if l.sign == 0 {
					free++
				} else if l.sign != sign {
					t.Errorf("%s: a cell of sign %d, want %d", of[0].Feature, l.sign, sign)
				}
			}
			if want := map[bool]int{true: 3}[of[0].Feature == "wrong"]; free != want { // missing beside each plan
				t.Errorf("%s: %d free cells, want %d", of[0].Feature, free, want)
			}
		}
	}
	if found == 0 {
		t.Error("no pair with a monotone feature")
	}
	for at, p := range c.mains.at {
		term := &c.mains.terms[p.term]
		switch kind := term.Columns[p.column].Kind; {
		case kind == predict.Linear || kind == predict.Cumulated:
			if sign := s.signOf(term.Feature); c.mains.limits[at].sign != sign {
				t.Errorf("%s: a %s column of sign %d, want %d", term.Feature, kind, c.mains.limits[at].sign, sign)
			}
		case c.mains.limits[at].sign != 0:
			t.Errorf("%s: a bounded %s column", term.Feature, kind)
		}
	}
	b := c.binning(&treeShapes[0])
	for j := range c.mains.terms {
		for i := range f.Rows {
			if s.signOf(c.mains.terms[j].Feature) != 0 && b.codes[i*len(c.mains.terms)+j] != 0 {
				t.Fatalf("%s can be cut by a rule", c.mains.terms[j].Feature)
			}
		}
	}
}

// A card that is worth more renewals moves linear terms towards the ranking by
// hand, and at 10¹² all terms are 0, of whatever kind.
func TestScorecardBetween(t *testing.T) {
	f := history(1200, -1, 3)
	card := handCard()
	s := scoresOf(t, card, f)
	last := 0.0
	for _, worth := range []float64{0, 200, 1500, 20000} {
		m := mustFit(t, f, Options{Scorecard: card, ScorecardWorth: worth, Time: true})
		p, err := m.Prob(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		if a := -correlation(s, p); a <= last {
			t.Errorf("worth %v renewals, correlation with the card %v, before %v", worth, a, last)
		} else {
			last = a
		}
		if worth > 0 {
			wantWhole(t, m, f)
		}
	}
	for _, stages := range []string{StagesLinear, StagesAuto} {
		m := mustFit(t, f, Options{Scorecard: card, ScorecardWorth: 1e12, Stages: stages, Calibration: CalibrationNone})
		if !near(m.Scorecard.Weight, cardPrior(m.Scorecard), 1e-6) {
			t.Errorf("%s: worth 10¹² renewals, weight %v, by hand %v", stages, m.Scorecard.Weight, cardPrior(m.Scorecard))
		}
		z, err := m.LogOdds(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range z {
			by := m.Intercept + m.Scorecard.Weight*(s[i]-m.Scorecard.Mean)/m.Scorecard.SD
			if !near(z[i], by, 1e-6) {
				t.Fatalf("%s: worth 10¹² renewals, row %d has the log-odds %v, by the card alone %v", stages, i, z[i], by)
			}
		}
	}
}

// Curves, pairs and tables stand beside a card too, also in the fits behind
// calibration, and all workers make the same model.
func TestScorecardBesideCurves(t *testing.T) {
	f := history(1500, -1, 3)
	o := Options{Scorecard: handCard(), ScorecardWorth: 1500, Stages: StagesSplines, Time: true, Workers: 1}
	m := mustFit(t, f, o)
	if !slices.ContainsFunc(m.Provenance.Contest, func(c predict.Contestant) bool { return c.Stage == "splines" && c.Chosen }) {
		t.Fatalf("splines were not chosen: %+v", m.Provenance.Contest)
	}
	wantWhole(t, m, f)
	o.Workers = 3
	if !bytes.Equal(marshal(t, m), marshal(t, mustFit(t, f, o))) {
		t.Error("three workers give another model")
	}
	o.Stages, o.Time = StagesAuto, false
	m = mustFit(t, f, o)
	if len(m.Pairs)+len(m.Tables) == 0 {
		t.Fatalf("neither pairs nor tables were chosen: %+v", m.Provenance.Contest)
	}
	wantWhole(t, m, f)
}

// wantWhole checks that reasons lead from the reference to every row's
// probability, that shares sum to 1, and that the card's weight has an error.
func wantWhole(t *testing.T, m *predict.Model, f *features.Frame) {
	t.Helper()
	p, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Bind(f)
	if err != nil {
		t.Fatal(err)
	}
	c, n := b.Contributions(nil), len(m.Terms)
	for i := range p {
		sum := m.Score.ZRef
		for _, e := range c[i*n : (i+1)*n] {
			sum += e
		}
		if !near(sum, predict.LogOddsOf(p[i]), 1e-8) {
			t.Fatalf("row %d: reasons lead to %v, not to %v", i, sum, predict.LogOddsOf(p[i]))
		}
	}
	share := m.Scorecard.Share
	for _, x := range m.Terms {
		share += x.Share
	}
	for _, x := range m.Pairs {
		share += x.Share
	}
	for _, x := range m.Tables {
		share += x.Share
	}
	if !near(share, 1, 1e-9) || !(m.Scorecard.SE > 0) {
		t.Errorf("shares sum to %v, the card's weight has the error %v", share, m.Scorecard.SE)
	}
}

// correlation returns Pearson's coefficient.
func correlation(a, b []float64) float64 {
	n := float64(len(a))
	var ma, mb, aa, bb, ab float64
	for i := range a {
		ma, mb = ma+a[i]/n, mb+b[i]/n
	}
	for i := range a {
		aa, bb, ab = aa+(a[i]-ma)*(a[i]-ma), bb+(b[i]-mb)*(b[i]-mb), ab+(a[i]-ma)*(b[i]-mb)
	}
	return ab / math.Sqrt(aa*bb)
}

// Without folds a card still has its say.
func TestScorecardWithoutFolds(t *testing.T) {
	f := history(60, 0, 13)
	for i := range f.Rows {
		f.Rows[i].Group = "one parent company"
	}
	m := mustFit(t, f, Options{Scorecard: handCard(), ScorecardWorth: 50})
	if m.Scorecard == nil || m.OutOfFold.Folds != 0 || m.Provenance.Lambda != fallbackLambda {
		t.Errorf("card %v, out of fold %+v, penalty %v", m.Scorecard, m.OutOfFold, m.Provenance.Lambda)
	}
}

// Where nothing is bounded, the bootstrap's intervals are as wide as those of the
// sandwich.
func TestBootstrapAgreesWithTheSandwich(t *testing.T) {
	f := history(1500, -1, 8)
	specOf(f)
	s, err := newSample(f, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	terms, _ := newTerms(s, 2)
	s.told.seed = 4
	c := contestOf(s, terms, 2)
	b, err := c.build(context.Background(), &contestant{penalties: penalties{plain: 400, power: 1}}, true)
	if err != nil {
		t.Fatal(err)
	}
	c.setEffects(b, c.sandwich(b))
	var bounds []resampled
	width := make([]float64, len(terms))
	at := 1
	for j := range terms {
		u := &b.logit.Terms[j]
		d, _ := rawContrast(u, c.s.frame.Column(u.Feature), c.base.w)
		bounds = append(bounds, resampled{at, d, &u.Effect})
		at += len(terms[j].Columns)
		width[j] = u.Effect.High - u.Effect.Low
	}
	if err := c.bootstrapEffects(context.Background(), b, bounds); err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for j := range terms {
		e := b.logit.Terms[j].Effect
		mean += (e.High - e.Low) / width[j] / float64(len(terms))
	}
	// Half of the distance between two percentiles of 50 draws errs by about 15 %,
	// of six terms by 6 %; with a fixed prior it would be .67.
	if math.Abs(mean-1) > 0.2 {
		t.Errorf("the bootstrap's intervals are %.2f times as wide as the sandwich's", mean)
	}
}
