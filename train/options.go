// SPDX-License-Identifier: Apache-2.0

package train

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/holdfast-churn/holdfast/predict"
)

// The ways of calibrating, values of Options.Calibration.
const (
	CalibrationAuto      = "auto"      // by the number of churned renewals, METHODS.md section 4
	CalibrationNone      = "none"      // raw log-odds are published as they are
	CalibrationIntercept = "intercept" // z + a
	CalibrationPlatt     = "platt"     // a + s z
	CalibrationIsotonic  = predict.Isotonic
	CalibrationBends     = predict.Bends // where auto finds it better than a + s z
)

// The largest kind of model that may be chosen, values of Options.Stages.
const (
	StagesAuto    = "auto"    // linear terms, splines, pairs or tables, whatever predicts best
	StagesPairs   = "pairs"   // up to pairs
	StagesSplines = "splines" // up to splines
	StagesLinear  = "linear"  // linear terms only
)

// How segments and lifecycle phases may differ, values of Options.Segments.
const (
	SegmentsPooled     = "pooled"     // in their intercepts, and where that predicts better in slopes
	SegmentsIntercepts = "intercepts" // in their intercepts alone
)

// Which penalty of the path is taken, values of Options.Penalty.
const (
	PenaltyBest  = "best"   // the one of lowest out-of-fold log loss
	PenaltyOneSE = "one_se" // the largest within a standard error of it: smaller effects for a little loss
)

// What folds keep together, values of Options.FoldsBy.
const (
	FoldsByGroup = "group" // the rows of an account, or of what it declares as its group
	FoldsByTime  = "time"  // the rows that are due in one stretch of time
)

// What rows weigh, values of Options.Weights.
const (
	WeightsNone  = "none"  // a renewal is a renewal
	WeightsValue = "value" // in proportion to what is at stake, within its currency
)

// Options configures Fit. The zero value is ready to use.
type Options struct {
	// Lambda is the ridge penalty λ > 0 on standardised weights, in units of
	// renewals: the loss is a sum, not a mean. Zero chooses it by
	// cross-validated log loss.
	Lambda float64
	// Stages is one of the constants above; empty means auto.
	Stages string
	// Segments is one of the constants above; empty means pooled.
	Segments string
	// Penalty, FoldsBy and Weights are each one of the constants above; empty
	// means best, group and none.
	Penalty, FoldsBy, Weights string
	// Folds is the number of cross-validation folds, at least 2. Zero means 5.
	Folds int
	// Seed decides which group falls into which fold, and nothing else.
	Seed uint64
	// Workers is the number of goroutines; zero means GOMAXPROCS. The model is
	// the same, byte for byte, for any number.
	Workers int
	// Calibration is one of the constants above; empty means auto.
	Calibration string
	// Time says that rows have a Snapshot and a Mature instant, so that
	// calibration can learn from forward-chained predictions.
	Time bool
	// Scorecard is the health score that a team made by hand, as a prior that is
	// worth ScorecardWorth renewals: at 0 the fit is the plain one, at +Inf the
	// ranking is the card's own (FitScorecard). Nil is none.
	Scorecard      *predict.Scorecard
	ScorecardWorth float64
	// Unexplained leaves out effects, shares and standard errors: for a model
	// that only predicts, as in a backtest.
	Unexplained bool
	// Directions makes the direction that a number was declared to have bind: its
	// effect then never goes the other way. Without it a warning says where it
	// does.
	Directions bool
	// Score holds the constants of the health score. Zero fields take the
	// defaults: the training rate as BaseRate, .5 as AtRiskP, and the tiers
	// 40, 65, 80. ZRef is computed whatever stands there.
	Score predict.Score

	// What Fit cannot know and copies into the model's provenance.
	AsOf       string // cut-off date, 2026-01-31; empty for ready tables
	DataDigest string // fingerprint of the input
	Version    string // of Holdfast
	Parent     string // id of the model whose base odds Score carries
	Censored   int    // eligible rows left out because their outcome was not mature
}

// validate fills in defaults and refuses what no fit can use.
func (o *Options) validate() error {
	if !(o.Lambda >= 0) { // also rejects NaN
		return fmt.Errorf("penalty lambda %v: must be positive, or zero to have it chosen", o.Lambda)
	}
	if o.Folds == 0 {
		o.Folds = 5
	}
	if o.Folds < 2 || o.Folds > 100 {
		return fmt.Errorf("%d folds: must be 2 to 100", o.Folds)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	for _, w := range []struct {
		name  string
		value *string
		ways  []string // the default first
	}{
		{"calibration", &o.Calibration, []string{CalibrationAuto, CalibrationNone, CalibrationIntercept, CalibrationPlatt, CalibrationIsotonic}},
		{"stages", &o.Stages, []string{StagesAuto, StagesPairs, StagesSplines, StagesLinear}},
		{"segments", &o.Segments, []string{SegmentsPooled, SegmentsIntercepts}},
		{"penalty", &o.Penalty, []string{PenaltyBest, PenaltyOneSE}},
		{"folds", &o.FoldsBy, []string{FoldsByGroup, FoldsByTime}},
		{"weights", &o.Weights, []string{WeightsNone, WeightsValue}},
	} {
		if *w.value == "" {
			*w.value = w.ways[0]
		}
		if !slices.Contains(w.ways, *w.value) {
			return fmt.Errorf("%s %q: must be one of %v", w.name, *w.value, w.ways)
		}
	}
	if o.FoldsBy == FoldsByTime && !o.Time {
		return fmt.Errorf("folds by time: rows need a time")
	}
	if !(o.ScorecardWorth >= 0) {
		return fmt.Errorf("a scorecard worth %v renewals: must be zero or more, or infinite", o.ScorecardWorth)
	}
	setDefault(&o.Score.AtRiskP, 0.5)
	setDefault(&o.Score.AtRisk, 40)
	setDefault(&o.Score.Watch, 65)
	setDefault(&o.Score.Healthy, 80)
	return nil
}

func setDefault(x *float64, value float64) {
	if *x == 0 {
		*x = value
	}
}
