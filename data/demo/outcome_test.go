// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"math"
	"testing"

	"github.com/holdfast-churn/holdfast/data/demo"
)

const grace = 30 // days

// The outcome column agrees with METHODS section 1: renewed if the account has
// a contract that starts from the due date to the end of grace, and mature, for
// both classes, at the end of grace.
func TestOutcomeFollowsFromSuccessors(t *testing.T) {
	for _, d := range []*demo.Demo{demo.Make(demo.Options{Seed: 2, Accounts: 800}), demo.Linear(2, 300)} {
		c := &d.Contracts
		starts := make(map[string][]int64)
		for r := range c.Rows {
			id := text(c, "account_id", r)
			starts[id] = append(starts[id], mustDate(t, c, "start_date", r))
		}
		seen := map[string]int{}
		for r := range c.Rows {
			due, mature := mustDate(t, c, "renewal_date", r), mustDate(t, c, "label_mature_at", r)
			if mature != due+grace {
				t.Fatalf("mature on day %d, want %d: %s", mature, due+grace, line(c, r))
			}
			want := "churned"
			for _, s := range starts[text(c, "account_id", r)] {
				if s >= due && s <= due+grace {
					want = "renewed"
				}
			}
			if mature > endDay {
				want = ""
			}
			got := text(c, "outcome", r)
			seen[got]++
			if got != want {
				t.Errorf("outcome %q, want %q: %s", got, want, line(c, r))
			}
		}
		if seen["churned"] == 0 || seen["renewed"] == 0 || seen[""] == 0 {
			t.Errorf("outcomes %v: one kind is missing", seen)
		}
	}
}

// Dates that tell of the outcome belong to their class and lie in the term.
func TestDatesOfTheDecision(t *testing.T) {
	d := demo.Make(demo.Options{Seed: 2, Accounts: 2000})
	c, churned := &d.Contracts, d.Truth.Contracts.Column("churned")
	var count struct{ notice, signed, late, early, winBack, monthly int }
	var yearly, ahead [2]int // terms of a year, those decided by the snapshot, by outcome
	for r := range c.Rows {
		start, due := mustDate(t, c, "start_date", r), mustDate(t, c, "renewal_date", r)
		snapshot := mustDate(t, &d.Truth.Contracts, "snapshot", r)
		if want := max(due-90, start); snapshot != want {
			t.Fatalf("snapshot on day %d, want %d: %s", snapshot, want, line(c, r))
		}
		if churned.Missing(r) != (snapshot > endDay) {
			t.Fatalf("an outcome is drawn exactly where the snapshot (day %d) is not after the end: %s", snapshot, line(c, r))
		}
		leaves := !churned.Missing(r) && churned.Ints[r] == 1
		stays := !churned.Missing(r) && churned.Ints[r] == 0
		notice, noticed := date(c, "notice_at", r)
		signed, early := date(c, "signed_at", r)
		renewed, done := date(c, "renewed_on", r)
		switch {
		case noticed && (!leaves || notice < start || notice >= due):
			t.Errorf("notice by one who stays or outside the term: %s", line(c, r))
		case early && (!stays || signed < start || signed >= due || renewed != signed):
			t.Errorf("a signature by one who leaves or outside the term: %s", line(c, r))
		case done && (!stays || renewed > due+grace || !early && renewed < due):
			t.Errorf("a renewal by one who leaves, or at a wrong time: %s", line(c, r))
		case stays && !done && due < endDay-grace:
			t.Errorf("no renewal by one who stays: %s", line(c, r))
		}
		count.notice += one(noticed)
		count.signed += one(early)
		count.late += one(done && renewed > due)
		count.early += one(noticed && notice <= snapshot || early && signed <= snapshot)
		if !churned.Missing(r) && due-start > 100 {
			yearly[churned.Ints[r]]++
			ahead[churned.Ints[r]] += one(noticed && notice <= snapshot || early && signed <= snapshot)
		}
		count.winBack += one(c.Column("episode").Ints[r] > 1)
		count.monthly += one(due-start < 32)
	}
	// Both shares are 3 % of some hundred terms or more; four standard errors.
	share := [2]float64{}
	var variance float64
	for y := range share {
		n := float64(yearly[y])
		share[y] = float64(ahead[y]) / n
		variance += .03 * .97 / n
	}
	if d := share[1] - share[0]; math.Abs(d) > 4*math.Sqrt(variance) || ahead[0] == 0 {
		t.Errorf("decided before the snapshot: %d of %d who stay, %d of %d who leave; want like shares",
			ahead[0], yearly[0], ahead[1], yearly[1])
	}
	if min(count.notice, count.signed, count.late, count.early, count.winBack, count.monthly) == 0 {
		t.Errorf("a kind of decision never occurs: %+v", count)
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
