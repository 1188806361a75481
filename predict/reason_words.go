// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"slices"

	"github.com/holdfast-churn/holdfast/features"
)

// reasonWords are the texts of all the reasons that the scores of ready tables
// can give: a number at most the training median, above it or missing; a level
// that the model knows, missing or any other.
type reasonWords struct {
	texts []string
	// By term.
	first   []int32 // number of the first of its texts
	medians []float64
	levels  [][]string // nil for numbers
	// By term, of a piece of the table.
	numbers [][]float64
	codes   [][]int32
	byCode  [][]int32 // of levels: number of the text, code -1 first
}

// Texts of a number, from the first one of its term.
const (
	atMostMedian = iota
	aboveMedian
	missingNumber
)

func newReasonWords(terms []Term) *reasonWords {
	n := len(terms)
	w := &reasonWords{first: make([]int32, n), medians: make([]float64, n), levels: make([][]string, n),
		numbers: make([][]float64, n), codes: make([][]int32, n), byCode: make([][]int32, n)}
	for j := range terms {
		t := &terms[j]
		w.first[j], w.medians[j] = int32(len(w.texts)), t.Median
		say := func(value string) { w.texts = append(w.texts, t.Pillar+": "+t.Label+": "+value) }
		if t.Kind == string(features.LevelKind) {
			w.levels[j] = t.levelNames()
			for _, level := range w.levels[j] {
				say(levelText(level))
			}
			say("another level")
			continue
		}
		say("at most " + numberText(t.Median))
		say("above " + numberText(t.Median))
		say("missing")
	}
	return w
}

// levelNames returns the levels that a term knows, missing among them.
func (t *Term) levelNames() []string {
	names := append([]string{MissingLevel}, t.Pooled...)
	for k := range t.Columns {
		if b := &t.Columns[k]; b.Level != OtherLevel && !slices.Contains(names, b.Level) {
			names = append(names, b.Level)
		}
	}
	return names
}

// bind points the words at a piece of the table.
func (w *reasonWords) bind(inputs []Input) {
	for j, names := range w.levels {
		w.numbers[j], w.codes[j] = inputs[j].column.Num, inputs[j].column.Codes
		if names == nil {
			continue
		}
		c := inputs[j].column
		w.byCode[j] = w.byCode[j][:0]
		for code := range len(c.Levels) + 1 {
			k := slices.Index(names, levelName(c, code-1))
			if k < 0 {
				k = len(names)
			}
			w.byCode[j] = append(w.byCode[j], w.first[j]+int32(k))
		}
	}
}

// word returns the number of the text for a term in a row.
func (w *reasonWords) word(term, row int) int32 {
	if codes := w.codes[term]; codes != nil {
		return w.byCode[term][codes[row]+1]
	}
	return w.first[term] + int32(side(w.numbers[term][row], w.medians[term]))
}

// side says where a number lies: at most the median, above it, or nowhere.
func side(x, median float64) int64 {
	switch {
	case x != x:
		return missingNumber
	case x > median:
		return aboveMedian
	}
	return atMostMedian
}
