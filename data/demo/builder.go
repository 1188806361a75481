// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"

	"github.com/holdfast-churn/holdfast/data"
)

const (
	repeatShare  = .002 // of usage rows that are delivered twice
	orphanUsage  = 9    // usage rows of accounts that no table knows
	orphanTicket = 4
)

// A builder gathers the accounts' lives into the rows of the tables.
type builder struct {
	w        *world
	accounts []*account
	terms    []term
	termOf   []int // account of each term

	usage, tickets, surveys, invoices, touches eventRows
}

func (b *builder) addTerms(a *account, terms []term) {
	for _, t := range terms {
		b.terms = append(b.terms, t)
		b.termOf = append(b.termOf, a.index)
	}
}

// addEvents appends the events of the sources that hold no row back and
// deliver none twice: all but usage.
func (b *builder) addEvents(l *life) {
	b.tickets.addAll(l.index, l.tickets)
	b.surveys.addAll(l.index, l.surveys)
	b.invoices.addAll(l.index, l.invoices)
	b.touches.addAll(l.index, l.touches)
}

// addUsage appends the usage rows that had been loaded by the history's end.
// Some are delivered twice, half of those days later: the row loaded first is
// the one that counts.
func (b *builder) addUsage(l *life) {
	for k := range l.usage {
		e := l.usage[k]
		id := int64(l.index)*idsPerAccount + int64(k)
		if !b.addLoaded(l.index, id, &e) || l.rUsage.Float64() >= repeatShare {
			continue
		}
		if l.rUsage.Float64() < .5 {
			e.loaded += nsPerDay + l.rUsage.Int64N(3*24*60*60)*nsPerSecond
		}
		if b.addLoaded(l.index, id, &e) {
			b.usage.repeated++
		}
	}
}

// addLoaded appends a usage row if it was loaded by the history's end.
func (b *builder) addLoaded(account int, id int64, e *event) bool {
	if e.loaded >= b.w.end.ns() {
		return false
	}
	b.usage.add(int32(account), id, e)
	return true
}

// addOrphans appends a few events of accounts that are not in the accounts
// table, such as test tenants.
func (b *builder) addOrphans() {
	r := newStream(b.w.seed, forOrphans, 0)
	unknown := int32(len(b.accounts))
	draw := func() event {
		d := b.w.start + day(r.IntN(int(b.w.end-b.w.start)-10))
		e := event{ts: d.officeTime(r), part: missing, seats: 1, value: noValue}
		e.loaded = e.ts + nsPerHour
		return e
	}
	for k := range orphanUsage {
		e := draw()
		b.usage.add(unknown+int32(k%2), int64(-1-k), &e)
	}
	for k := range orphanTicket {
		e := draw()
		b.tickets.add(unknown+int32(k%2), int64(-1-k), &e)
	}
}

// ids returns the texts of account codes in event tables: the accounts', then
// the two that no table knows.
func (b *builder) ids() []string {
	ids := make([]string, 0, len(b.accounts)+2)
	for _, a := range b.accounts {
		ids = append(ids, a.id)
	}
	return append(ids, "test-tenant-1", "test-tenant-2")
}

func (b *builder) eventTables() []data.Table {
	ids := b.ids()
	return []data.Table{
		b.usage.usageTable(ids),
		b.tickets.table("tickets", ids, ticketTypes),
		b.surveys.table("nps", ids, surveyTypes),
		b.invoices.table("invoices", ids, invoiceTypes),
		b.touches.table("touchpoints", ids, touchTypes),
	}
}

func (b *builder) accountTable() data.Table {
	n := len(b.accounts)
	ids, names, parents := make([]string, n), make([]string, n), make([]string, n)
	created := make([]day, n)
	var codes [5][]int32 // segment, phase, country, plan, owner
	for i, a := range b.accounts {
		ids[i], names[i], created[i] = a.id, a.name, a.created
		if a.parent != missing {
			parents[i] = accountID(a.parent)
		}
		for k, code := range []int{a.segment, a.phase(b.w.end), a.countryCode(), a.planCode(), a.owner} {
			codes[k] = append(codes[k], int32(code))
		}
	}
	return newTable("data/accounts.parquet",
		textsColumn("account_id", ids),
		dateColumn("created_at", created),
		textColumn("segment", codes[0], segments),
		textColumn("lifecycle_phase", codes[1], phases),
		textColumn("country", codes[2], countries),
		textColumn("plan", codes[3], plans),
		textsColumn("parent_id", parents),
		textsColumn("name", names),
		textColumn("owner", codes[4], owners),
	)
}

func (b *builder) contractTable() data.Table {
	n := len(b.terms)
	contracts, accounts := b.contractIDs(), make([]string, n)
	amount := make([]float64, n)
	var dates [6][]day // start, due, label mature, notice, signed, renewed
	var whole [3][]int64
	var money, outcome []int32
	auto := make([]bool, n)
	for k := range b.terms {
		t, a := &b.terms[k], b.accounts[b.termOf[k]]
		accounts[k], amount[k], auto[k] = a.id, t.amount, a.autoRenew
		for j, d := range []day{t.start, t.due, t.due + grace, b.seen(t.notice), b.seen(t.signed), b.seen(t.renewed)} {
			dates[j] = append(dates[j], d)
		}
		for j, v := range []int{t.seq, t.episode, int(t.due - t.start)} {
			whole[j] = append(whole[j], int64(v))
		}
		money = append(money, int32(currencyOf[a.country]))
		outcome = append(outcome, int32(b.outcome(t)))
	}
	return newTable("data/contracts.parquet",
		textsColumn("contract_id", contracts),
		textsColumn("account_id", accounts),
		dateColumn("start_date", dates[0]),
		dateColumn("renewal_date", dates[1]),
		floatColumn("amount", amount),
		textColumn("currency", money, currencies),
		textColumn("outcome", outcome, outcomes),
		dateColumn("label_mature_at", dates[2]),
		dateColumn("notice_at", dates[3]),
		dateColumn("signed_at", dates[4]),
		dateColumn("renewed_on", dates[5]),
		intColumn("seq", whole[0]),
		intColumn("episode", whole[1]),
		intColumn("term_days", whole[2]),
		boolColumn("auto_renew", auto),
	)
}

// contractIDs numbers the terms of each account.
func (b *builder) contractIDs() []string {
	ids := make([]string, len(b.terms))
	number := 0
	for k, a := range b.termOf {
		if number++; k == 0 || a != b.termOf[k-1] {
			number = 1
		}
		ids[k] = fmt.Sprintf("%s-%02d", b.accounts[a].id, number)
	}
	return ids
}

var outcomes = []string{"renewed", "churned"}

// outcome returns the code of a term's outcome, missing while it is not
// mature. Both classes mature at the same instant, due + grace.
func (b *builder) outcome(t *term) int {
	switch {
	case !b.mature(t):
		return missing
	case t.churned:
		return 1
	}
	return 0
}

func (b *builder) mature(t *term) bool { return t.decided && t.due+grace <= b.w.end }

// seen hides a date that lies after the history's end.
func (b *builder) seen(d day) day {
	if d >= b.w.end {
		return never
	}
	return d
}

func (a *account) countryCode() int { return given(a.countryGiven, a.country) }
func (a *account) planCode() int    { return given(a.planGiven, a.plan) }

func given(ok bool, code int) int {
	if !ok {
		return missing
	}
	return code
}
