// SPDX-License-Identifier: Apache-2.0

package demo

import "github.com/holdfast-churn/holdfast/data"

// A Truth is what is true of a made history and what its tables hold, for
// tests to compare with. TRUTH.md has the same in words.
type Truth struct {
	Seed      uint64
	Intercept float64 // log-odds where every form is 0
	// Effects are the terms of one feature each.
	Effects []Effect
	// The rest of the log-odds; zero in a linear history and in a shop.
	Interaction, NonMonotone, Season, Drift Effect `json:",omitzero"`
	// NoiseSD is the standard deviation of a normal noise in the log-odds of
	// each renewal that no table shows.
	NoiseSD float64 `json:",omitzero"`
	// UselessPillar has features and no effect.
	UselessPillar string
	// Contracts has a row for each row of Demo.Contracts, in its order:
	// contract_id; snapshot, the primary one; log_odds before the noise; p_seen,
	// the best probability that the tables allow; p, from which the outcome was
	// drawn; churned, the outcome, also where the tables do not show it yet.
	// All but the first two are missing where the snapshot lies after the
	// history's end.
	Contracts data.Table `json:"-"` // too many for truth.json; cmd writes them as a table
	// Snapshots takes the place of Contracts in a shop; shopTruth says what its
	// columns are.
	Snapshots data.Table `json:"-"`
	Segments  []SegmentCount
	Sources   []SourceCount // in the order of Demo.Events
	Nulls     []NullCount   // columns of the accounts table
}

// Table returns the true probabilities: of contracts, or of a shop's snapshots.
func (t *Truth) Table() *data.Table {
	if t.Snapshots.Name != "" {
		return &t.Snapshots
	}
	return &t.Contracts
}

// A SegmentCount counts the mature renewals of one segment; in a shop, the
// snapshots whose horizon has passed.
type SegmentCount struct {
	Segment           string
	Renewals, Churned int
}

// A SourceCount counts the rows of one event table.
type SourceCount struct {
	Source   string
	Rows     int
	Repeated int // rows whose event_id occurred before
	Late     int // rows loaded more than a day after the event
	Orphans  int // rows of accounts that are not in the accounts table
}

// A NullCount counts the missing values of one attribute.
type NullCount struct {
	Column string
	Rows   int
}

func (b *builder) truth() Truth {
	return Truth{
		Seed: b.w.seed, Intercept: baseLogOdds, Effects: publicEffects(),
		Interaction: interaction.Effect, NonMonotone: nonMonotone.Effect, Season: season.Effect, Drift: drift.Effect,
		NoiseSD: noiseSD, UselessPillar: advocacy,
		Contracts: b.truthTable(),
		Segments:  b.segmentCounts(),
		Sources:   b.sourceCounts(),
		Nulls:     b.nullCounts(),
	}
}

func publicEffects() []Effect {
	out := make([]Effect, len(effects))
	for i := range effects {
		out[i] = effects[i].Effect
	}
	return out
}

func (b *builder) truthTable() data.Table {
	n := len(b.terms)
	snapshot := make([]day, n)
	z, best, p := make([]float64, n), make([]float64, n), make([]float64, n)
	churned := data.Column{Name: "churned", Kind: data.Bool, Ints: make([]int64, n), Null: make([]bool, n)}
	for k := range b.terms {
		t := &b.terms[k]
		snapshot[k] = t.snapshot
		if !t.decided {
			z[k], best[k], p[k], churned.Null[k] = noValue, noValue, noValue, true
			continue
		}
		z[k], best[k], p[k] = t.logOdds, t.best, t.p
		if t.churned {
			churned.Ints[k] = 1
		}
	}
	return newTable("truth.parquet",
		textsColumn("contract_id", b.contractIDs()),
		dateColumn("snapshot", snapshot),
		floatColumn("log_odds", z),
		floatColumn("p_seen", best),
		floatColumn("p", p),
		churned,
	)
}

func (b *builder) sourceCounts() []SourceCount {
	return []SourceCount{
		b.usage.count("usage", len(b.accounts)),
		b.tickets.count("tickets", len(b.accounts)),
		b.surveys.count("nps", len(b.accounts)),
		b.invoices.count("invoices", len(b.accounts)),
		b.touches.count("touchpoints", len(b.accounts)),
	}
}

func (b *builder) segmentCounts() []SegmentCount {
	counts := make([]SegmentCount, len(segments))
	for s := range counts {
		counts[s].Segment = segments[s]
	}
	for k := range b.terms {
		if t := &b.terms[k]; b.mature(t) {
			c := &counts[b.accounts[b.termOf[k]].segment]
			c.Renewals++
			if t.churned {
				c.Churned++
			}
		}
	}
	return counts
}

func (b *builder) nullCounts() []NullCount {
	counts := []NullCount{{Column: "country"}, {Column: "plan"}, {Column: "parent_id"}, {Column: "owner"}}
	for _, a := range b.accounts {
		for k, null := range []bool{!a.countryGiven, !a.planGiven, a.parent == missing, a.owner == missing} {
			if null {
				counts[k].Rows++
			}
		}
	}
	return counts
}
