// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// process returns n rows of five normal numbers and a level, one row an account,
// whose log-odds are z(x, level).
func process(n int, seed uint64, z func(x []float64, pro bool) float64) *features.Frame {
	r := rand.New(rand.NewPCG(seed, 2))
	f := &features.Frame{}
	x := make([][]float64, 5)
	var plan []string
	row := make([]float64, len(x))
	for i := range n {
		for k := range x {
			row[k] = r.NormFloat64()
			x[k] = append(x[k], row[k])
		}
		plan = append(plan, []string{"basic", "pro"}[r.IntN(2)])
		y := int8(0)
		if r.Float64() < predict.Sigmoid(z(row, plan[i] == "pro")) {
			y = 1
		}
		account := string(rune(0x4e00 + i))
		f.Rows = append(f.Rows, features.Row{Account: account, Contract: account, Group: account, Y: y, Weight: 1})
	}
	for k, name := range []string{"a", "b", "c", "d", "e"} {
		f.Columns = append(f.Columns, numberColumn(name, x[k]...))
	}
	f.Columns = append(f.Columns, levelColumn("plan", plan...))
	return f
}

func linearTruth(x []float64, pro bool) float64 {
	z := -.7 + x[0] - .6*x[1] + .3*x[2]
	if pro {
		z += .5
	}
	return z
}

func curvedTruth(x []float64, _ bool) float64 { return -1 + 1.2*(x[0]*x[0]-1) - .5*x[1] }

func crossedTruth(x []float64, pro bool) float64 {
	if pro {
		return -.5 + 1.5*x[0]
	}
	return -.5 - 1.5*x[0]
}

// threeWayTruth holds what pairs do not say.
func threeWayTruth(x []float64, pro bool) float64 {
	z := -2.5
	if (x[0] > 0) != (x[1] > 0) != pro {
		z += 5
	}
	return z
}

func chosenStage(m *predict.Model) predict.Contestant {
	for _, c := range m.Provenance.Contest {
		if c.Chosen {
			return c
		}
	}
	return predict.Contestant{}
}

