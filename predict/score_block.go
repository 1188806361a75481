// SPDX-License-Identifier: Apache-2.0

package predict

import "slices"

// blockRows is the number of rows of a block: what a block holds of a row then
// stays in the fastest cache while the terms pass over it. The kernel in
// assembly knows it.
const blockRows = 256

// A scoreBlock holds the raw log-odds of a block of rows and the reasons that
// raise them most. The kernel in assembly knows the order of its first fields.
type scoreBlock struct {
	z [blockRows]float64
	// The largest effects, which are positive, and the words of each: the first
	// term of equal ones first; 0 and -1 where there are no more.
	top  [reasonCount][blockRows]float64
	word [reasonCount][blockRows]int64

	f       [blockRows]float64 // of one term
	x       []*float64         // where the columns of lines begin
	effects []float64          // where terms do not stand alone
}

// A blockScorer is what blocks of rows of a piece are scored with.
type blockScorer struct {
	*Scorer
	words     *reasonWords
	onePillar bool     // reasons are in order of size
	separable bool     // each feature's effect is that of its term and of no other part
	runs      []*lines // by term: the lines that begin with it
}

func newBlockScorer(s *Scorer, words *reasonWords) *blockScorer {
	m := s.model
	b := &blockScorer{Scorer: s, words: words}
	b.onePillar = !slices.ContainsFunc(m.Terms, func(t Term) bool { return t.Pillar != m.Terms[0].Pillar })
	c := &m.Calibration
	b.separable = len(s.parts) == len(s.inputs) && s.card == nil && (c.Segments == nil || !c.Additive())
	if !b.separable {
		return b
	}
	b.runs = make([]*lines, len(s.inputs))
	var run *lines
	for j := range s.inputs {
		p := s.parts[j].(*termPart)
		if !p.isLine() {
			run = nil
			continue
		}
		if run == nil {
			run = &lines{first: j, slope: c.ReasonSlope()}
			b.runs[j] = run
		}
		run.add(p, m.Terms[j].RefMean, m.Terms[j].Median, words.first[j])
	}
	return b
}

// fill scores n rows from a row on.
func (b *scoreBlock) fill(s *blockScorer, from, n int) {
	for k := range b.word {
		clear(b.top[k][:n])
		for i := range b.word[k][:n] {
			b.word[k][i] = -1
		}
	}
	if s.onePillar && s.separable {
		b.addTerms(s, from, n)
		return
	}
	b.effects = slices.Grow(b.effects[:0], n*len(s.inputs))[:n*len(s.inputs)]
	s.contributions(b.effects, from)
	if s.onePillar {
		b.rankAll(s, from, n)
	} else {
		b.choose(s, from, n)
	}
	s.logOdds(b.z[:n], from)
}

// addTerms adds term after term to the log-odds and to the largest effects.
func (b *scoreBlock) addTerms(s *blockScorer, from, n int) {
	for i := range b.z[:n] {
		b.z[i] = s.model.Intercept
	}
	slope := s.model.Calibration.ReasonSlope()
	for j := 0; j < len(s.parts); {
		if run := s.runs[j]; run != nil {
			b.addLines(run, from, n)
			j += len(run.parts)
			continue
		}
		clear(b.f[:n])
		s.parts[j].add(b.f[:n], from)
		for i, f := range b.f[:n] {
			b.z[i] += f
			b.rank(s.words, slope*(f-s.model.Terms[j].RefMean), j, from, i)
		}
		j++
	}
}

// addLinesGo adds lines in the block's rows from done to n−1.
func (b *scoreBlock) addLinesGo(l *lines, from, done, n int) {
	for k, p := range l.parts {
		for i, x := range p.column.Num[from+done : from+n] {
			f := p.at(x)
			b.z[done+i] += f
			if e := l.slope * (f - l.ref[k]); e > b.top[reasonCount-1][done+i] {
				b.insert(e, l.wide[k].word[0]+side(x, l.wide[k].median[0]), done+i)
			}
		}
	}
}

// rankAll finds the largest of n rows of effects.
func (b *scoreBlock) rankAll(s *blockScorer, from, n int) {
	terms := len(s.inputs)
	for i := range n {
		for j, e := range b.effects[i*terms : (i+1)*terms] {
			b.rank(s.words, e, j, from, i)
		}
	}
}

// choose finds the reasons in n rows of effects where pillars go first.
func (b *scoreBlock) choose(s *blockScorer, from, n int) {
	terms := len(s.inputs)
	for i := range n {
		chosen := s.model.chosen(s.model.Explain(b.effects[i*terms:(i+1)*terms]), 1)
		for k, j := range chosen[:min(reasonCount, len(chosen))] {
			b.word[k][i] = int64(s.words.word(j, from+i))
		}
	}
}

// rank puts the effect e of a term in row i of the block in its place, where it
// is one of the largest.
func (b *scoreBlock) rank(words *reasonWords, e float64, term, from, i int) {
	if e > b.top[reasonCount-1][i] {
		b.insert(e, int64(words.word(term, from+i)), i)
	}
}

// insert puts an effect that is larger than the last in its place: after those
// that are as large.
func (b *scoreBlock) insert(e float64, word int64, i int) {
	k := reasonCount - 1
	for ; k > 0 && e > b.top[k-1][i]; k-- {
		b.top[k][i], b.word[k][i] = b.top[k-1][i], b.word[k-1][i]
	}
	b.top[k][i], b.word[k][i] = e, word
}
