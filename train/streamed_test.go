// SPDX-License-Identifier: Apache-2.0

package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// memoryRows cut a frame into shards of groups and those into blocks.
type memoryRows struct {
	frame  *features.Frame
	shards int
	block  int
	failAt int64 // call of Shard from which on it fails; 0 for never
	calls  atomic.Int64
}

func shardOf(group string, shards int) int { return features.Cut{Shards: shards}.Shard(group) }

var errDisk = errors.New("the disk is gone")

func (m *memoryRows) Shards() int { return m.shards }

func (m *memoryRows) Shard(k int, work func(*features.Frame) error) error {
	if n := m.calls.Add(1); m.failAt > 0 && n >= m.failAt {
		return errDisk
	}
	rows := m.frame.Where(func(r *features.Row) bool { return shardOf(r.Group, m.shards) == k })
	for part := range slices.Chunk(rows, m.block) {
		if err := work(m.frame.Select(part)); err != nil {
			return err
		}
	}
	return nil
}

func mustFitRows(t *testing.T, f, all *features.Frame, o Options) *predict.Model {
	t.Helper()
	spec := specOf(all)
	f.SpecDigest = all.SpecDigest
	m, err := FitRows(context.Background(), f, Local{&memoryRows{frame: all, shards: 7, block: 100}, max(1, o.Workers)}, spec, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// everyWeight returns the intercept, all weights of a model, and its mean
// contributions.
func everyWeight(m *predict.Model) []float64 {
	out := weightsOf(m)
	for j := range m.Terms {
		out = append(out, m.Terms[j].RefMean)
	}
	for k := range m.Pairs {
		for _, c := range m.Pairs[k].Cells {
			out = append(out, c.Weight)
		}
	}
	for k := range m.Tables {
		for i := range m.Tables[k].Rules {
			out = append(out, m.Tables[k].Rules[i].Weight)
		}
	}
	return append(out, m.Intercept, m.Score.ZRef)
}

func everyError(m *predict.Model) (out []float64) {
	for j := range m.Terms {
		t := &m.Terms[j]
		for k := range t.Columns {
			out = append(out, t.Columns[k].SE)
		}
		out = append(out, t.Effect.Estimate, t.Effect.Low, t.Effect.High, t.Share)
	}
	return out
}

func wantNear(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tolerance*max(1, math.Abs(want[i]))) {
			t.Errorf("%s: value %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// Where the sample is all rows, a streamed fit is the one in memory, of whatever
// columns: weights to 1e-9; errors, which read a matrix taken one step before the
// optimum, to 1e-5.
func TestStreamedIsTheFitInMemory(t *testing.T) {
	curved, crossed := process(1500, 3, curvedTruth), process(2500, 4, crossedTruth)
	snapshots := history(900, -1, 5)
	for i := range snapshots.Rows { // three rows a group, not beside each other, and a rare level that is clipped
		snapshots.Rows[i].Group = snapshots.Rows[i%300].Group
		snapshots.Rows[i].Weight = 1. / 3
	}
	for name, c := range map[string]struct {
		frame *features.Frame
		o     Options
	}{
		"linear": {snapshots, Options{Seed: 1, Stages: StagesLinear}}, "curves": {curved, Options{Seed: 2, Stages: StagesSplines}},
		"pairs":      {crossed, Options{Seed: 3, Stages: StagesPairs}},
		"directions": {declared(900, 6), Options{Seed: 1, Directions: true, Stages: StagesSplines}},
	} {
		t.Run(name, func(t *testing.T) {
			want := mustFit(t, c.frame, c.o)
			got := mustFitRows(t, c.frame, c.frame, c.o)
			if name == "pairs" && len(got.Pairs) == 0 || name == "curves" && len(got.Terms[0].Knots) == 0 {
				t.Fatalf("the contest chose no %s", name)
			}
			wantNear(t, "weights", everyWeight(got), everyWeight(want), 1e-9)
			wantNear(t, "errors", everyError(got), everyError(want), 1e-5)
			p, q := got.Provenance, want.Provenance
			if s := p.Streamed; s == nil || s.Sample != len(c.frame.Rows) || s.Matrices != 2 || s.Passes < 3 {
				t.Errorf("provenance: %+v", s)
			}
			if p.Rows != q.Rows || p.Churned != q.Churned || p.Renewals != q.Renewals || p.Lambda != q.Lambda || q.Streamed != nil {
				t.Errorf("provenance %+v, in memory %+v", p, q)
			}
		})
	}
}

// recorded are rows whose tasks are kept.
type recorded struct {
	Summer
	tasks []Task
}

func (r *recorded) Sum(ctx context.Context, t *Task) (*Sums, error) {
	r.tasks = append(r.tasks, *t)
	return r.Summer.Sum(ctx, t)
}

// Of many rows a tenth leads to near the optimum, and a few passes over all remain;
// it is the same optimum.
func TestStreamedIsLedByAPart(t *testing.T) {
	f := history(60_000, -1, 9)
	spec := specOf(f)
	few := f.Select(f.Where(func(r *features.Row) bool { return crc32.ChecksumIEEE([]byte(r.Group))%40 == 7 }))
	few.SpecDigest = f.SpecDigest
	rows := &recorded{Summer: Local{&memoryRows{frame: f, shards: 10, block: 1000}, 2}}
	got, err := FitRows(context.Background(), few, rows, spec, Options{Seed: 1, Stages: StagesLinear})
	if err != nil {
		t.Fatal(err)
	}
	whole, led := 0, 0
	for _, task := range rows.tasks {
		switch task.Part {
		case 0:
			whole++
		case leadShare:
			led++
		}
	}
	if led < 3 || whole > 4 || got.Provenance.Streamed.Passes != whole {
		t.Errorf("%d tasks are of a tenth, %d of all rows, and the model says %d", led, whole, got.Provenance.Streamed.Passes)
	}
	fit, err := newton(context.Background(), newDesign(mustSample(t, f), got.Terms, 2), got.Provenance.Lambda)
	if err != nil {
		t.Fatal(err)
	}
	wantNear(t, "weights", weightsOf(got), fit.theta, 1e-9)
}

// With a sample of half the groups the weights are the optimum of all rows under
// the columns and the penalty of the sample, and their errors those of all rows.
func TestStreamedFitsAllRows(t *testing.T) {
	f := history(3000, -1, 9)
	half := f.Select(f.Where(func(r *features.Row) bool { return crc32.ChecksumIEEE([]byte(r.Group))%2 == 0 }))
	specOf(f)
	half.SpecDigest = f.SpecDigest
	got := mustFitRows(t, half, f, Options{Seed: 1, Stages: StagesLinear})
	s := mustSample(t, f)
	d := newDesign(s, got.Terms, 2)
	fit, err := newton(context.Background(), d, got.Provenance.Lambda)
	if err != nil {
		t.Fatal(err)
	}
	wantNear(t, "weights", weightsOf(got), fit.theta, 1e-9)
	group, groups := groupsOf(s.frame.Rows)
	v, at := clusteredVariance(d, fit, group, groups), 1
	for j := range got.Terms {
		for k := range got.Terms[j].Columns {
			if se := math.Sqrt(v[at*d.cols+at]); math.Abs(got.Terms[j].Columns[k].SE/se-1) > 1e-5 {
				t.Errorf("%s: standard error %v, want %v", got.Terms[j].Feature, got.Terms[j].Columns[k].SE, se)
			}
			at++
		}
	}
	if got.Provenance.Rows != 3000 || got.Provenance.Streamed.Sample != len(half.Rows) {
		t.Errorf("provenance %+v", got.Provenance)
	}
}

// A streamed model has the same bytes for any number of workers.
func TestStreamedIsDeterministic(t *testing.T) {
	f := process(1500, 5, curvedTruth)
	part := f.Select(f.Where(func(r *features.Row) bool { return crc32.ChecksumIEEE([]byte(r.Group))%3 > 0 }))
	var first []byte
	for _, workers := range []int{1, 2, 5} {
		b := marshal(t, mustFitRows(t, part, f, Options{Seed: 1, Workers: workers, Stages: StagesSplines}))
		if first == nil {
			first = b
		}
		if !bytes.Equal(first, b) {
			t.Errorf("%d workers give another model", workers)
		}
	}
}

// A sample that misleads is overruled, and the model says that it took longer.
func TestStreamedSaysWhenTheSampleMisleads(t *testing.T) {
	f := history(4000, -1, 10)
	half := f.Select(f.Where(func(r *features.Row) bool { return crc32.ChecksumIEEE([]byte(r.Group))%2 == 0 }))
	for i := range f.Rows { // all rows are nearly separable, the sample is not
		f.Rows[i].Y = 0
		if 3*f.Columns[0].Num[i] < -1 {
			f.Rows[i].Y = 1
		}
	}
	m := mustFitRows(t, half, f, Options{Seed: 1, Lambda: 0.01, Stages: StagesLinear})
	if s := m.Provenance.Streamed; s.Matrices < 2 {
		t.Errorf("provenance %+v: expected more matrices than one", s)
	}
}

// What fails while rows are read is returned, wherever it happens.
func TestStreamedReturnsErrors(t *testing.T) {
	f := process(400, 5, curvedTruth)
	spec := specOf(f)
	whole := &memoryRows{frame: f, shards: 5, block: 50}
	if _, err := FitRows(context.Background(), f, Local{whole, 1}, spec, Options{Stages: StagesLinear}); err != nil {
		t.Fatal(err)
	}
	for fail := int64(1); fail <= whole.calls.Load(); fail += 3 {
		_, err := FitRows(context.Background(), f, Local{&memoryRows{frame: f, shards: 5, block: 50, failAt: fail}, 1}, spec, Options{Stages: StagesLinear})
		if !errors.Is(err, errDisk) {
			t.Errorf("failing at call %d: %v", fail, err)
		}
	}
	for _, o := range []Options{{Weights: WeightsValue}, {Scorecard: new(predict.Scorecard), ScorecardWorth: math.Inf(1)}} {
		if _, err := FitRows(context.Background(), f, Local{&memoryRows{frame: f, shards: 5, block: 50}, 1}, spec, o); !errors.Is(err, errFitRows) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	all := *f
	all.Rows = slices.Clone(f.Rows)
	all.Rows[3].Y = features.Unknown
	var row *RowError
	if _, err := FitRows(context.Background(), f, Local{&memoryRows{frame: &all, shards: 5, block: 50}, 1}, spec, Options{}); !errors.As(err, &row) {
		t.Errorf("a row without an outcome: %v", err)
	}
}

// A task survives the way to another process and back, and sums of shards add up
// to the sums of all.
func TestTaskTravels(t *testing.T) {
	f := process(600, 6, crossedTruth)
	m := mustFit(t, f, Options{Seed: 1})
	task := Task{Logit: &m.Logit, Theta: rawOf(&m.Logit), Hessian: true, Scores: true}
	text, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	rows := &memoryRows{frame: f, shards: 3, block: 64}
	var sums Sums
	for k := range 3 {
		var there Task
		if err := json.Unmarshal(text, &there); err != nil {
			t.Fatal(err)
		}
		part, err := there.Sum(rows, k)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		var back Sums
		if err := json.Unmarshal(answer, &back); err != nil {
			t.Fatal(err)
		}
		sums.Add(&back)
	}
	want, err := Local{rows, 2}.Sum(context.Background(), &task)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2][]float64{"gradient": {sums.Gradient, want.Gradient}, "hessian": {sums.Hessian, want.Hessian},
		"scores": {sums.Scores, want.Scores}, "columns": {sums.Columns, want.Columns}, "loss": {{sums.Loss}, {want.Loss}}} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s differs after its way through JSON", name)
		}
	}
	if _, err := (&Task{Logit: &m.Logit, Theta: task.Theta[1:]}).Sum(rows, 0); err == nil {
		t.Error("a task with too few weights is accepted")
	}
}
