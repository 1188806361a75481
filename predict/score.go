// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"strings"

	"github.com/holdfast-churn/holdfast/features"
)

// Sigmoid returns p = 1/(1 + e^−z), without overflow for any z; ±Inf give 1
// and 0, NaN gives NaN. It is the only sigmoid of the project.
func Sigmoid(z float64) float64 {
	return sigmoid(z, math.Exp(-math.Abs(z)))
}

// Softplus returns log(1 + e^z) = max(z, 0) + log1p(e^−|z|), the log loss of a
// renewal (y = 0) at log-odds z; that of a churn (y = 1) is Softplus(z) − z.
func Softplus(z float64) float64 {
	return softplus(z, math.Exp(-math.Abs(z)))
}

// SigmoidSoftplus returns Sigmoid(z) and Softplus(z) for one exponential.
func SigmoidSoftplus(z float64) (p, s float64) {
	e := math.Exp(-math.Abs(z))
	return sigmoid(z, e), softplus(z, e)
}

// sigmoid and softplus take e = e^−|z|, which is in [0, 1] for every z.
func sigmoid(z, e float64) float64 {
	if z < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

func softplus(z, e float64) float64 {
	return max(z, 0) + math.Log1p(e)
}

// A Scorer is a model bound to one frame: every part knows its columns. Model
// and frame must stay unchanged while it is in use; it may be used by several
// goroutines at a time.
type Scorer struct {
	model  *Model
	rows   int
	inputs []Input // one a term
	parts  []part  // terms, pairs, tables
	tables []*tablePart
	card   *CardInput     // nil without a scorecard
	place  map[string]int // number of a feature's term
}

// A part is a term, a pair or a table bound to its columns.
type part interface {
	// add adds the part's raw contribution in rows from … from+len(dst)−1.
	add(dst []float64, from int)
}

// Bind finds the columns of each part of the model in the frame. It returns a
// *SpecMismatchError if the frame was made under another spec than the model.
func (m *Model) Bind(f *features.Frame) (*Scorer, error) {
	if err := CheckSpec(&m.Spec, f); err != nil {
		return nil, err
	}
	return m.bind(f)
}

// bind is Bind with a frame known to be of the model's spec.
func (m *Model) bind(f *features.Frame) (*Scorer, error) {
	s := &Scorer{model: m, rows: len(f.Rows), inputs: make([]Input, len(m.Terms)), place: make(map[string]int)}
	for j := range m.Terms {
		t := &m.Terms[j]
		c := f.Column(t.Feature)
		if c == nil {
			return nil, fmt.Errorf("model term %q is not a feature of the model's own spec", t.Feature)
		}
		s.inputs[j] = NewInput(t, c)
		s.parts = append(s.parts, newTermPart(t, &s.inputs[j]))
		s.place[t.Feature] = j
	}
	for k := range m.Pairs {
		p := &m.Pairs[k]
		if err := s.haveTerms(fmt.Sprintf("pair %d", k+1), p.Sides[0].Feature, p.Sides[1].Feature); err != nil {
			return nil, err
		}
		s.parts = append(s.parts, newPairPart(p, f.Column(p.Sides[0].Feature), f.Column(p.Sides[1].Feature)))
	}
	for k := range m.Tables {
		for i := range m.Tables[k].Rules {
			if err := s.haveTerms(fmt.Sprintf("table %d", k+1), m.Tables[k].Rules[i].Features()...); err != nil {
				return nil, err
			}
		}
		p, err := newTablePart(&m.Tables[k], f)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, p)
		s.tables = append(s.tables, p)
	}
	if m.Scorecard != nil {
		var err error
		if s.card, err = NewCardInput(m.Scorecard, f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// haveTerms returns an error unless each feature of a part has a term, to
// which the part's contributions go.
func (s *Scorer) haveTerms(part string, names ...string) error {
	for _, name := range names {
		if _, ok := s.place[name]; !ok {
			return fmt.Errorf("%s: the model has no term of feature %q", part, name)
		}
	}
	return nil
}

// rowBlock is the number of rows whose results stay in the first-level cache
// while all parts are added to them.
const rowBlock = 1024

// LogOdds stores the raw log-odds of every row in dst and returns it,
//
//	z_i = b + Σ_j f_j(x_ij) + Σ_(j,k) f_jk(x_ij, x_ik) + Σ_t g_t(x_i) + h(x_i)
//
// before calibration. If dst is nil, a new slice is made; it panics if dst has
// another length than the frame.
func (s *Scorer) LogOdds(dst []float64) []float64 {
	dst = sized(dst, s.rows)
	for from := 0; from < s.rows; from += rowBlock {
		s.logOdds(dst[from:min(from+rowBlock, s.rows)], from)
	}
	return dst
}

// logOdds stores those of a block of rows that begins at from.
func (s *Scorer) logOdds(block []float64, from int) {
	for i := range block {
		block[i] = s.model.Intercept
	}
	for _, p := range s.parts {
		p.add(block, from)
	}
	if s.card != nil {
		s.card.add(block, from)
	}
}

// Unseen counts, over all level terms, the values that training never met and
// that were scored as the level "other".
func (s *Scorer) Unseen() int {
	n := 0
	for j := range s.inputs {
		n += s.inputs[j].Unseen()
	}
	return n
}

// LogOdds returns the raw log-odds of every row of the frame, as
// Scorer.LogOdds does.
func (m *Model) LogOdds(dst []float64, f *features.Frame) ([]float64, error) {
	s, err := m.Bind(f)
	if err != nil {
		return nil, err
	}
	return s.LogOdds(dst), nil
}

// Contributions returns each feature's part of the calibrated log-odds of
// every row of the frame, as Scorer.Contributions does.
func (m *Model) Contributions(dst []float64, f *features.Frame) ([]float64, error) {
	s, err := m.Bind(f)
	if err != nil {
		return nil, err
	}
	return s.Contributions(dst), nil
}

// Prob returns the calibrated probability of churn of every row of the frame,
// Sigmoid of the calibrated log-odds. dst is as in Scorer.LogOdds.
func (m *Model) Prob(dst []float64, f *features.Frame) ([]float64, error) {
	s, err := m.Bind(f)
	if err != nil {
		return nil, err
	}
	return s.prob(dst, f), nil
}

// prob is Model.Prob of the frame that the scorer is bound to.
func (s *Scorer) prob(dst []float64, f *features.Frame) []float64 {
	z := s.LogOdds(dst)
	s.model.Calibrate(z, f)
	for i, zi := range z {
		z[i] = Sigmoid(zi)
	}
	return z
}

// sized returns dst, or a new slice of n values where dst is nil.
func sized(dst []float64, n int) []float64 {
	if dst == nil {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic("predict: dst has the wrong length")
	}
	return dst
}

// A SpecMismatchError says that a frame was not made under the spec it is
// used with: its columns may have the right names and another meaning.
type SpecMismatchError struct {
	Want, Got string   // digests of the spec and of the frame
	Missing   []string // features of the spec that the frame lacks
	Extra     []string // features of the frame that the spec lacks
	Changed   []string // features of both, defined differently
}

// Error names the digests and the features that differ.
func (e *SpecMismatchError) Error() string {
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"not in the spec", e.Extra}, {"defined differently", e.Changed}} {
		if len(p.names) > 0 {
			parts = append(parts, p.what+": "+strings.Join(p.names, ", "))
		}
	}
	if parts == nil {
		parts = append(parts, "the features agree; the outcome, the timezone or the spec version differs")
	}
	return fmt.Sprintf("frame was built under feature spec %s, but %s is needed (%s): "+
		"build it with the model's own spec", e.Got, e.Want, strings.Join(parts, "; "))
}

// CheckSpec returns a *SpecMismatchError unless the frame was made under the
// spec and has all its columns.
func CheckSpec(spec *features.Spec, f *features.Frame) error {
	e := &SpecMismatchError{Want: spec.Digest(), Got: f.SpecDigest}
	named := make(map[string]bool, len(spec.Features))
	for _, want := range spec.Features {
		named[want.Name] = true
		switch c := f.Column(want.Name); {
		case c == nil:
			e.Missing = append(e.Missing, want.Name)
		case !c.Feature.Equal(&want):
			e.Changed = append(e.Changed, want.Name)
		}
	}
	for k := range f.Columns {
		if name := f.Columns[k].Feature.Name; !named[name] {
			e.Extra = append(e.Extra, name)
		}
	}
	if e.Got == e.Want && e.Missing == nil && e.Changed == nil {
		return nil
	}
	return e
}
