// SPDX-License-Identifier: Apache-2.0

package predict

import "github.com/holdfast-churn/holdfast/features"

// Format is the file format this version writes and the only one it reads.
const Format = "holdfast-model/1"

// A Model is one published weight vector with all that is needed to apply and
// to read it. It is data only; FORMAT.md describes its file.
type Model struct {
	Format     string        `json:"format"`
	Provenance Provenance    `json:"provenance"`
	Spec       features.Spec `json:"spec"`
	Logit
	Nested    *Nested   `json:"nested,omitempty"` // what renewals do to value
	Score     Score     `json:"score"`
	OutOfFold OutOfFold `json:"out_of_fold"`
	Dropped   []Dropped `json:"dropped"`
	Warnings  []string  `json:"warnings"`
	// Uncertainty gives probabilities their intervals; nil where none was stated.
	Uncertainty *Uncertainty `json:"uncertainty,omitempty"`
}

// A Logit is one logistic regression on readable basis columns,
//
//	z = b + Σ_j f_j(x_j) + Σ_(j,k) f_jk(x_j, x_k) + Σ_t g_t(x) + h(x)
//
// with a term f_j for each feature, pairs f_jk, tables g_t of rules, and a hand
// scorecard h, if any. Every part is a weighted sum of standardised columns, so that the whole is one
// weight vector.
type Logit struct {
	Terms       []Term      `json:"terms"`
	Pairs       []Pair      `json:"pairs,omitempty"`
	Tables      []Table     `json:"tables,omitempty"`
	Scorecard   *Scorecard  `json:"scorecard,omitempty"` // its features have terms, if without columns
	Intercept   float64     `json:"intercept"`           // b: log-odds where every basis column is 0
	Calibration Calibration `json:"calibration"`
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
	Solver     string  `json:"solver,omitempty"`   // what went otherwise than it should in the solver, in words
	Penalty    string  `json:"penalty,omitempty"`  // one_se: the largest penalty within a standard error of the best
	FoldsBy    string  `json:"folds_by,omitempty"` // time: folds are stretches of time, not groups
	Weights    string  `json:"weights,omitempty"`  // value: rows weigh in proportion to it, within their currency
	Version    string  `json:"version"`            // of Holdfast
	Parent     string  `json:"parent,omitempty"`   // id of the model whose base odds this one keeps
	Update     *Update `json:"update,omitempty"`   // where this version came of a test of the one before
	// Contest lists the kinds of model that were tried, the best of each, in
	// order from few columns to many.
	Contest []Contestant `json:"contest,omitempty"`
	// Streamed is there where the rows did not fit in memory.
	Streamed *Streamed `json:"streamed,omitempty"`
}

// A Streamed says how weights were fitted to rows that did not fit in memory:
// columns, penalties, calibration and out-of-fold figures come from a random
// sample, weights and their errors from all rows.
type Streamed struct {
	Sample   int `json:"sample"`   // rows in the sample
	Passes   int `json:"passes"`   // over all rows
	Matrices int `json:"matrices"` // times that second derivatives were taken of all rows: once, unless those of a part led slowly or the part was all
}

// A Contestant is a kind of model with its out-of-fold loss.
type Contestant struct {
	Stage   string  `json:"stage"` // linear, splines, slopes (of segments), pairs or tables
	Pairs   int     `json:"pairs,omitempty"`
	Rules   int     `json:"rules,omitempty"`
	LogLoss float64 `json:"log_loss"`
	Gain    float64 `json:"gain"` // fall of the log loss from the linear model
	SE      float64 `json:"se"`   // of the gain, by account
	Chosen  bool    `json:"chosen,omitempty"`
	// Later is the second test of slopes that were better out of fold.
	Later *Gain `json:"later,omitempty"`
}

// A Gain is a fall of the log loss on forward-chained predictions of later rows,
// with its standard error by account.
type Gain struct {
	Mean   float64 `json:"mean"`
	SE     float64 `json:"se"`
	Blocks int     `json:"blocks"`
	Better int     `json:"better"` // of the blocks, those where the loss fell
	Holds  bool    `json:"holds"`
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
	// Knots are those of the cubic B-splines, rising, the first at Low and the
	// last at High; empty where there are none.
	Knots   []float64 `json:"knots,omitempty"`
	Columns []Basis   `json:"columns"`
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
	// Curve is what the term contributes along its range, with a band and the
	// density of the training rows: for people to read, scoring does not look at it.
	Curve []CurvePoint `json:"curve,omitempty"`
	// RefMean is the mean contribution over the training rows, before
	// calibration; reasons are deviations from it (Model.Explain).
	RefMean float64 `json:"ref_mean"`
	// Share is the term's part of the variance of z over the training rows,
	// cov(f_j, z)/var(z). The shares of all terms, pairs and tables sum to 1.
	Share float64 `json:"share,omitempty"`
}

// A Pair is what two features add together beyond their terms: the weighted
// products of a column of the first side with one of the second.
type Pair struct {
	Sides   [2]Side `json:"sides"`
	Cells   []Cell  `json:"cells"`
	RefMean float64 `json:"ref_mean"`        // mean contribution over the training rows, before calibration
	Share   float64 `json:"share,omitempty"` // as Term.Share
}

