// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
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

// Average precision, accuracy, the Brier score's parts, ICI and what is weighted
// by value agree with scikit-learn, or, where no peer exists, with their
// definitions (testdata/valued.py); ICI, E90 and the parts also with R, ICI and
// E90 with val.prob itself (testdata/smooth.R).
func TestFurtherMetricsAgreeWithPeers(t *testing.T) {
	var cases []struct {
		Name    string
		P, Y, W []float64
	}
	var python []struct {
		Name                                                    string
		Value                                                   []float64
		AP, Recall, Accuracy, Majority, MCB, DSC, UNC, ICI, E90 Number
		LogLoss                                                 Number `json:"value_log_loss"`
		Brier                                                   Number `json:"value_brier"`
		AUC                                                     Number `json:"value_auc"`
		OE                                                      Number `json:"value_oe"`
		ValueRecall                                             Number `json:"value_recall"`
		ByRisk                                                  Number `json:"value_recall_by_risk"`
	}
	var r []struct {
		Name               string
		ICI, E90, MCB, DSC Number
		ValProb            *struct{ ICI, E90 Number } `json:"val_prob"`
	}
	readJSON(t, "peers.json", &cases)
	readJSON(t, "valued.json", &python)
	readJSON(t, "smooth_r.json", &r)
	if len(cases) != len(python) || len(r) == 0 {
		t.Fatalf("%d cases, %d from Python, %d from R", len(cases), len(python), len(r))
	}
	byR := 0
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			want := python[i]
			got := MeasureValued(c.P, c.Y, c.W, want.Value, 0.25)
			check := func(name string, got, want Number) {
				t.Helper()
				if !same(got, want, peerTol) {
					t.Errorf("%s = %.15g, want %.15g", name, float64(got), float64(want))
				}
			}
			check("AP", got.AP, want.AP)
			check("recall", got.Recall, want.Recall)
			check("accuracy", got.Accuracy.Accuracy, want.Accuracy)
			check("majority", got.Accuracy.Majority, want.Majority)
			check("MCB", got.Parts.MCB, want.MCB)
			check("DSC", got.Parts.DSC, want.DSC)
			check("UNC", got.Parts.UNC, want.UNC)
			check("ICI", got.ICI, want.ICI)
			check("E90", got.E90, want.E90)
			check("log loss by value", got.Value.LogLoss, want.LogLoss)
			check("Brier by value", got.Value.Brier, want.Brier)
			check("AUC by value", got.Value.AUC, want.AUC)
			check("O:E by value", got.Value.OE, want.OE)
			check("recall by value", got.Value.Recall, want.ValueRecall)
			check("recall by value at risk", got.Value.RecallByRisk, want.ByRisk)
			for _, of := range r {
				if of.Name != c.Name {
					continue
				}
				byR++
				check("ICI of R", got.ICI, of.ICI)
				check("E90 of R", got.E90, of.E90)
				check("MCB of R", got.Parts.MCB, of.MCB)
				check("DSC of R", got.Parts.DSC, of.DSC)
				if of.ValProb != nil {
					check("ICI of val.prob", got.ICI, of.ValProb.ICI)
					check("E90 of val.prob", got.E90, of.ValProb.E90)
				}
			}
		})
	}
	if byR != len(r) {
		t.Errorf("%d of %d cases of R were looked at", byR, len(r))
	}
}

// Bins stand in for more rows than are smoothed one by one; ICI hardly moves.
func TestICIOfManyRows(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 0))
	n := 4 * exactRows
	p, y := make([]float64, n), make([]float64, n)
	for i := range p {
		p[i] = random.Float64() * random.Float64()
		if random.Float64() < p[i]*p[i] {
			y[i] = 1
		}
	}
	binned, e90 := ICI(p, y, nil)
	r := new(runs)
	for _, i := range ascending(p) {
		r.add(sumRows(p, y, nil, []int{i}))
	}
	exact, exact90 := newICI(r).of(r.y)
	const tol = 1e-5 // a bin is a two-thousandth of the rows wide, and so are the steps of what is averaged
	if math.Abs(binned-exact) > tol || math.Abs(e90-exact90) > 10*tol {
		t.Errorf("ICI %v and E90 %v in bins, %v and %v row by row", binned, e90, exact, exact90)
	}
}
