// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"cmp"
	"math"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// The event types of each source; an event's typ counts into its source's list.
var (
	usageTypes   = []string{"login", "feature_use", "api_call", "export"}
	usageParts   = []string{"dashboards", "reports", "alerts", "automation", "integrations"}
	ticketTypes  = []string{"opened", "escalated", "csat"}
	surveyTypes  = []string{"response"}
	invoiceTypes = []string{"issued", "paid", "failed"}
	touchTypes   = []string{"qbr", "training", "referral", "review", "sponsor_change", "roi_report"}
)

const (
	login = iota
	featureUse
	apiCall
	export
)

const (
	opened = iota
	escalated
	csat
)

const (
	issued = iota
	paid
	failed
)

const (
	qbr = iota
	training
	referral
	review
	sponsorChange
	roiReport
)

// An event is one thing that happened to an account.
type event struct {
	ts     int64
	loaded int64 // when the row reached the warehouse; 0 where the source does not say
	typ    int
	part   int // of the product, for feature_use; else missing
	seats  int
	value  float64 // NaN where the type has none
}

// sortEvents orders events by time; equal times keep the order in which they
// were drawn.
func sortEvents(events []event) {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.ts, b.ts) })
}

// eventRows are the rows of one event table on their way to it. Not every
// source has every column.
type eventRows struct {
	id, ts, loaded   []int64
	account          []int32
	typ, part, seats []int32
	value            []float64
	repeated         int // rows that deliver an event again
}

// idsPerAccount bounds the events of one account in one source, so that an
// event's id depends on its account alone.
const idsPerAccount = 1 << 24

func (e *eventRows) add(account int32, id int64, v *event) {
	e.id = append(e.id, id)
	e.account = append(e.account, account)
	e.ts = append(e.ts, v.ts)
	e.loaded = append(e.loaded, v.loaded)
	e.typ = append(e.typ, int32(v.typ))
	e.part = append(e.part, int32(v.part))
	e.seats = append(e.seats, int32(v.seats))
	e.value = append(e.value, v.value)
}

// count returns what the rows hold. Account codes from known on are not in the
// accounts table.
func (e *eventRows) count(source string, known int) SourceCount {
	c := SourceCount{Source: source, Rows: len(e.id), Repeated: e.repeated}
	for i := range e.id {
		if e.loaded[i]-e.ts[i] > nsPerDay {
			c.Late++
		}
		if int(e.account[i]) >= known {
			c.Orphans++
		}
	}
	return c
}

// addAll appends one account's events with ids of their own.
func (e *eventRows) addAll(account int, events []event) {
	for k := range events {
		e.add(int32(account), int64(account)*idsPerAccount+int64(k), &events[k])
	}
}

// table turns the rows into a table. ids are the account ids that account
// counts into.
func (e *eventRows) table(name string, ids, types []string) data.Table {
	return newTable("data/"+name+".parquet",
		intColumn("event_id", e.id),
		textColumn("account_id", e.account, ids),
		timeColumn("ts", e.ts),
		textColumn("event_type", e.typ, types),
		floatColumn("value", e.value),
	)
}

// usageTable is table with the columns that only usage has.
func (e *eventRows) usageTable(ids []string) data.Table {
	seats := make([]int64, len(e.seats))
	for i, s := range e.seats {
		seats[i] = int64(s)
	}
	t := e.table("usage", ids, usageTypes)
	t.Columns = append(t.Columns,
		timeColumn("loaded_at", e.loaded),
		textColumn("feature", e.part, usageParts),
		intColumn("seats", seats),
	)
	return t
}

var noValue = math.NaN()