// A Side is how one feature enters a pair. Its columns are numbered from 0:
// those of its kind, then, where Missing says so, one that is 1 where the
// value is missing. All others are 0 there, except for levels, among which
// missing is one.
type Side struct {
	Feature string    `json:"feature"`
	Kind    BasisKind `json:"kind"` // spline, cumulated, value, level or linear
	// Knots of splines (quadratic: len(Knots)+1 columns) and of cumulated
	// splines (len(Knots) columns), rising; x is clipped to them.
	Knots   []float64 `json:"knots,omitempty"`
	Values  []float64 `json:"values,omitempty"` // value: column k is 1 where Values[k] is nearest, ties to the smaller
	Levels  []string  `json:"levels,omitempty"` // level: the last column, after these, is every other level
	Missing bool      `json:"missing,omitempty"`
	// The one column of kind linear is clip((T(clip(x, Low, High)) − Mean)/SD, −5, 5).
	Transform Transform `json:"transform,omitempty"`
	Low       float64   `json:"low,omitempty"`
	High      float64   `json:"high,omitempty"`
	Mean      float64   `json:"mean,omitempty"`
	SD        float64   `json:"sd,omitempty"`
}

// A Cell is one product column of a pair: u = column I of the first side times
// column J of the second. It contributes Weight (u − Mean)/SD.
type Cell struct {
	I      int     `json:"i"`
	J      int     `json:"j"`
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"`
	Weight float64 `json:"weight"`
	SE     float64 `json:"se"`
}

// A Table is a small decision tree read as a table: an account is in exactly
// one of its rules.
type Table struct {
	Rules   []Rule  `json:"rules"`
	RefMean float64 `json:"ref_mean"`
	Share   float64 `json:"share,omitempty"`
}

// A Rule is a conjunction of conditions: u = 1 where all hold, else 0. It
// contributes Weight (u − Mean)/SD.
type Rule struct {
	Conditions []Condition `json:"conditions"`
	Mean       float64     `json:"mean"` // share of the training rows
	SD         float64     `json:"sd"`
	Weight     float64     `json:"weight"`
	SE         float64     `json:"se"`
}

// A Condition is a test of one feature. A number passes where Above < x ≤ AtMost
// (each bound where given), and a missing one where Missing says so. A level
// passes where it is one of Levels, or, with Not, none of them; a missing one
// is the level "(missing)".
type Condition struct {
	Feature string   `json:"feature"`
	Above   *float64 `json:"above,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
	Missing bool     `json:"missing,omitempty"`
	Levels  []string `json:"levels,omitempty"`
	Not     bool     `json:"not,omitempty"`
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
	// The following are 0 where the value is missing.
	Spline    BasisKind = "spline"    // the B-spline number Index on the term's knots
	Cumulated BasisKind = "cumulated" // the sum of the B-splines from number Index on, which rises from 0 to 1
	Value     BasisKind = "value"     // 1 where At is the nearest of the term's value columns, ties to the smaller
	Spike     BasisKind = "spike"     // 1 where x = At
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
// with u the raw column of its kind; splines, cumulated splines, values and
// spikes, which are bounded, are not clipped. Its contribution to z is Weight v.
// SD is a scale: the standard deviation of u over the training rows, or its
// square root where that predicted better.
type Basis struct {
	Kind      BasisKind `json:"kind"`
	Transform Transform `json:"transform,omitempty"`
	Level     string    `json:"level,omitempty"`
	Index     int       `json:"index,omitempty"`
	At        float64   `json:"at,omitempty"`
	Mean      float64   `json:"mean"`
	SD        float64   `json:"sd"`
	Weight    float64   `json:"weight"`
	SE        float64   `json:"se"` // standard error of Weight, clustered by group
}

// Calibration maps a raw log-odds z to the calibrated one,
//
//	Intercept + Slope g(z) + d_segment
//
// with g(z) = z, or, for isotonic and bends, the log-odds of Knots at z (see Apply).
type Calibration struct {
	Method    string  `json:"method"` // none, intercept, platt, isotonic or bends
	Intercept float64 `json:"intercept"`
	Slope     float64 `json:"slope"`
	Knots     []Knot  `json:"knots,omitempty"` // isotonic, bends: rising in Z, not falling in P
	// Covariance holds the variance of Intercept, its covariance with Slope,
	// and the variance of Slope; empty where they were not fitted.
	Covariance []float64 `json:"covariance,omitempty"`
	Segments   *Segments `json:"segments,omitempty"`
	Events     int       `json:"events"` // churned renewals in the slice it was fitted on
	Rows       int       `json:"rows"`
	Slice      string    `json:"slice"`  // forward_chained or out_of_fold
	Reason     string    `json:"reason"` // why this method and slice, in words
}

// A Knot is a point of a map: probability P at raw log-odds Z.
type Knot struct {
	Z float64 `json:"z"`
	P float64 `json:"p"`
}

// Segments are shifts of the calibrated log-odds, one a segment, each shrunk to
// 0 by how uncertain it is.
type Segments struct {
	Feature string  `json:"feature"` // the level feature that holds the segment
	SD      float64 `json:"sd"`      // of the true shifts between segments, in log-odds, as estimated
	Mean    float64 `json:"mean"`    // of the shifts over the training rows
	Shifts  []Shift `json:"shifts"`  // in order of level; other levels have none
}

// A Shift is what one segment adds to the calibrated log-odds.
type Shift struct {
	Level     string  `json:"level"`
	Intercept float64 `json:"intercept"`
	Events    int     `json:"events"` // churned renewals of the segment in the slice
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
