// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// TableRows is the number of rows of a ready table that are best handed to a
// TableScorer at a time: few enough that those of 60 features stay in a cache.
const TableRows = 4096

// A TableScorer scores a ready table that comes in pieces. It holds the scores
// of one piece, however many it is handed.
type TableScorer struct {
	model   *Model
	id      string
	stream  *features.TableStream
	reasons *reasonWords
	blocks  []*scoreBlock // one a goroutine

	frame  *features.Frame // of the current piece, as are the following
	scorer *blockScorer
	p      []float64
	health []float64
	tier   []int32              // place in tiers
	words  [reasonCount][]int32 // number of a reason's text; -1 where there is none

	counts [len(tiers)]int
	unseen int
	rows   int
}

// tiers are all tiers, in order.
var tiers = [...]Tier{AtRisk, Watch, Healthy, Loyal}

// NewTableScorer returns a scorer of ready tables. The column named by id is
// handed through, where that is not "". So many goroutines score, at least one;
// the scores do not depend on their number.
func (m *Model) NewTableScorer(id string, workers int) (*TableScorer, error) {
	if IsScoreColumn(id) && id != "account_id" && id != "contract_id" {
		return nil, fmt.Errorf("scores: an id column named %q would stand beside the score of that name; rename it", id)
	}
	s := &TableScorer{model: m, id: id, stream: features.NewTableStream(&m.Spec), reasons: newReasonWords(m.Terms)}
	for range max(1, workers) {
		s.blocks = append(s.blocks, &scoreBlock{})
	}
	return s, nil
}

// Columns names the columns of the table that are needed.
func (s *TableScorer) Columns() []string {
	names := s.stream.Columns()
	if s.id != "" {
		names = append(names, s.id)
	}
	return names
}

// Expects lists those of the named columns that the model is made for, with
// their types.
func (s *TableScorer) Expects(names []string) string { return s.stream.Expects(names) }

// Rows, Tiers and Unseen say what the pieces so far come to: how many rows they
// have, how many of each tier, and how many values training never met, which
// are scored as the level other.
func (s *TableScorer) Rows() int { return s.rows }

// Unseen is described at Rows.
func (s *TableScorer) Unseen() int { return s.unseen }

// Tiers is described at Rows.
func (s *TableScorer) Tiers() map[string]int {
	n := make(map[string]int)
	for k, count := range s.counts {
		if count > 0 {
			n[string(tiers[k])] = count
		}
	}
	return n
}

// Score returns the scores of one piece, in its order: the id where there is
// one, p_churn, health, tier and reasons. They are valid until the next call.
//
// A reason names a feature and where its value lies: which level, or on which
// side of the training median. So there are few different ones, which a reader
// can count, and none is made row by row.
func (s *TableScorer) Score(t *data.Table) (*data.Table, error) {
	f, err := s.stream.Frame(t)
	if err != nil {
		return nil, err
	}
	if s.scorer == nil || !s.bindsOnce() {
		bound, err := s.model.bind(f)
		if err != nil {
			return nil, err
		}
		s.scorer = newBlockScorer(bound, s.reasons)
	}
	s.frame = f
	s.reasons.bind(s.scorer.inputs)
	s.p, s.health, s.tier = slices.Grow(s.p[:0], t.Rows)[:t.Rows], slices.Grow(s.health[:0], t.Rows)[:t.Rows], slices.Grow(s.tier[:0], t.Rows)[:t.Rows]
	for k := range s.words {
		s.words[k] = slices.Grow(s.words[k][:0], t.Rows)[:t.Rows]
	}
	s.share(t.Rows)
	for _, k := range s.tier {
		s.counts[k]++
	}
	s.rows += t.Rows
	s.unseen += s.scorer.Unseen()
	return s.table(t), nil
}

// bindsOnce reports whether a scorer bound to one piece serves for all: where
// there are levels, their codes change from one to the next.
func (s *TableScorer) bindsOnce() bool {
	return len(s.model.Tables) == 0 && s.model.Scorecard == nil && len(s.model.Pairs) == 0 &&
		!slices.ContainsFunc(s.model.Terms, func(t Term) bool { return t.Kind == string(features.LevelKind) })
}

// share has goroutines score the rows, block by block.
func (s *TableScorer) share(rows int) {
	const some = 2 * blockRows
	var next atomic.Int64
	data.Together(len(s.blocks), func(worker int) { // the first here, where the data are near
		for from := int(next.Add(some)) - some; from < rows; from = int(next.Add(some)) - some {
			for at := from; at < min(from+some, rows); at += blockRows {
				s.score(s.blocks[worker], at, min(blockRows, rows-at))
			}
		}
	})
}

// score scores n rows from a row on, at most blockRows.
func (s *TableScorer) score(b *scoreBlock, from, n int) {
	b.fill(s.scorer, from, n)
	p := s.p[from : from+n]
	copy(p, b.z[:n])
	s.model.calibrate(p, s.frame, from)
	for i, z := range p {
		p[i] = Sigmoid(z)
		h := s.model.Score.Health(p[i])
		s.health[from+i] = h
		s.tier[from+i] = int32(slices.Index(tiers[:], s.model.Score.Tier(p[i], h)))
	}
	for k := range s.words {
		words := s.words[k][from : from+n]
		for i, word := range b.word[k][:n] {
			words[i] = int32(word)
		}
	}
}

// table returns the columns of the piece's scores.
func (s *TableScorer) table(of *data.Table) *data.Table {
	t := &data.Table{Name: "scores", Rows: of.Rows}
	if s.id != "" {
		t.Columns = append(t.Columns, *of.Column(s.id))
	}
	t.Columns = append(t.Columns,
		data.Column{Name: "p_churn", Kind: data.Float, Floats: s.p},
		data.Column{Name: "health", Kind: data.Float, Floats: s.health},
		data.Column{Name: "tier", Kind: data.Text, Codes: s.tier, Dict: tierTexts})
	for k := range s.words {
		t.Columns = append(t.Columns, data.Column{
			Name: fmt.Sprintf("reason_%d", k+1), Kind: data.Text, Codes: s.words[k], Dict: s.reasons.texts})
	}
	return t
}

var tierTexts = []string{string(AtRisk), string(Watch), string(Healthy), string(Loyal)}
