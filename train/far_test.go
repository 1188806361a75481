// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// farFrom answers for the shards of rows, each of which a worker of its own sums.
func farFrom(t *testing.T, rows *memoryRows, change func([]Answer) []Answer) *Far {
	t.Helper()
	far := &Far{Rows: make([]int, rows.shards)}
	for i := range rows.frame.Rows {
		far.Rows[shardOf(rows.frame.Rows[i].Group, rows.shards)]++
	}
	far.Ask = func(_ context.Context, task *Task, shards int) ([]Answer, error) {
		var answers []Answer
		for k := range shards {
			sums, err := task.Sum(rows, k)
			if err != nil {
				return nil, err
			}
			b, err := sums.MarshalBinary()
			if err != nil {
				return nil, err
			}
			if sums.Rows > 0 {
				answers = append([]Answer{{k, b}}, answers...)
			}
		}
		return change(answers), nil
	}
	return far
}

// Sums of shards elsewhere are those of shards here to the bit, empty shards and
// parts included.
func TestFarIsLocal(t *testing.T) {
	f := process(600, 6, crossedTruth)
	m := mustFit(t, f, Options{Seed: 1})
	for i := range f.Rows { // few groups, so that some shards are empty
		f.Rows[i].Group = f.Rows[i%20].Group
	}
	rows := &memoryRows{frame: f, shards: 40, block: 13}
	far := farFrom(t, rows, func(a []Answer) []Answer { return a })
	for _, task := range []Task{{}, {Hessian: true}, {Scores: true}, {Hessian: true, Part: .3}, {Hessian: true, Scores: true}} {
		task.Logit, task.Theta = &m.Logit, rawOf(&m.Logit)
		want, err := Local{rows, 2}.Sum(context.Background(), &task)
		if err != nil {
			t.Fatal(err)
		}
		got, err := far.Sum(context.Background(), &task)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(upper(want), upper(got)); diff != "" {
			t.Errorf("%+v: %s", task, diff)
		}
	}
	if !slices.Contains(far.Rows, 0) {
		t.Error("no shard is empty")
	}
}

// upper returns sums without what lies below the diagonals, where nobody looks.
func upper(s *Sums) *Sums {
	for _, m := range [][]float64{s.Hessian, s.Scores} {
		n := len(s.Gradient)
		for i := range m {
			if i%n < i/n {
				m[i] = 0
			}
		}
	}
	return s
}

// An answer that is lost, doubled, cut, or to another question is refused.
func TestFarRefuses(t *testing.T) {
	f := process(200, 6, crossedTruth)
	m := mustFit(t, f, Options{Seed: 1, Stages: StagesLinear})
	rows := &memoryRows{frame: f, shards: 4, block: 50}
	other := &Task{Logit: &m.Logit, Theta: rawOf(&m.Logit), Scores: true}
	for want, change := range map[string]func(a []Answer) []Answer{
		"none of shard 2":            func(a []Answer) []Answer { return append(a[:1:1], a[2:]...) },
		"two of shard 3":             func(a []Answer) []Answer { return append(a, a[0]) },
		"one of shard 4":             func(a []Answer) []Answer { a[0].Shard = 4; return a },
		"one of shard -1":            func(a []Answer) []Answer { a[0].Shard = -1; return a },
		"is cut off or no":           func(a []Answer) []Answer { a[2].Sums = a[2].Sums[:len(a[2].Sums)-8]; return a },
		"one of 8 bytes, which is c": func(a []Answer) []Answer { a[2].Sums = a[2].Sums[:8]; return a },
		"rows of shard 0, which has": func(a []Answer) []Answer { a[3].Sums[16]++; return a },
		"to another question": func(a []Answer) []Answer {
			sums, _ := other.Sum(rows, 3)
			a[0].Sums, _ = sums.MarshalBinary()
			return a
		},
	} {
		_, err := farFrom(t, rows, change).Sum(context.Background(), &Task{Logit: &m.Logit, Theta: rawOf(&m.Logit), Hessian: true})
		if !errors.Is(err, ErrAnswer) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
