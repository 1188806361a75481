// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/features"
)

func TestSuspects(t *testing.T) {
	const n = 2000
	r := rand.New(rand.NewPCG(1, 72))
	number := func(name string) *features.Column {
		return &features.Column{Feature: features.Feature{Name: name, Kind: features.NumberKind}, Num: make([]float64, n)}
	}
	level := func(name string, levels int) *features.Column {
		c := &features.Column{Feature: features.Feature{Name: name, Kind: features.LevelKind}, Codes: make([]int32, n)}
		for k := range levels {
			c.Levels = append(c.Levels, fmt.Sprintf("l%05d", k))
		}
		return c
	}
	honest, copied, noisy, ended := number("honest"), number("copied"), number("noisy"), number("ended_at")
	status, id, plan := level("status", 2), level("id", n), level("plan", 3)
	constant, unknown, rare, uneven := level("constant", 1), level("unknown", 0), level("rare", 2), level("uneven", 2)
	f := &features.Frame{}
	for i := range n {
		y := int8(0)
		if i%7 == 0 {
			y = 1
		}
		f.Rows = append(f.Rows, features.Row{Y: y, Weight: 1})
		honest.Num[i] = r.NormFloat64() + float64(y)
		copied.Num[i] = 1 - float64(y)
		noisy.Num[i] = r.NormFloat64() + 2.2*float64(y) // two normals 2.2 apart: AUC = Phi(2.2/sqrt 2) = .94
		ended.Num[i] = math.NaN()
		if y == 1 {
			ended.Num[i] = r.Float64()
		}
		status.Codes[i], id.Codes[i], plan.Codes[i] = int32(y), int32(i), r.Int32N(3)
		// Levels of which one holds nearly all rows say nothing, and must not seem to.
		unknown.Codes[i] = -1
		rare.Codes[i], uneven.Codes[i] = int32(min(r.IntN(100), 1)), int32(min(r.IntN(10), 1))
	}
	for _, c := range []*features.Column{honest, copied, noisy, ended, status, id, plan, constant, unknown, rare, uneven} {
		f.Columns = append(f.Columns, *c)
	}
	var got []string
	for _, s := range Suspects(f) {
		got = append(got, fmt.Sprintf("%s %.2f %v", s.Feature, s.AUC, s.Copies))
	}
	if diff := cmp.Diff([]string{"copied 1.00 true", "noisy 0.94 false", "ended_at 1.00 true", "status 1.00 true"}, got); diff != "" {
		t.Error(diff)
	}
	few := f.Select([]int{0, 1, 2, 3, 7, 8, 14, 21})
	if got := Suspects(few); got != nil {
		t.Errorf("eight rows prove nothing: %v", got)
	}
}
