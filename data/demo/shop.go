// SPDX-License-Identifier: Apache-2.0

package demo

import "github.com/holdfast-churn/holdfast/data"

// The outcome of a shop, as shop.yaml has it: every shopEvery days, of the
// customers with an order in shopActive days before, who orders nothing in the
// shopHorizon days to come?
const (
	shopEvery   day = 30
	shopHorizon day = 90
	shopActive  day = 180
)

// Shop makes the history of a shop: customers who order when they like, and
// one day order no more without a word. Options are those of Make, and the
// same options give the same bytes.
//
// Every shopEvery days each customer may leave for good, with log-odds that
// follow from what the tables show of him on that day. Nobody sees him go; his
// orders stop, as they also do when he is merely slow.
func Shop(o Options) *Demo {
	w := o.world()
	b := &shopBuilder{w: w, customers: make([]*customer, o.accounts(2000))}
	for i := range b.customers {
		c := newCustomer(w, i)
		l := newShopLife(w, c)
		l.tell()
		b.add(l)
		c.pace = nil // nobody needs it once the life is told
		b.customers[i] = c
	}
	return &Demo{
		Accounts:    b.customerTable(),
		Events:      b.eventTables(),
		ProjectYAML: projectYAML(shopYAML, w),
		Truth:       b.truth(),
	}
}

// A shopBuilder gathers the customers' lives into the rows of the tables.
type shopBuilder struct {
	w         *world
	customers []*customer

	orders, deliveries, returns, contacts, letters eventRows

	items     []int64 // of each order
	snapshots []shopSnapshot
	who       []int32 // customer of each snapshot
}

// add appends a life up to the history's end.
func (b *shopBuilder) add(l *shopLife) {
	for k := range l.orders {
		b.items = append(b.items, int64(l.items[k]))
	}
	b.orders.addAll(l.index, l.orders)
	b.deliveries.addAll(l.index, until(l.deliveries, b.w.end))
	b.returns.addAll(l.index, until(l.returns, b.w.end))
	b.contacts.addAll(l.index, until(l.contacts, b.w.end))
	b.letters.addAll(l.index, l.letters)
	for _, s := range l.snapshots {
		b.snapshots = append(b.snapshots, s)
		b.who = append(b.who, int32(l.index))
	}
}

// until sorts events and cuts off those that happen after the end.
func until(events []event, end day) []event {
	sortEvents(events)
	n := len(events)
	for n > 0 && events[n-1].ts >= end.ns() {
		n--
	}
	return events[:n]
}

func (b *shopBuilder) ids() []string {
	ids := make([]string, len(b.customers))
	for i, c := range b.customers {
		ids[i] = c.id
	}
	return ids
}

func (b *shopBuilder) customerTable() data.Table {
	n := len(b.customers)
	created := make([]day, n)
	channel, country := make([]int32, n), make([]int32, n)
	for i, c := range b.customers {
		created[i], channel[i], country[i] = c.created, int32(c.channel), int32(c.country)
	}
	return newTable("data/customers.parquet",
		textsColumn("customer_id", b.ids()),
		dateColumn("created_at", created),
		textColumn("channel", channel, channels),
		textColumn("country", country, countries),
	)
}

func (b *shopBuilder) eventTables() []data.Table {
	ids := b.ids()
	table := func(e *eventRows, name, kind string, types []string) data.Table {
		t := e.table(name, ids, types)
		t.Column("account_id").Name = "customer_id"
		t.Column("event_type").Name = kind
		return t
	}
	orders := table(&b.orders, "orders", "device", devices)
	orders.Columns = append(orders.Columns, intColumn("items", b.items))
	return []data.Table{
		orders,
		table(&b.deliveries, "deliveries", "event_type", deliveryTypes),
		table(&b.returns, "returns", "reason", reasons),
		table(&b.contacts, "contacts", "event_type", contactTypes),
		table(&b.letters, "newsletters", "event_type", letterTypes),
	}
}
