// SPDX-License-Identifier: Apache-2.0

package train

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// wide returns n rows of 90 normal numbers, each of which raises the log-odds of
// churn by as little, in a straight line.
func wide(n int, seed uint64) *features.Frame {
	r := rand.New(rand.NewPCG(seed, 90))
	f := &features.Frame{}
	for k := range 90 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		f.Columns = append(f.Columns, numberColumn("x"+strconv.Itoa(k), x...))
	}
	for i := range n {
		y, z := int8(0), -2.2
		for k := range f.Columns {
			z += .12 * f.Columns[k].Num[i]
		}
		if r.Float64() < predict.Sigmoid(z) {
			y = 1
		}
		account := strconv.Itoa(i)
		f.Rows = append(f.Rows, features.Row{Account: account, Contract: account, Group: account, Y: y, Weight: 1})
	}
	return f
}

// Of 90 numbers without a curve 30 get one, the 30 that fit chance best. Folds that
// had a part in choosing them would call that a gain.
func TestNumbersAreChosenWithoutTheFold(t *testing.T) {
	const samples = 5
	gain, taken := 0.0, 0
	for seed := range uint64(samples) {
		m := mustFit(t, wide(1000, seed+1), Options{Stages: StagesSplines, Calibration: CalibrationNone})
		for _, c := range m.Provenance.Contest {
			if c.Stage == "splines" {
				gain += c.Gain / samples
				if c.Chosen {
					taken++
				}
			}
		}
	}
	t.Logf("splines gain %+.4f, taken in %d of %d samples", gain, taken, samples)
	if gain > 0 || taken > 0 {
		t.Errorf("splines without a curve gain %+.4f and are taken in %d of %d samples", gain, taken, samples)
	}
}
