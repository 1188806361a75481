// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// ComparisonFormat is the format of comparison.json that this version writes.
const ComparisonFormat = "holdfast-comparison/1"

// A ModelComparison sets model B beside model A. Differences are B minus A.
type ModelComparison struct {
	Format string `json:"format"`
	A      string `json:"a"`
	B      string `json:"b"`
	// Recipe compares both recipes refitted at every origin; nil where they are
	// one. Frozen compares the models as they are, on snapshots after the as-of of
	// both; nil where too few of these have matured.
	Recipe *Pair `json:"recipe,omitempty"`
	Frozen *Pair `json:"frozen,omitempty"`
	// Changes is what becomes of today's scores.
	Changes *ScoreChanges `json:"score_changes,omitempty"`
	Words   []string      `json:"words"`
}

// A Pair is what both reached on the same rows.
type Pair struct {
	A          Metrics     `json:"a"`
	B          Metrics     `json:"b"`
	Difference *Comparison `json:"difference"` // of log loss, B minus A
}

// leastPair is the least number of rows, and of churned ones, on which frozen
// models are compared.
const (
	leastPair        = 30
	leastPairChurned = 5
)

// ComparePair compares the predictions a and b of the rows of a frame, whose
// outcomes are known, by a paired bootstrap of the accounts. It is nil with
// fewer than 30 rows or 5 churned ones.
func ComparePair(f *features.Frame, nameA, nameB string, a, b []float64, o Options) *Pair {
	all := make([]int, len(f.Rows))
	for i := range all {
		all[i] = i
	}
	if len(all) < leastPair || countChurned(f, all) < leastPairChurned {
		return nil
	}
	t := newPool(f, []Origin{{Test: all}})
	t.resamples = newResampler(t.groups, o.replicates(), maxBlocks, o.Seed)
	d := t.compare(b, a)
	d.Words = pairWords(nameB, nameA, d)
	return &Pair{A: MeasureValued(a, t.y, t.w, t.valued(0, len(all)), o.capacity()),
		B: MeasureValued(b, t.y, t.w, t.valued(0, len(all)), o.capacity()), Difference: d}
}

// PairOf returns what a report says of its second candidate beside its first.
func PairOf(r *Report) *Pair {
	a, b := &r.Candidates[0], &r.Candidates[1]
	if a.Pooled == nil || b.Pooled == nil || b.VersusSubject == nil {
		return nil
	}
	return &Pair{A: *a.Pooled, B: *b.Pooled, Difference: b.VersusSubject}
}

// ScoreChanges splits the change of health from A's score some days ago to B's
// score today:
//
//	B(today) - A(before) = [A(today) - A(before)] + [B(today) - A(today)]
//	                        data change               model change
//
// over the renewals scored at both dates by both. Point-in-time features make
// the score of the past exact.
type ScoreChanges struct {
	Before string `json:"before"`
	Today  string `json:"today"`
	Rows   int    `json:"rows"`   // scored today by both models
	Traced int    `json:"traced"` // and before, by A
	// Mean absolute changes in points of health.
	Data  Number `json:"data_points"`
	Model Number `json:"model_points"`
	Total Number `json:"total_points"`
	// Spearman is the rank correlation of both models' scores today.
	Spearman Number     `json:"spearman"`
	Tiers    []TierMove `json:"tiers"` // of today's rows, from A's tier to B's
	Moved    int        `json:"moved"`
	Moves    []Move     `json:"-"` // the accounts that move; ids are for files of their own
}

// A TierMove counts the rows that A has in one tier and B in another, or the same.
type TierMove struct {
	From predict.Tier `json:"from"`
	To   predict.Tier `json:"to"`
	Rows int          `json:"rows"`
}

// A Move is one account that moves tier.
type Move struct {
	Account, Contract string
	From, To          predict.Tier
	A, B              float64 // health
	Data              float64 // data change of A's health, NaN where A did not score it before
}

// Scored is a frame with what a model says of it.
type Scored struct {
	Model *predict.Model
	Frame *features.Frame
	p     []float64
}

