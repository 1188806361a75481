// SPDX-License-Identifier: Apache-2.0

package train

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// segmentSliceOf returns a calibrated slice over the named segments, n rows
// each, whose true log-odds are z plus the segment's shift; and the frame that
// it is made of.
func segmentSliceOf(n int, names []string, shifts []float64, seed uint64) (*calibrationSlice, *features.Frame) {
	r := rand.New(rand.NewPCG(seed, 7))
	c := &calibrationSlice{name: "out_of_fold", words: "test"}
	f := &features.Frame{}
	var levels []string
	for i := range n * len(names) {
		k := i % len(names)
		z, y := -1+r.NormFloat64(), 0.0
		if r.Float64() < predict.Sigmoid(z+shifts[k]) {
			y = 1
		}
		c.z, c.y, c.w = append(c.z, z), append(c.y, y), append(c.w, 1)
		c.rows, c.part, c.group = append(c.rows, i), append(c.part, i/len(names)%5), append(c.group, int32(i))
		f.Rows = append(f.Rows, features.Row{Weight: 1, Y: int8(y)})
		levels = append(levels, names[k])
	}
	f.Columns = []features.Column{levelColumn("segment", levels...)}
	return c, f
}

// Segments that differ are shifted towards the truth, less where there are few
// events; segments that do not differ are left alone in most samples.
func TestSegmentShifts(t *testing.T) {
	c, f := segmentSliceOf(1500, []string{"b", "a", "c"}, []float64{.5, -.5, 0}, 1)
	m := predict.Calibration{Method: CalibrationPlatt, Slope: 1}
	c.shiftSegments(&m, "segment", f)
	if m.Segments == nil || len(m.Segments.Shifts) != 3 || m.Segments.Shifts[0].Level != "a" {
		t.Fatalf("%+v: %s", m.Segments, m.Reason)
	}
	for k, want := range []float64{-.5, .5, 0} {
		// A standard error of a shift is about 1/sqrt(1500·.2) = .06.
		if got := m.Segments.Shifts[k].Intercept; math.Abs(got-want) > .2 {
			t.Errorf("shift of %s is %v, want about %v", m.Segments.Shifts[k].Level, got, want)
		}
	}
	if got := m.Segments.Of("unseen"); got != 0 {
		t.Errorf("an unseen segment is shifted by %v", got)
	}
	few, ff := segmentSliceOf(60, []string{"a"}, []float64{3}, 1)
	m = predict.Calibration{Method: CalibrationPlatt, Slope: 1}
	few.shiftSegments(&m, "segment", ff)
	if m.Segments != nil {
		t.Errorf("%+v for fewer than 30 renewed", m.Segments)
	}
	none, worst := 0, 0.0
	for seed := range uint64(40) {
		c, f := segmentSliceOf(800, []string{"a", "b", "c", "d"}, make([]float64, 4), seed)
		m := predict.Calibration{Method: CalibrationPlatt, Slope: 1}
		c.shiftSegments(&m, "segment", f)
		if m.Segments == nil {
			none++
			continue
		}
		for _, s := range m.Segments.Shifts {
			worst = max(worst, math.Abs(s.Intercept))
		}
	}
	// Unshrunk, the largest of 160 shifts of standard error .09 is about .25.
	if none < 15 || worst > .2 {
		t.Errorf("of 40 samples without a difference %d were left alone; the largest shift is %.3f", none, worst)
	}
}

// Reasons with segment shifts, and with isotonic, still sum to z − z_ref.
func TestReasonsSumUnderEveryCalibration(t *testing.T) {
	f := history(6000, -1, 5)
	// The plan is the segment, and churn depends on it in a way that changes
	// after the fit's past: shifts are what is left for calibration to see.
	f.Columns[5].Feature.Agg = features.SegmentFact
	r := rand.New(rand.NewPCG(9, 9))
	for i := range f.Rows {
		late := f.Rows[i].Snapshot > 500*24*3600*1e9
		if late && f.Columns[5].Codes[i] == 0 && r.Float64() < .4 {
			f.Rows[i].Y = 1
		}
	}
	spec := specOf(f)
	for _, method := range []string{CalibrationAuto, CalibrationIsotonic, CalibrationNone} {
		m, err := Fit(context.Background(), f, spec, Options{Time: true, Calibration: method, Stages: StagesLinear})
		if err != nil {
			t.Fatal(err)
		}
		if method != CalibrationNone && m.Calibration.Segments == nil {
			t.Errorf("%s: no segment is shifted: %s", method, m.Calibration.Reason)
		}
		if _, err := predict.Marshal(m); err != nil {
			t.Fatal(err)
		}
		b, err := m.Bind(f)
		if err != nil {
			t.Fatal(err)
		}
		raw := b.LogOdds(nil)
		z := append([]float64(nil), raw...)
		m.Calibrate(z, f)
		if method == CalibrationIsotonic {
			z = raw // reasons are stated before calibration
		}
		c, mean := b.Contributions(nil), 0.0
		for i := range z {
			sum := 0.0
			for _, e := range m.Explain(c[i*len(m.Terms) : (i+1)*len(m.Terms)]).Effects {
				sum += e
			}
			if !near(sum, z[i]-m.Score.ZRef, 1e-9) {
				t.Fatalf("%s: row %d: effects sum to %v, z − z_ref is %v", method, i, sum, z[i]-m.Score.ZRef)
			}
			mean += z[i] / float64(len(z))
		}
		if !near(mean, m.Score.ZRef, 1e-9) {
			t.Errorf("%s: z_ref %v, the mean is %v", method, m.Score.ZRef, mean)
		}
	}
}
