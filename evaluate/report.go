// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"encoding/json"

	"github.com/holdfast-churn/holdfast/data"
)

// ReportFormat is the format of report.json that this version writes.
const ReportFormat = "holdfast-report/1"

// The designs of a Report.
const (
	RollingOrigins  = "rolling origins"
	CrossValidation = "cross-validation"
)

// A Result is a report and the predictions that it was computed from.
type Result struct {
	Report *Report
	// Predictions has one row per candidate and test row, ordered by candidate,
	// origin and frame row: the columns of predictions.parquet.
	Predictions *data.Table
}

// A Report is everything a backtest found: report.json is this struct and
// nothing else. It depends on the data and the options only, neither on the
// time of day nor on the number of workers.
type Report struct {
	Format     string     `json:"format"`
	Provenance Provenance `json:"provenance"`
	Design     Design     `json:"design"`
	// Summary answers in three sentences: may it be used, is it any good, and what
	// is it worth.
	Summary []string `json:"summary"`
	// Verdict says in two or three sentences what was found for the subject,
	// the first candidate that is not the base rate.
	Verdict    []string `json:"verdict"`
	Subject    string   `json:"subject"`
	Candidates []Scores `json:"candidates"`
	// Origins lists every origin or fold, the skipped ones included.
	Origins []OriginRows `json:"origins"`
	// OffOrigins names the origins where the subject's mean prediction is more
	// than 10 % away from the observed rate.
	OffOrigins []string `json:"off_origins"`
	Warnings   []string `json:"warnings"`
	// DataFindings is what the caller's data check found; a ready table has none.
	DataFindings []data.Finding `json:"data_findings,omitempty"`
	// Leaks is what the proofs came to that features know nothing of the future;
	// nil where none was tried, as for a ready table.
	Leaks *Leaks `json:"leaks,omitempty"`
	// Slices holds every candidate on parts of the test rows.
	Slices []Slice `json:"slices"`
	// Forecast is retention by due month as the subject forecast it, and as it
	// came; nil without values.
	Forecast  *Forecast  `json:"forecast,omitempty"`
	ByOutcome *ByOutcome `json:"scores_by_outcome,omitempty"` // of the subject
	// Shifts is how far features, and the subject's predictions, moved by the last
	// origin; empty for folds.
	Shifts []Shift `json:"shifts"`
	Curves []Curve `json:"curves,omitempty"` // of the model that the report speaks for
	// Gates is the table by which a promotion of the subject is decided.
	Gates []Gate `json:"gates"`
}

