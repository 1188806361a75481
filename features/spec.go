// SPDX-License-Identifier: Apache-2.0

package features

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
)

// ValueKind says whether a feature is a number or a level.
type ValueKind string

// The kinds of feature values.
const (
	NumberKind ValueKind = "number"
	LevelKind  ValueKind = "level"
)

// Direction is the sign a user expects of a feature's effect.
type Direction string

// The directions. Free is the default; a healthy feature lowers the risk.
const (
	Free    Direction = "free"
	Healthy Direction = "healthy"
	Risky   Direction = "risky"
)

// A Feature defines one column of a frame.
type Feature struct {
	Name       string    `json:"name"`
	From       string    `json:"from"`             // event source, or "account", "contract", "snapshot", "table"
	Type       string    `json:"type,omitempty"`   // event type; empty means every type of the source
	Where      string    `json:"where,omitempty"`  // filter over the rows of the source, beside the type, in its canonical form
	Value      string    `json:"value,omitempty"`  // column that is read in place of the source's value
	Due        string    `json:"due,omitempty"`    // date columns of agg lateness: when a payment was due
	Paid       string    `json:"paid,omitempty"`   // and when it was made, missing while it was not
	Column     string    `json:"column,omitempty"` // attribute, for agg attribute
	Agg        Agg       `json:"agg"`
	WindowDays int       `json:"window_days,omitempty"` // 0 means all history
	LongDays   int       `json:"long_days,omitempty"`   // the longer window of a trend
	Of         string    `json:"of,omitempty"`          // of a ratio: the feature or type that is divided; else what is added: count (or nothing) or sum
	To         string    `json:"to,omitempty"`          // the feature or type that it is divided by
	Parameters           // of single aggregates
	Kind       ValueKind `json:"kind"`
	Input      string    `json:"input,omitempty"` // type of an attribute's column, as data.Kind names it
	Pillar     string    `json:"pillar"`
	Direction  Direction `json:"direction"`
	Actionable bool      `json:"actionable,omitempty"`
	Unit       string    `json:"unit,omitempty"`
	Label      string    `json:"label"` // what a customer success manager reads
}

// Equal reports whether two features are the same in all that defines them.
func (f *Feature) Equal(g *Feature) bool { return reflect.DeepEqual(f, g) }

// Parameters are what single aggregates need beside the rest. SPEC.md has the
// formulas; what the project file does not say gets its default there, not here.
type Parameters struct {
	HalfLifeDays int                `json:"half_life_days,omitempty"` // decayed: days after which an event counts half
	Weights      map[string]float64 `json:"weights,omitempty"`        // weighted: by type
	Seats        string             `json:"seats,omitempty"`          // per_seat: the feature that is divided by
	Positive     float64            `json:"positive,omitempty"`       // csat: the least value of a satisfied answer
	Prior        float64            `json:"prior,omitempty"`          // csat: what is expected before any answer, in percent
	PriorWeight  float64            `json:"prior_weight,omitempty"`   // csat: how many answers the prior is worth; 0 leaves it out
	LifespanDays int                `json:"lifespan_days,omitempty"`  // clv
}

// Agg names an aggregate over events or a fact about the snapshot.
type Agg string

// Aggregates over the visible events of a window; SPEC.md has each formula.
const (
	Count        Agg = "count"
	Sum          Agg = "sum"
	Mean         Agg = "mean"
	Min          Agg = "min"
	Max          Agg = "max"
	Last         Agg = "last"
	LastChange   Agg = "last_change"
	Distinct     Agg = "distinct"
	ActiveDays   Agg = "active_days"
	LongestGap   Agg = "longest_gap"
	Streak       Agg = "streak"
	Recency      Agg = "recency"
	Trend        Agg = "trend"
	Decayed      Agg = "decayed"
	Weighted     Agg = "weighted"
	PerSeat      Agg = "per_seat"
	TenureScaled Agg = "tenure_scaled"
	Ratio        Agg = "ratio" // of one feature to another, or of one type to another
	NPS          Agg = "nps"
	CSAT         Agg = "csat"
	Lateness     Agg = "lateness"
	CLV          Agg = "clv"
)

// Facts about the account, the term and the snapshot.
const (
	Attribute    Agg = "attribute"
	SegmentFact  Agg = "segment"
	PhaseFact    Agg = "phase"
	Tenure       Agg = "tenure"
	TermNumber   Agg = "term_number"
	TermDays     Agg = "term_days"
	DaysToDue    Agg = "days_to_due"
	PreviousLate Agg = "previous_late"
	Value        Agg = "value"
	Episode      Agg = "episode"
	WinBack      Agg = "winback"
	AutoRenew    Agg = "auto_renew"
)

// FactAggs lists the facts that a project file may ask for by name.
var FactAggs = []Agg{Attribute, SegmentFact, PhaseFact, Tenure, TermNumber, TermDays, DaysToDue, PreviousLate, Value, Episode, WinBack, AutoRenew}

// EventAggs lists the aggregates that a project file may ask for by name.
var EventAggs = []Agg{Count, Sum, Mean, Min, Max, Last, LastChange, Distinct, ActiveDays, LongestGap, Streak, Recency, Tenure,
	Trend, Decayed, Weighted, PerSeat, TenureScaled, Ratio, NPS, CSAT, Lateness, CLV}

// Where a feature's values come from, beside the name of an event source.
const (
	FromAccount  = "account"
	FromContract = "contract"
	FromSnapshot = "snapshot"
	FromTable    = "table"
)

// SpecVersion is the version of Spec that this program writes.
const SpecVersion = 1

// A Spec is everything that decides the columns of a frame and their meaning.
// It travels inside the model, so that scoring cannot differ from training.
type Spec struct {
	Version  int       `json:"version"`
	Timezone string    `json:"timezone"`
	Outcome  Outcome   `json:"outcome"`
	Sources  []Source  `json:"sources,omitempty"`
	Features []Feature `json:"features"`
}

// A Source is what decides when an event source's rows are visible and which
// of them count: features mean the same only while it stays as it is.
type Source struct {
	Name    string `json:"name"`
	KnownAt bool   `json:"known_at,omitempty"` // rows say when they were known
	LagDays int    `json:"lag_days,omitempty"`
	ID      bool   `json:"id,omitempty"` // repeats of an id count once
}

// Rules returns the spec without its features: everything else that a project
// must agree with a model on before the model scores it.
func (s *Spec) Rules() Spec {
	rules := *s
	rules.Features = nil
	return rules
}

// Digest returns the first 16 hex digits of the SHA-256 of the spec's JSON.
// Frames carry it; a model refuses a frame with another one.
func (s *Spec) Digest() string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("features: Digest: a spec holds plain data only")
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Outcome says what counts as churn and where snapshots lie.
type Outcome struct {
	Mode string `json:"mode"` // renewal, activity or table
	// Renewal mode.
	LeadDays  []int `json:"lead_days,omitempty"` // the first is the primary lead
	GraceDays int   `json:"grace_days,omitempty"`
	Declared  bool  `json:"declared,omitempty"` // the contracts table holds the outcome; else it is derived
	Rolling   bool  `json:"rolling,omitempty"`  // renewals are dated: a term counts once its beginning was seen
	// Activity mode.
	Of               string `json:"of,omitempty"` // event source that counts as activity
	HorizonDays      int    `json:"horizon_days,omitempty"`
	EveryDays        int    `json:"every_days,omitempty"`
	ActiveWithinDays int    `json:"active_within_days,omitempty"`
}