// trueLoss is the mean log loss that a model's probabilities have under the
// truth, on rows it has not seen.
func trueLoss(t *testing.T, m *predict.Model, z func(x []float64, pro bool) float64) float64 {
	t.Helper()
	f := process(4000, 99, z)
	f.SpecDigest = m.Spec.Digest()
	got, err := m.LogOdds(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	loss, x := 0.0, make([]float64, 5)
	for i := range got {
		for k := range x {
			x[k] = f.Columns[k].Num[i]
		}
		level := &f.Columns[5]
		p := predict.Sigmoid(z(x, level.Levels[level.Codes[i]] == "pro"))
		loss += (predict.Softplus(got[i]) - p*got[i]) / float64(len(got))
	}
	return loss
}

// The contest finds what a process holds: on 1,000 rows of a linear one it loses
// no more than .002 on the linear model, and mostly takes it; a curve is taken as
// splines, a product as pairs or tables. What was tried is in the provenance.
func TestContestFindsTheProcess(t *testing.T) {
	kept := 0
	const histories = 4
	for seed := range uint64(histories) {
		f := process(1000, seed+1, linearTruth)
		linear := mustFit(t, f, Options{Calibration: CalibrationNone})
		m := mustFit(t, f, Options{Stages: StagesAuto, Calibration: CalibrationNone})
		got, want := trueLoss(t, m, linearTruth), trueLoss(t, linear, linearTruth)
		stage := chosenStage(m)
		t.Logf("linear process %d: %s chosen, loss %.4f, linear %.4f", seed+1, stage.Stage, got, want)
		if got > want+.002 {
			t.Errorf("linear process %d: %s loses %.4f on the linear model", seed+1, stage.Stage, got-want)
		}
		if stage.Stage == "linear" {
			kept++
		}
		checkContest(t, m)
	}
	if kept < histories-1 {
		t.Errorf("the linear model was kept in %d of %d linear processes", kept, histories)
	}
	for _, test := range []struct {
		name string
		z    func([]float64, bool) float64
		want []string
		gain float64 // of the loss over the linear model's, at least
	}{
		{"curve", curvedTruth, []string{"splines"}, .05},
		{"product", crossedTruth, []string{"pairs", "tables"}, .05},
	} {
		f := process(1000, 7, test.z)
		linear := mustFit(t, f, Options{Calibration: CalibrationNone})
		m := mustFit(t, f, Options{Stages: StagesAuto, Calibration: CalibrationNone})
		stage := chosenStage(m)
		got, want := trueLoss(t, m, test.z), trueLoss(t, linear, test.z)
		t.Logf("%s: %+v, loss %.4f, linear %.4f", test.name, stage, got, want)
		if got > want-test.gain {
			t.Errorf("%s: loss %.4f, the linear model's is %.4f", test.name, got, want)
		}
		found := false
		for _, s := range test.want {
			found = found || s == stage.Stage
		}
		if !found {
			t.Errorf("%s: %s chosen, want one of %v", test.name, stage.Stage, test.want)
		}
		checkContest(t, m)
	}
}

// checkContest checks what the provenance says of the contest.
func checkContest(t *testing.T, m *predict.Model) {
	t.Helper()
	list := m.Provenance.Contest
	if len(list) < 3 || list[0].Stage != "linear" || list[1].Stage != "splines" {
		t.Fatalf("contest %+v", list)
	}
	chosen := 0
	for _, c := range list {
		if c.Chosen {
			chosen++
			if !near(c.LogLoss, m.OutOfFold.LogLoss, 1e-12) {
				t.Errorf("chosen at a loss of %v, out of fold it is %v", c.LogLoss, m.OutOfFold.LogLoss)
			}
			if c.Pairs > 0 != (len(m.Pairs) > 0) || c.Rules > 0 != (len(m.Tables) > 0) {
				t.Errorf("chosen %+v, published %d pairs and %d tables", c, len(m.Pairs), len(m.Tables))
			}
		}
		if !near(c.Gain, list[0].LogLoss-c.LogLoss, 1e-12) || !(c.SE >= 0) {
			t.Errorf("%+v gains on %+v", c, list[0])
		}
	}
	if chosen != 1 {
		t.Errorf("%d chosen of %+v", chosen, list)
	}
}

// The same rows give the same bytes, with any number of workers and in any
// order, when pairs and tables are chosen too.
func TestContestIsDeterministic(t *testing.T) {
	f := process(700, 3, threeWayTruth)
	o := Options{Stages: StagesAuto, Workers: 1}
	m := mustFit(t, f, o)
	if stage := chosenStage(m); stage.Stage != "tables" {
		t.Fatalf("%+v chosen; the test wants tables", stage)
	}
	want := marshal(t, m)
	o.Workers = 3
	if !bytes.Equal(want, marshal(t, mustFit(t, f, o))) {
		t.Error("three workers give another model")
	}
	order := rand.New(rand.NewPCG(5, 5)).Perm(len(f.Rows))
	if !bytes.Equal(want, marshal(t, mustFit(t, f.Select(order), o))) {
		t.Error("another order of rows gives another model")
	}
}

// wantScores compares the log-odds of two models on frames whose rows
// correspond, up to a sign.
func wantScores(t *testing.T, got, want *predict.Model, f, g *features.Frame, sign, tolerance float64) {
	t.Helper()
	if a, b := chosenStage(got), chosenStage(want); a.Stage != b.Stage || a.Pairs != b.Pairs || a.Rules != b.Rules {
		t.Errorf("chose %+v, want %+v", a, b)
	}
	a, err := got.LogOdds(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.LogOdds(nil, g)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(a[i]-sign*b[i]))
	}
	if worst > tolerance {
		t.Errorf("log-odds differ by up to %.3g", worst)
	}
}

