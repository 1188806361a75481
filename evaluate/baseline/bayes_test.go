// SPDX-License-Identifier: Apache-2.0

package baseline

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
)

// golearn's labels are those of the definition: the class c that maximises
// ln P(c) + Σ_j ln P(x_j | c), with P(x_j = 1 | c) = (rows of c with the flag + 1) / (rows of c + 1).
func TestBayesMatchesItsDefinition(t *testing.T) {
	for _, size := range []struct{ rows, columns int }{{1500, 6}, {300, 400}} {
		f := drawn(size.rows, size.columns, 7)
		predictor, err := fitBayes(f)
		if err != nil {
			t.Fatal(err)
		}
		b := predictor.(*bayes)
		got, err := b.labels(f)
		if err != nil {
			t.Fatal(err)
		}
		rows := sample(len(f.Rows), maxRows)
		rows = rows[:min(len(rows), maxCells/b.encoding.width()+1)]
		if want := definition(t, b, f, rows); !slices.Equal(got, want) {
			t.Errorf("%d rows, %d columns: labels differ", size.rows, size.columns)
		}
	}
}

func definition(t *testing.T, b *bayes, f *features.Frame, rows []int) []int64 {
	t.Helper()
	score := [2][]float64{make([]float64, len(f.Rows)), make([]float64, len(f.Rows))}
	var n [2]float64
	for _, r := range rows {
		n[f.Rows[r].Y]++
	}
	for j := range b.encoding.width() {
		flag, err := b.flags(f, j)
		if err != nil {
			t.Fatal(err)
		}
		var with [2]float64
		for _, r := range rows {
			with[f.Rows[r].Y] += float64(flag(r))
		}
		for c := range score {
			p := (with[c] + 1) / (n[c] + 1)
			for i := range f.Rows {
				switch {
				case flag(i) == 1:
					score[c][i] += math.Log(p)
				case p == 1:
					score[c][i] += math.Log(1 / (n[c] + 1))
				default:
					score[c][i] += math.Log(1 - p)
				}
			}
		}
	}
	labels := make([]int64, len(f.Rows))
	for i := range labels {
		if score[1][i]+math.Log(n[1]/float64(len(rows))) > score[0][i]+math.Log(n[0]/float64(len(rows))) {
			labels[i] = 1
		}
	}
	return labels
}

func TestBayesWithoutAnythingToLearnFrom(t *testing.T) {
	f := drawn(300, 0, 5)
	f.Columns = f.Columns[:1] // the constant one
	if _, err := Bayes().Fit(context.Background(), f); err == nil || !strings.Contains(err.Error(), "no column varies") {
		t.Errorf("a constant column: %v", err)
	}
	f = drawn(300, 2, 5)
	for i := range f.Rows {
		f.Rows[i].Y = 1
	}
	predictor, err := Bayes().Fit(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := predictor.Prob(nil, f); err != nil || p[0] < 0.9 {
		t.Errorf("everybody churned: %v, %v", p[0], err)
	}
}
