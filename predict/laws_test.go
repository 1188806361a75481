// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

// lawTolerance leaves room for some hundred roundings of numbers below 100.
const lawTolerance = 1e-10

// A point of a curve is what the term's columns add there, less the term's mean.
func TestPointsAreContributions(t *testing.T) {
	points := 0
	rapid.Check(t, func(t *rapid.T) {
		m, _ := additive(t, 1)
		for j := range m.Terms {
			term := &m.Terms[j]
			for _, p := range term.Points(7) {
				points++
				sum := -term.RefMean
				for k, u := range term.RawAt(&p) {
					sum += float64(term.Columns[k].Weight * term.Columns[k].Standardise(u))
				}
				if math.Abs(sum-p.Effect.Estimate) > lawTolerance {
					t.Fatalf("%s at %s: %v, its columns add %v", term.Feature, p.Label(), p.Effect.Estimate, sum)
				}
			}
		}
	})
	if points == 0 {
		t.Error("no point was ever looked at")
	}
	for want, p := range map[string]CurvePoint{"missing": {Missing: true}, "pro": {Level: "pro"}, "12": {At: 12}, "0.3333": {At: 1.0 / 3}} {
		if got := p.Label(); got != want {
			t.Errorf("%+v is called %q", p, got)
		}
	}
	if got := (&CurvePoint{Level: MissingLevel}).Label(); got != "missing" {
		t.Errorf("a missing level is called %q", got)
	}
}

// A recalibrated model's log-odds are a + s z of the old ones, shifts of
// segments included; so are their variance, as a polynomial in z, and the mean
// of the reasons. The old model stays as it was.
func TestRecalibrated(t *testing.T) {
	m := wholeModel()
	m.Calibration = Calibration{Method: "platt", Intercept: 0.3, Slope: 0.9, Covariance: []float64{0.04, -0.01, 0.02},
		Segments: &Segments{Feature: "plan", SD: 0.5, Mean: 0.1, Shifts: []Shift{{Level: "pro", Intercept: 0.4}}}}
	const a, s = -0.2, 1.25
	covariance := []float64{0.09, 0.02, 0.01}
	n := m.Recalibrated(a, s, covariance)
	for _, z := range []float64{-3, 0, 1.7} {
		old := m.Calibration.LogOdds(z)
		if got, want := n.Calibration.LogOdds(z), a+s*old; math.Abs(got-want) > lawTolerance {
			t.Errorf("z %v: %v, want %v", z, got, want)
		}
		want := covariance[0] + 2*old*covariance[1] + old*old*covariance[2] + s*s*m.Calibration.Variance(z)
		if got := n.Calibration.Variance(z); math.Abs(got-want) > lawTolerance {
			t.Errorf("z %v: variance %v, want %v", z, got, want)
		}
	}
	if x := n.Calibration.Segments; x.Shifts[0].Intercept != s*0.4 || x.Mean != s*0.1 || x.SD != s*0.5 || m.Calibration.Segments.Shifts[0].Intercept != 0.4 {
		t.Errorf("segments %+v, were %+v", x, m.Calibration.Segments)
	}
	if got, want := n.Score.ZRef, a+s*m.Score.ZRef; got != want || n.Calibration.Method != "platt" {
		t.Errorf("z_ref %v, want %v; method %s", got, want, n.Calibration.Method)
	}
	for slope, method := range map[float64]string{1: "intercept", 0.7: "platt"} {
		none := fileModel()
		none.Calibration = Calibration{Method: "none", Slope: 1}
		if got := none.Recalibrated(a, slope, covariance).Calibration; got.Method != method || got.Covariance[2] != covariance[2] || got.Slope != slope {
			t.Errorf("slope %v of none: %+v, want %s", slope, got, method)
		}
	}
}

