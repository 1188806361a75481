// SPDX-License-Identifier: Apache-2.0

package train

import (
	"flag"
	"fmt"
	"math"
	"testing"
)

// study is set by make study: simulations that take minutes.
var study = flag.Bool("study", false, "run the simulation studies")

// Over 100 processes of 2,000 rows with a bend, a wave and lines, whatever kind
// of model is chosen, the 90 % intervals of effects cover the truth in at least
// 80 %: a curve's interval holds the penalty's bias only on average over its range.
func TestStudyCurvesCoverTheTruth(t *testing.T) {
	if !*study {
		t.Skip("a study: run make study")
	}
	const processes = 100
	forms := []func(x float64) float64{
		func(x float64) float64 { return 1.6 * max(x, 0) },
		func(x float64) float64 { return -.5 * x },
		func(x float64) float64 { return .4 * math.Sin(2*x) },
		func(x float64) float64 { return 0 },
		func(x float64) float64 { return .3 * x },
	}
	truth := func(x []float64, _ bool) float64 {
		z := -1.5
		for k, form := range forms {
			z += form(x[k])
		}
		return z
	}
	inside, total, stages := make([]int, len(forms)), 0, make(map[string]int)
	for seed := range uint64(processes) {
		m := mustFit(t, process(2000, seed+100, truth), Options{Stages: StagesAuto, Calibration: CalibrationNone})
		stages[chosenStage(m).Stage]++
		for k, form := range forms {
			var high, low float64
			if _, err := fmt.Sscanf(m.Terms[k].Contrast, "%g against %g", &high, &low); err != nil {
				t.Fatal(err)
			}
			if want := form(high) - form(low); m.Terms[k].Effect.Low <= want && want <= m.Terms[k].Effect.High {
				inside[k]++
				total++
			}
		}
	}
	rate := float64(total) / float64(processes*len(forms))
	t.Logf("90 %% intervals after selection cover %.1f %%; of %d by feature (bend, line, wave, none, line) %v; chosen %v",
		100*rate, processes, inside, stages)
	if rate < .8 {
		t.Errorf("covered %.1f %%, want at least 80 %%", 100*rate)
	}
}
