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
	if o.Calibration == "" {
		o.Calibration = CalibrationAuto
	}
	ways := []string{CalibrationAuto, CalibrationNone, CalibrationIntercept, CalibrationPlatt, CalibrationIsotonic}
	if !slices.Contains(ways, o.Calibration) {
		return fmt.Errorf("calibration %q: must be one of %v", o.Calibration, ways)
	}
	if o.Stages == "" {
		o.Stages = StagesAuto
	}
	if stages := []string{StagesAuto, StagesPairs, StagesSplines, StagesLinear}; !slices.Contains(stages, o.Stages) {
		return fmt.Errorf("stages %q: must be one of %v", o.Stages, stages)
	}
	if o.Segments == "" {
		o.Segments = SegmentsPooled
	}
	if ways := []string{SegmentsPooled, SegmentsIntercepts}; !slices.Contains(ways, o.Segments) {
		return fmt.Errorf("segments %q: must be one of %v", o.Segments, ways)
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