// What renewals do to value coheres: shares of 1 − p, and the mean of what is
// kept; a part without a logit answers by its rate.
func TestOutlooks(t *testing.T) {
	m, f := scoring(6)
	if o, err := m.Outlooks(f); o != nil || err != nil {
		t.Errorf("a model that does not say: %v, %v", o, err)
	}
	of := m.Logit
	m.Nested = &Nested{Contract: NestedPart{Rate: 0.1}, Grow: NestedPart{Rate: 0.3, Logit: &of}, KeptContract: 0.7, KeptSame: 1, KeptGrow: 1.4}
	o, err := m.Outlooks(f)
	if err != nil {
		t.Fatal(err)
	}
	g, err := m.Prob(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range g {
		kept := 0.1*0.7 + 0.9*g[i]*1.4 + 0.9*(1-g[i])
		if o.Contract[i] != 0.1 || math.Abs(o.Grow[i]-0.9*g[i]) > lawTolerance || math.Abs(o.Kept[i]-kept) > lawTolerance {
			t.Errorf("row %d: %v, %v, %v; want .1, %v, %v", i, o.Contract[i], o.Grow[i], o.Kept[i], 0.9*g[i], kept)
		}
	}
	m.Nested.Contract.Logit, m.Nested.Grow.Logit = &of, nil
	if o, err = m.Outlooks(f); err != nil || !math.IsNaN(o.Grow[0]) || o.Contract[1] != g[1] {
		t.Errorf("of growth only the rate is known: %+v, %v", o, err)
	}
	other := f.Select([]int{0})
	other.SpecDigest, other.Columns = "other", other.Columns[:1]
	var mismatch *SpecMismatchError
	if _, err := m.Outlooks(other); !errors.As(err, &mismatch) {
		t.Errorf("a frame of another spec: %v", err)
	}
}

// Parts about value are checked as the model is.
func TestNestedIsValidated(t *testing.T) {
	for want, change := range map[string]func(n *Nested){
		"":                             func(*Nested) {},
		"nested contract: rate 1.5":    func(n *Nested) { n.Contract.Rate = 1.5 },
		"nested grow: ":                func(n *Nested) { l := *n.Grow.Logit; l.Intercept = math.Inf(1); n.Grow.Logit = &l },
		"nested: ":                     func(n *Nested) { n.KeptGrow = math.NaN() },
		"nested contract: rate NaN; e": func(n *Nested) { n.Contract.Rate = math.NaN() },
	} {
		m := fileModel()
		of := m.Logit
		m.Nested = &Nested{Contract: NestedPart{Rate: 0.1}, Grow: NestedPart{Rate: 0.3, Logit: &of}, KeptContract: 0.7, KeptSame: 1, KeptGrow: 1.4}
		change(m.Nested)
		if err := m.Validate(); (err != nil) != (want != "") || err != nil && (!errors.Is(err, ErrIntegrity) || !strings.Contains(err.Error(), strings.TrimSuffix(want, ": "))) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A table's scorer counts what it scored: rows, tiers, and values that training
// never met.
func TestTableScorerCounts(t *testing.T) {
	m := wholeModel()
	f := &features.Frame{SpecDigest: m.Spec.Digest(), Rows: make([]features.Row, 5)}
	for _, feature := range m.Spec.Features {
		c := features.Column{Feature: feature}
		if feature.Kind == features.LevelKind {
			c.Levels, c.Codes = []string{"basic", "never met"}, []int32{0, 1, 1, 0, 1}
		} else {
			c.Num = []float64{1, 2, 3, 4, 5}
		}
		f.Columns = append(f.Columns, c)
	}
	s, err := m.NewTableScorer("", 2)
	if err != nil {
		t.Fatal(err)
	}
	table := asTable(m, f)
	for range 2 {
		if _, err := s.Score(table); err != nil {
			t.Fatal(err)
		}
	}
	tiers := 0
	for _, n := range s.Tiers() {
		tiers += n
	}
	if s.Rows() != 10 || tiers != 10 || s.Unseen() != 6 {
		t.Errorf("%d rows, %v, %d unseen; want 10 and 6", s.Rows(), s.Tiers(), s.Unseen())
	}
	if names := s.Columns(); len(names) != len(m.Spec.Features) {
		t.Errorf("columns %q", names)
	}
	if got := s.Expects([]string{s.Columns()[0]}); !strings.Contains(got, "(") {
		t.Errorf("expects %q", got)
	}
}
