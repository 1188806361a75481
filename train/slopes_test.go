// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// segmented returns n rows of four numbers in three segments, whose slopes on the
// first number differ from the common one by the given amounts. Rows follow each
// other a minute apart; turn says after which share of them the differences change
// sign.
func segmented(n int, differences [3]float64, turn float64, seed uint64) *features.Frame {
	r := rand.New(rand.NewPCG(seed, 3))
	f := process(n, seed, func([]float64, bool) float64 { return 0 })
	f.Columns = f.Columns[:4]
	var segment []string
	for i := range f.Rows {
		k := r.IntN(3)
		segment = append(segment, []string{"large", "middle", "small"}[k])
		d := differences[k]
		if float64(i) > turn*float64(n) {
			d = -d
		}
		row := &f.Rows[i]
		row.Y = 0
		if r.Float64() < predict.Sigmoid(-1+(.8+d)*f.Columns[0].Num[i]-.4*f.Columns[1].Num[i]) {
			row.Y = 1
		}
		row.Snapshot = int64(i) * int64(time.Minute)
		row.Due, row.Mature = row.Snapshot+1, row.Snapshot+1
	}
	c := levelColumn("segment", segment...)
	c.Feature.From, c.Feature.Agg, c.Feature.Column = features.FromAccount, features.SegmentFact, ""
	f.Columns = append(f.Columns, c)
	return f
}

// slopesOf returns what each segment's slope on the first number differs by,
// as far as slopes say.
func slopesOf(m *predict.Model) map[string]float64 {
	out := map[string]float64{}
	for _, p := range m.Pairs {
		if p.Sides[0].Feature == "segment" && p.Sides[1].Feature == "a" && p.Sides[1].Kind == predict.Linear {
			for _, c := range p.Cells {
				out[p.Sides[0].Levels[c.I]] = c.Weight
			}
		}
	}
	return out
}

// Slopes that differ are found, drawn together, and stated with errors; reasons
// sum to the log-odds; workers and the order of rows leave no trace. Slopes that
// are alike are mostly left alone, and so they are where it is asked for.
func TestSlopesOfSegments(t *testing.T) {
	f := segmented(2500, [3]float64{.8, 0, -.8}, 1, 1)
	o := Options{Stages: StagesSplines}
	m := mustFit(t, f, o)
	if chosen := chosenStage(m); chosen.Stage != "slopes" {
		t.Fatalf("chosen %+v of %+v", chosen, m.Provenance.Contest)
	}
	got := slopesOf(m)
	// The common slope and three differences share what there is: only
	// differences between segments are known. A standard error is about .15.
	for _, test := range []struct {
		a, b string
		want float64
	}{{"large", "middle", .8}, {"middle", "small", .8}} {
		if d := got[test.a] - got[test.b]; d < test.want-.4 || d > test.want+.3 {
			t.Errorf("%s against %s: %.2f, want about %.2f: %v", test.a, test.b, d, test.want, got)
		}
	}
	for _, p := range m.Pairs {
		for _, c := range p.Cells {
			if !(c.SE > 0 && c.SE < .5) {
				t.Errorf("a slope of %s with standard error %v", p.Sides[1].Feature, c.SE)
			}
		}
	}
	checkReasonsSum(t, m, f)
	o.Workers = 3
	order := rand.New(rand.NewPCG(5, 5)).Perm(len(f.Rows))
	if again := mustFit(t, f.Select(order), o); !bytes.Equal(marshal(t, m), marshal(t, again)) {
		t.Error("three workers and another order give another model")
	}
	if one := mustFit(t, f, Options{Stages: StagesSplines, Segments: SegmentsIntercepts}); len(one.Pairs) > 0 {
		t.Error("slopes although only intercepts were asked for")
	}
	f.Columns[4].Feature.Agg = features.PhaseFact // lifecycle phases are treated alike
	if phases := mustFit(t, f, Options{Stages: StagesSplines}); len(phases.Pairs) != len(m.Pairs) {
		t.Errorf("%d slopes of phases, %d of segments", len(phases.Pairs), len(m.Pairs))
	}
	taken := 0
	for seed := range uint64(8) {
		alike := mustFit(t, segmented(1200, [3]float64{}, 1, 10+seed), Options{Stages: StagesSplines, Calibration: CalibrationNone})
		if chosenStage(alike).Stage == "slopes" {
			taken++
		}
	}
	if taken > 2 { // the studies that set the rule found 4 of 60
		t.Errorf("slopes that are alike are taken in %d of 8 samples", taken)
	}
}

// Where rows have a time, slopes must also predict later rows better: those that
// turn round before the end do not, though most rows out of fold gain by them.
func TestSlopesMustLast(t *testing.T) {
	for _, test := range []struct {
		name string
		turn float64
		want bool
	}{{"lasting", 1, true}, {"turning", .85, false}} {
		m := mustFit(t, segmented(2500, [3]float64{1, 0, -1}, test.turn, 2), Options{Stages: StagesSplines, Time: true})
		var later *predict.Gain
		for _, c := range m.Provenance.Contest {
			if c.Stage == "slopes" {
				later = c.Later
			}
		}
		if later == nil || later.Holds != test.want || (len(m.Pairs) > 0) != test.want {
			t.Errorf("%s: %d slopes, on later rows %+v", test.name, len(m.Pairs), later)
		}
	}
}

// checkReasonsSum checks that contributions and the reference sum to the
// calibrated log-odds of every row.
func checkReasonsSum(t *testing.T, m *predict.Model, f *features.Frame) {
	t.Helper()
	z, err := m.LogOdds(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	m.Calibrate(z, f)
	parts, err := m.Contributions(nil, f)
	if err != nil {
		t.Fatal(err)
	}
	n := len(m.Terms)
	for i := range z {
		sum := m.Score.ZRef
		for _, part := range parts[i*n : i*n+n] {
			sum += part
		}
		if math.Abs(sum-z[i]) > 1e-9 {
			t.Fatalf("row %d: reasons sum to %v, want %v", i, sum, z[i])
		}
	}
}
