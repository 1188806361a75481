// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"math"

	"github.com/holdfast-churn/holdfast/features"
)

// TrendDays are how many days back a score is compared with itself.
var TrendDays = []int{1, 7, 30}

// Earlier is the health of accounts as it was some days before, by the same
// model and from what was known then.
type Earlier struct {
	Days int

	model  *Model
	spec   string // digest of the last frame's, which was the model's
	health map[term]float64
}

// A term is a renewal of a score table.
type term struct{ account, contract string }

// Earlier returns an empty one, for frames as of some days before.
func (m *Model) Earlier(days int) *Earlier {
	return &Earlier{Days: days, model: m, health: map[term]float64{}}
}

// Add scores the rows of a frame, which need not be the last one. It keeps
// nothing of it but the health of rows that have a probability.
func (e *Earlier) Add(f *features.Frame) error {
	if f.SpecDigest != e.spec { // a build has many parts of one spec
		if err := CheckSpec(&e.model.Spec, f); err != nil {
			return err
		}
		e.spec = f.SpecDigest
	}
	s, err := e.model.bind(f)
	if err != nil {
		return err
	}
	p := s.prob(nil, f)
	for i := range f.Rows {
		if r := &f.Rows[i]; r.Status == features.Scored || r.Status == features.NoHistory {
			e.health[term{r.Account, r.Contract}] = e.model.Score.Health(p[i])
		}
	}
	return nil
}

// change returns the health of a row now minus what it was. It is NaN where the
// account and contract had no probability then, or have none now. Since features
// are of what was known at their snapshot, the change is exact, and one of the
// data alone.
func (e *Earlier) change(r *features.Row, now float64) float64 {
	was, ok := e.health[term{r.Account, r.Contract}]
	if !ok {
		return math.NaN()
	}
	return now - was
}

// missingInputs counts for each row the features of the model that have no
// value.
func (m *Model) missingInputs(f *features.Frame) []int {
	n := make([]int, len(f.Rows))
	for i := range m.Terms {
		c := f.Column(m.Terms[i].Feature)
		for row := range n {
			if c.IsLevel() && c.Codes[row] < 0 || !c.IsLevel() && c.Num[row] != c.Num[row] {
				n[row]++
			}
		}
	}
	return n
}