// Laws of a fit with its whole selection, for processes that end in each kind
// of model: exchanged outcomes turn the log-odds round, the unit of a column
// changes nothing, and neither does a row written twice at half the weight.
func TestLawsOfTheContest(t *testing.T) {
	const tolerance = 1e-6
	for _, test := range []struct {
		stage string // that is chosen …
		most  string // … of those up to this one
		rows  int
		z     func(x []float64, pro bool) float64
	}{
		{"linear", StagesAuto, 300, linearTruth},
		{"splines", StagesAuto, 500, curvedTruth},
		{"pairs", StagesPairs, 500, crossedTruth},
		{"tables", StagesAuto, 700, threeWayTruth},
	} {
		t.Run(test.stage, func(t *testing.T) {
			f := process(test.rows, 3, test.z)
			o := Options{Stages: test.most, Calibration: CalibrationNone}
			want := mustFit(t, f, o)
			if stage := chosenStage(want); stage.Stage != test.stage {
				t.Fatalf("%+v chosen, the test wants %s", stage, test.stage)
			}
			t.Run("outcomes", func(t *testing.T) {
				g := f.Select(f.Where(func(*features.Row) bool { return true }))
				for i := range g.Rows {
					g.Rows[i].Y = 1 - g.Rows[i].Y
				}
				wantScores(t, mustFit(t, g, o), want, g, f, -1, tolerance)
			})
			t.Run("units", func(t *testing.T) {
				g := f.Select(f.Where(func(*features.Row) bool { return true }))
				for i := range g.Rows {
					g.Columns[0].Num[i] = 1e5*g.Columns[0].Num[i] + 3e4
					g.Columns[1].Num[i] *= 1e-6
				}
				wantScores(t, mustFit(t, g, o), want, g, f, 1, tolerance)
			})
			t.Run("twice", func(t *testing.T) {
				var twice []int
				for i := range f.Rows {
					twice = append(twice, i, i)
				}
				g := f.Select(twice)
				for i := range g.Rows {
					g.Rows[i].Weight = .5
				}
				wantScores(t, mustFit(t, g, o), want, f, f, 1, tolerance)
			})
		})
	}
}

// Contestants stand from few columns to many and larger penalties first, in
// whatever order they were made.
func TestSortContestants(t *testing.T) {
	made := func(pairs, rules int, pair float64) *contestant {
		return &contestant{pairs: pairs, rules: rules, penalties: penalties{pair: pair}}
	}
	want := []*contestant{made(4, 0, 30), made(4, 0, 10), made(4, 8, 10), made(8, 0, 10)}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		var list []*contestant
		for _, k := range order {
			list = append(list, want[k])
		}
		if sortContestants(list); !slices.Equal(list, want) {
			t.Errorf("order %v leads to another order", order)
		}
	}
}

// Few rows, few churned, features of one value, all but missing or with rare
// levels: a fit with all stages gives a valid model that scores to finite numbers.
func TestContestOnLittleData(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 4))
		n := 12 + r.IntN(90)
		f := process(n, seed, linearTruth)
		for i := range f.Rows {
			if r.IntN(2) == 0 {
				f.Columns[0].Num[i] = 5 // 5 or something else, hence a spike
			}
			f.Columns[1].Num[i] = []float64{nan, 3}[r.IntN(2)]
			f.Columns[2].Num[i] = math.Exp(9 * f.Columns[2].Num[i])
			if r.IntN(9) > 0 {
				f.Columns[3].Num[i] = nan
			}
			f.Columns[4].Num[i] = math.Round(f.Columns[4].Num[i])
			if seed%3 == 0 {
				f.Rows[i].Y = 0
			}
			if seed%4 == 1 {
				f.Rows[i].Group = string(rune('a' + i%3)) // some folds are empty
			}
		}
		for i := range 3 {
			f.Rows[i].Y = int8(i % 2)
		}
		m := mustFit(t, f, Options{Stages: StagesAuto})
		if err := m.Validate(); err != nil {
			t.Errorf("seed %d, %d rows: %v", seed, n, err)
		}
		z, err := m.LogOdds(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range z {
			if math.IsNaN(v) || math.Abs(v) > 50 {
				t.Errorf("seed %d, %d rows: log-odds %v of row %d", seed, n, v, i)
			}
		}
	}
}