// health returns the health of each row with a probability, by account and
// contract.
func (s *Scored) health() (map[[2]string]float64, error) {
	var err error
	if s.p, err = s.Model.Prob(nil, s.Frame); err != nil {
		return nil, err
	}
	out := make(map[[2]string]float64, len(s.p))
	for i := range s.p {
		if r := &s.Frame.Rows[i]; hasProbability(r) {
			out[[2]string{r.Account, r.Contract}] = s.Model.Score.Health(s.p[i])
		}
	}
	return out, nil
}

// tierOrder lists the tiers from worst to best.
var tierOrder = []predict.Tier{predict.AtRisk, predict.Watch, predict.Healthy, predict.Loyal}

// CompareScores compares what two models say today, and A some time before.
func CompareScores(before, a, b Scored) (*ScoreChanges, error) {
	was, err := before.health()
	if err != nil {
		return nil, err
	}
	ours, err := a.health()
	if err != nil {
		return nil, err
	}
	theirs, err := b.health()
	if err != nil {
		return nil, err
	}
	c := &ScoreChanges{Tiers: []TierMove{}}
	counts := map[[2]predict.Tier]int{}
	var x, y []float64
	for i := range b.Frame.Rows {
		r := &b.Frame.Rows[i]
		key := [2]string{r.Account, r.Contract}
		hb, ok := theirs[key]
		ha, both := ours[key]
		if !ok || !both {
			continue
		}
		x, y = append(x, ha), append(y, hb)
		c.Model += Number(math.Abs(hb - ha))
		data := math.NaN()
		if h, ok := was[key]; ok {
			data = ha - h
			c.Traced++
			c.Data += Number(math.Abs(data))
			c.Total += Number(math.Abs(hb - h))
		}
		from, to := a.Model.Score.Tier(pOf(a.Model, ha), ha), b.Model.Score.Tier(b.p[i], hb)
		counts[[2]predict.Tier{from, to}]++
		if from != to {
			c.Moved++
			c.Moves = append(c.Moves, Move{r.Account, r.Contract, from, to, ha, hb, data})
		}
	}
	c.Rows = len(x)
	n, traced := Number(c.Rows), Number(c.Traced)
	c.Model, c.Data, c.Total, c.Spearman = c.Model/n, c.Data/traced, c.Total/traced, Number(spearman(x, y))
	for _, from := range tierOrder {
		for _, to := range tierOrder {
			if k := counts[[2]predict.Tier{from, to}]; k > 0 {
				c.Tiers = append(c.Tiers, TierMove{from, to, k})
			}
		}
	}
	slices.SortStableFunc(c.Moves, func(a, b Move) int {
		switch d := math.Abs(b.B-b.A) - math.Abs(a.B-a.A); {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return 0
	})
	return c, nil
}

// pOf returns the probability behind a health score, to which clipping at 0 and
// 100 does nothing that a tier could see.
func pOf(m *predict.Model, health float64) float64 { return m.Score.ProbAt(health) }

// Say puts the comparison into sentences.
func (c *ModelComparison) Say() {
	if c.Recipe != nil {
		c.Words = append(c.Words, "Recipes, both refitted at every origin: "+c.Recipe.Difference.Words)
	} else {
		c.Words = append(c.Words, "Both have the same recipe: there is nothing to refit, and only the data they learnt from differ.")
	}
	if c.Frozen != nil {
		c.Words = append(c.Words, fmt.Sprintf("Models as they are, on %s rows after the as-of of both: %s",
			Count(c.Frozen.A.Rows), c.Frozen.Difference.Words))
	} else {
		c.Words = append(c.Words, fmt.Sprintf("As they are they cannot be compared yet: after the as-of of both, fewer than %d outcomes (%d churned) have matured.",
			leastPair, leastPairChurned))
	}
	if s := c.Changes; s != nil && s.Rows > 0 {
		c.Words = append(c.Words, fmt.Sprintf("Of %s scores today, %s change tier from %s to %s; health changes by %s points on average for the model, "+
			"and by %s for the data since %s.", Count(s.Rows), Count(s.Moved), c.A, c.B, s.Model.Fixed(1), s.Data.Fixed(1), s.Before))
	}
}

// JSON returns the bytes of comparison.json.
func (c *ModelComparison) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}
