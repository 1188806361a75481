// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// peerTol is the agreement asked of other software. Sums of some hundred
// terms differ by about 1e-15 between two orders; R's glm stops at a relative
// change of the deviance of 1e-15, which leaves its coefficients good to 1e-11.
const peerTol = 1e-9

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// same reports whether two figures agree, both undefined included.
func same(got, want Number, tol float64) bool {
	if !want.Defined() || !got.Defined() {
		return got.Defined() == want.Defined()
	}
	return math.Abs(float64(got-want)) <= tol*math.Max(1, math.Abs(float64(want)))
}

// Every metric agrees with scikit-learn, with R, or, where no peer exists,
// with its definition in exact arithmetic (testdata/peers.py and peers.R).
func TestMetricsAgreeWithPeers(t *testing.T) {
	var python []struct {
		Name    string
		P, Y, W []float64
		LogLoss Number `json:"log_loss"`
		Brier   Number
		AUC     Number
		ECE     Number
		Lift    Number
		OE      Number
	}
	var r []struct {
		Name             string
		Intercept, Slope Number
		InTheLarge       Number                                    `json:"in_the_large"`
		ValProb          *struct{ Intercept, Slope, Brier Number } `json:"val_prob"`
	}
	readJSON(t, "peers.json", &python)
	readJSON(t, "peers_r.json", &r)
	if len(python) != len(r) || len(r) == 0 {
		t.Fatalf("%d cases from Python, %d from R", len(python), len(r))
	}
	for i, want := range python {
		t.Run(want.Name, func(t *testing.T) {
			got := Measure(want.P, want.Y, want.W)
			check := func(name string, got, want Number) {
				t.Helper()
				if !same(got, want, peerTol) {
					t.Errorf("%s = %.15g, want %.15g", name, float64(got), float64(want))
				}
			}
			check("log loss", got.LogLoss, want.LogLoss)
			check("Brier", got.Brier, want.Brier)
			check("AUC", got.AUC, want.AUC)
			check("ECE", got.ECE, want.ECE)
			check("lift", got.Lift, want.Lift)
			check("O:E", got.OE, want.OE)
			check("intercept", got.Intercept, r[i].Intercept)
			check("slope", got.Slope, r[i].Slope)
			check("in the large", got.InTheLarge, r[i].InTheLarge)
			if v := r[i].ValProb; v != nil {
				check("intercept of val.prob", got.Intercept, v.Intercept)
				check("slope of val.prob", got.Slope, v.Slope)
				check("Brier of val.prob", got.Brier, v.Brier)
			}
		})
	}
}
