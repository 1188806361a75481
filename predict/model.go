// SPDX-License-Identifier: Apache-2.0

package predict

import "github.com/holdfast-churn/holdfast/features"

// Format is the file format this version writes and the only one it reads.
const Format = "holdfast-model/1"

// A Model is one published weight vector with all that is needed to apply and
// to read it. It is data only; FORMAT.md describes its file.
type Model struct {
	Format      string        `json:"format"`
	Provenance  Provenance    `json:"provenance"`
	Spec        features.Spec `json:"spec"`
	Terms       []Term        `json:"terms"`
	Intercept   float64       `json:"intercept"` // b: log-odds where every basis column is 0
	Calibration Calibration   `json:"calibration"`
	Score       Score         `json:"score"`
	OutOfFold   OutOfFold     `json:"out_of_fold"`
	Dropped     []Dropped     `json:"dropped"`
	Warnings    []string      `json:"warnings"`
}

// Provenance says what a model was made from. It holds no time of day and no
// path, so that the same data and settings give the same file.
type Provenance struct {
	Data       string  `json:"data"`     // fingerprint of the input rows
	AsOf       string  `json:"as_of"`    // date D: only outcomes mature at D were used; empty for ready tables
	Rows       int     `json:"rows"`     // training rows
	Renewals   int     `json:"renewals"` // distinct renewals among them
	Churned    int     `json:"churned"`  // renewals with y = 1
	Censored   int     `json:"censored"` // eligible rows whose outcome was not mature at D
	Seed       uint64  `json:"seed"`
	Lambda     float64 `json:"lambda"` // ridge penalty of the published fit
	Iterations int     `json:"iterations"`
	Version    string  `json:"version"`          // of Holdfast
	Parent     string  `json:"parent,omitempty"` // id of the model whose base odds this one keeps
}

// A Term is one feature's part of the log-odds: the sum of its basis columns.
type Term struct {
	Feature string  `json:"feature"`
	Kind    string  `json:"kind"` // number or level, as features.ValueKind
	Pillar  string  `json:"pillar"`
	Label   string  `json:"label"`
	Low     float64 `json:"low"` // training range of a number; inputs are clipped to it
	High    float64 `json:"high"`
	Median  float64 `json:"median"` // of x, before Transform; stands in for a missing number in the linear column
	Columns []Basis `json:"columns"`
	// Pooled lists, sorted, the levels of training that were too rare for a
	// column of their own, so that a rare level can be told from an unseen
	// one. It is empty where more than 100 were pooled: the names of so many
	// would be closer to identifiers than to kinds.
	Pooled []string `json:"pooled,omitempty"`
	// Effect is the term's contribution at the 75th minus the 25th percentile
	// of the training rows, in log-odds before calibration; for levels, of the
	// second most common level against the most common. Contrast says in words
	// what was compared.
	Effect   Interval `json:"effect"`
	Contrast string   `json:"contrast"`
	// RefMean is the mean contribution over the training rows, before
	// calibration; reasons are deviations from it (Model.Explain).
	RefMean float64 `json:"ref_mean"`
}

// An Interval is an estimate with its 90 % interval.
type Interval struct {
	Estimate float64 `json:"estimate"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// BasisKind names what a basis column computes from a feature's value.
type BasisKind string

// The basis columns of this format version.
const (
	Linear  BasisKind = "linear"  // x, or sign(x) ln(1+|x|) where Transform says so
	Missing BasisKind = "missing" // 1 where the value is missing
	Level   BasisKind = "level"   // 1 where the value is Level; Level "other" also takes unseen ones
)

// Transform names a fixed map applied to a number before the linear column.
type Transform string

// The transforms.
const (
	Identity  Transform = "identity"
	SignedLog Transform = "signed_log" // sign(x) ln(1+|x|)
)

// A Basis is one basis column with its weight. Its value for an input is
//
//	v = clip((u - Mean) / SD, -5, 5)
//
// with u the raw column of its kind; its contribution to z is Weight v.
type Basis struct {
	Kind      BasisKind `json:"kind"`
	Transform Transform `json:"transform,omitempty"`
	Level     string    `json:"level,omitempty"`
	Mean      float64   `json:"mean"`
	SD        float64   `json:"sd"`
	Weight    float64   `json:"weight"`
	SE        float64   `json:"se"` // standard error of Weight, clustered by group
}

// Calibration maps a raw log-odds z to the calibrated one, Intercept + Slope z.
type Calibration struct {
	Method    string  `json:"method"` // none, intercept or platt
	Intercept float64 `json:"intercept"`
	Slope     float64 `json:"slope"`
	Events    int     `json:"events"` // churned renewals in the slice it was fitted on
	Rows      int     `json:"rows"`
	Slice     string  `json:"slice"`  // forward_chained or out_of_fold
	Reason    string  `json:"reason"` // why this method and slice, in words
}

// Score holds the constants of the 0-100 health score.
type Score struct {
	BaseRate float64 `json:"base_rate"` // churn rate at which health is 60
	ZRef     float64 `json:"z_ref"`     // mean calibrated z of the training rows
	AtRiskP  float64 `json:"at_risk_p"` // p from which an account is at risk whatever its health
	AtRisk   float64 `json:"at_risk"`   // upper bounds of the tiers on the health scale
	Watch    float64 `json:"watch"`
	Healthy  float64 `json:"healthy"`
}

// OutOfFold holds metrics of account-grouped out-of-fold predictions.
type OutOfFold struct {
	Folds    int     `json:"folds"`
	LogLoss  float64 `json:"log_loss"`
	BaseLoss float64 `json:"base_log_loss"` // of the training rate for every row
	AUC      float64 `json:"auc"`
}

// Dropped is a feature that is not in the model, and why.
type Dropped struct {
	Feature string `json:"feature"`
	Reason  string `json:"reason"`
}