// JSON returns the bytes of report.json.
func (r *Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// Provenance says what a report was made from. The caller of Backtest gives
// the first three.
type Provenance struct {
	Project    string `json:"project"`
	Data       string `json:"data"`    // fingerprint of the input
	Version    string `json:"version"` // of Holdfast
	SpecDigest string `json:"spec_digest"`
	Seed       uint64 `json:"seed"`
}

// Design says how rows were split and figures computed.
type Design struct {
	Kind        string  `json:"kind"` // RollingOrigins or CrossValidation
	Months      int     `json:"months,omitempty"`
	EmbargoDays int     `json:"embargo_days,omitempty"`
	Timezone    string  `json:"timezone,omitempty"`
	Folds       int     `json:"folds,omitempty"`
	FrameRows   int     `json:"frame_rows"`
	Tested      int     `json:"tested"` // origins or folds with test figures
	Skipped     int     `json:"skipped"`
	TestRows    int     `json:"test_rows"`
	TestChurned int     `json:"test_churned"`
	TestGroups  int     `json:"test_groups"` // accounts, or the groups that stand for them
	Bootstrap   int     `json:"bootstrap"`   // resamples of the groups behind every interval
	Level       float64 `json:"level"`       // of every interval
	Binning     string  `json:"binning"`
	AUCPooling  string  `json:"auc_pooling"`

	WindowMonths  int    `json:"window_months,omitempty"` // of a sliding window of training; 0 for all that came before
	Capacity      Number `json:"capacity"`                // share of renewals that a team can work on
	MatureChurned Number `json:"mature_churned"`          // renewals of the frame with a known outcome, each once
	MatureRenewed Number `json:"mature_renewed"`
	// Currency is that of all money in the report; so many test rows have a value
	// in another, which is left out: two currencies are never added.
	Currency        string `json:"currency,omitempty"`
	WithoutCurrency int    `json:"rows_in_other_currencies,omitempty"`
}

// OriginRows counts the rows of one origin or fold.
type OriginRows struct {
	Name         string `json:"name"`
	From         string `json:"from,omitempty"` // first day of the test window
	To           string `json:"to,omitempty"`   // day after its last
	TrainRows    int    `json:"train_rows"`
	TrainChurned int    `json:"train_churned"`
	TrainRate    Number `json:"train_rate"` // weighted
	TestRows     int    `json:"test_rows"`
	TestChurned  int    `json:"test_churned"`
	TestRate     Number `json:"test_rate"` // weighted
	Purged       int    `json:"purged"`
	Censored     int    `json:"censored"`
	NotScored    int    `json:"not_scored"`
	TooOld       int    `json:"too_old,omitempty"` // rows before the sliding window
	// RateUnpurged is what TrainRate would be if every outcome that was known at
	// the origin trained, early renewals too: the mistake that purging avoids.
	RateUnpurged Number `json:"train_rate_unpurged"`
	Skipped      string `json:"skipped,omitempty"`
}

// Scores holds what one candidate reached.
type Scores struct {
	Name string `json:"name"`
	Note string `json:"note,omitempty"`
	// Failure says why there are no pooled figures: the candidate failed at an
	// origin, so that its rows differ from those of the others.
	Failure string `json:"failure,omitempty"`
	// Pooled is over all test rows, except that its AUC is the mean over the
	// origins, weighted by rows: pooled AUC moves with the base rate alone.
	Pooled     *Metrics    `json:"pooled,omitempty"`
	VersusBase *Comparison `json:"versus_base,omitempty"`
	// VersusOwnMean compares with the candidate's own mean p at each origin, for
	// every row of it: what is left is what telling accounts apart is worth.
	VersusOwnMean *Comparison `json:"versus_own_mean,omitempty"`
	// VersusSubject compares with the subject of the report.
	VersusSubject *Comparison    `json:"versus_subject,omitempty"`
	Covered       *Covered       `json:"covered,omitempty"` // where it was asked at some origins only
	Intervals     *Intervals     `json:"intervals,omitempty"`
	Perfect       *Bands         `json:"noise_band,omitempty"`            // of a perfect model
	Shocked       *Bands         `json:"noise_band_with_shock,omitempty"` // and with a common shock per origin
	Excess        *Excess        `json:"excess_miscalibration,omitempty"` // of the subject and the champion
	Stability     *Stability     `json:"stability,omitempty"`
	Deciles       []Bin          `json:"deciles,omitempty"` // of all test rows, highest p first
	Histogram     *Histogram     `json:"histogram,omitempty"`
	Origins       []OriginScores `json:"origins"` // the tested ones, in order
}

// Covered is what a candidate reached that was asked at some origins only, such
// as a champion that must not be asked before its own as-of, beside the subject
// on the same rows.
type Covered struct {
	Origins int      `json:"origins"`
	Metrics *Metrics `json:"metrics,omitempty"`
	Subject *Metrics `json:"subject,omitempty"`
}

// OriginScores holds what one candidate reached at one origin.
type OriginScores struct {
	Origin  string   `json:"origin"`
	Metrics *Metrics `json:"metrics,omitempty"`
	// By account.
	LogLoss Interval `json:"log_loss_interval"`
	AUC     Interval `json:"auc_interval"`
	Rate    Interval `json:"observed_rate_interval"`
	Failure string   `json:"failure,omitempty"`
	// Off is true where the mean prediction is more than 10 % away from the
	// observed rate.
	Off bool `json:"off"`
}

// An Interval is an estimate with its interval at Design.Level.
type Interval struct {
	Estimate Number `json:"estimate"`
	Low      Number `json:"low"`
	High     Number `json:"high"`
}

// A Comparison is the pooled log loss of a candidate minus that of other
// predictions for the same rows; below 0 the candidate is better.
type Comparison struct {
	LogLoss Interval `json:"log_loss_difference"`
	PBetter Number   `json:"p_better"` // share of resamples in which it is below 0
	// PNotWorse, of a champion against the subject, is the share of resamples in
	// which the subject is worse by at most 1 % of the champion's gain over the
	// base rate.
	PNotWorse Number  `json:"p_not_worse"`
	Finding   Finding `json:"finding"`
	Words     string  `json:"words"`
}

// A Finding is what the interval of a comparison allows to say.
type Finding string

// The findings. NoSkill is said where the interval covers 0.
const (
	Better  Finding = "better"
	Worse   Finding = "worse"
	NoSkill Finding = "no skill shown"
)
