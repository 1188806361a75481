// SPDX-License-Identifier: Apache-2.0

package guess

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"customer_id": "customer id", "customerID": "customer id", "CustomerId": "customer id", "IDCustomer": "id customer",
		"order date": "order date", "utm2Source": "utm2 source", "": "", "final_churn_flag_LEAKS": "final churn flag leaks",
	} {
		if got := strings.Join(words(name), " "); got != want {
			t.Errorf("words(%q) = %q, want %q", name, got, want)
		}
	}
	for _, c := range []struct {
		column, key, table string
		want               bool
	}{
		{"account_id", "account_id", "accounts", true},
		{"CustomerID", "id", "customers", true},
		{"customer", "customer_id", "customers", true},
		{"client_id", "customer_key", "dim_customer", true}, // both are words for account
		{"id", "id", "accounts", false},                     // every table has one
		{"customer_name", "customer_id", "customers", false},
		{"order_id", "customer_id", "customers", false},
		{"company_id", "id", "companies", true},
	} {
		if got := agree(c.column, c.key, c.table); got != c.want {
			t.Errorf("agree(%q, %q, %q) = %v", c.column, c.key, c.table, got)
		}
	}
}

// A column whose name speaks of what came later is no fact.
func TestHindsight(t *testing.T) {
	for name, want := range map[string]bool{
		"churn_date": true, "ChurnReason": true, "final_status": true, "status": true, "last_login": true, "is_active": true,
		"cancelled_at": true, "current_plan": true, "total_spend": true, "health_score": true, "days_since_login": true, "y": true,
		"country": false, "plan_tier": false, "seats": false, "state": false, "currency": false, "referral_source": false,
		"imd_band": false, "years_in_business": false,
	} {
		if got := hindsight(name, true) != ""; got != want {
			t.Errorf("hindsight(%q) = %v", name, got)
		}
	}
}

// write lays tables into a folder of its own.
func write(t *testing.T, tables ...data.Table) string {
	t.Helper()
	dir := t.TempDir()
	for i := range tables {
		name := filepath.Join(dir, tables[i].Name+".parquet")
		if err := (data.Disk{}).MkdirAll(filepath.Dir(name)); err != nil {
			t.Fatal(err)
		}
		if err := data.Write(data.Disk{}, name, &tables[i]); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// line writes values with a space between them.
func line(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

func look(t *testing.T, dir string) *Layout {
	t.Helper()
	l, err := Look(context.Background(), data.Disk{}, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func ints(name string, kind data.Kind, n int, of func(i int) int64) data.Column {
	return data.IntOf(name, kind, n, func(i int) (int64, bool) { return of(i), true })
}

func tableOf(name string, n int, columns ...data.Column) data.Table {
	return data.Table{Name: name, Rows: n, Columns: columns}
}

// shop is the tables of a web shop as one finds them: integer keys, camel
// case, a table of items that knows no customer, columns filled in later.
func shop() []data.Table {
	const customers, orders = 200, 2000
	r := rand.New(rand.NewPCG(1, 2))
	day := make([]int64, orders)
	who := make([]int64, orders)
	for i := range orders {
		day[i], who[i] = 19000+int64(r.IntN(500)), 1+int64(r.IntN(customers))
	}
	at := func(i int) int64 { return day[i] * 24 * 3600e9 }
	return []data.Table{
		tableOf("Customers", customers,
			ints("Id", data.Int, customers, func(i int) int64 { return int64(i + 1) }),
			data.TextOf("FullName", customers, func(i int) string { return fmt.Sprintf("Person %d", i) }),
			data.TextOf("Email", customers, func(i int) string { return fmt.Sprintf("p%d@example.com", i%50) }),
			ints("SignupDate", data.Date, customers, func(i int) int64 { return 18900 }),
			ints("LastOrderDate", data.Date, customers, func(i int) int64 { return 19400 + int64(i%30) }),
			data.TextOf("Country", customers, func(i int) string { return []string{"DE", "FR"}[i%2] }),
			ints("Churned", data.Bool, customers, func(i int) int64 { return int64(i % 2) })),
		tableOf("Orders", orders,
			ints("OrderId", data.Int, orders, func(i int) int64 { return int64(i + 1) }),
			ints("CustomerId", data.Int, orders, func(i int) int64 { return who[i] }),
			ints("OrderedAt", data.Time, orders, at),
			ints("DeliveredAt", data.Time, orders, func(i int) int64 { return at(i) + 3*24*3600e9 }),
			data.TextOf("Status", orders, func(i int) string { return []string{"delivered", "returned"}[i%2] }),
			data.TextOf("Channel", orders, func(i int) string { return []string{"web", "app"}[i%2] }),
			data.FloatOf("Total", orders, func(i int) float64 { return float64(i%90) + .5 })),
		tableOf("OrderItems", orders,
			ints("OrderId", data.Int, orders, func(i int) int64 { return int64(i + 1) }),
			ints("ProductId", data.Int, orders, func(i int) int64 { return int64(i%40 + 1) })),
		tableOf("Products", 40,
			ints("ProductId", data.Int, 40, func(i int) int64 { return int64(i + 1) })),
	}
}

func TestShop(t *testing.T) {
	l := look(t, write(t, shop()...))
	a := l.Sources.Accounts
	if got, want := line(a.Key, a.Created, a.Attributes, a.Show), "Id SignupDate [Country] [FullName]"; got != want {
		t.Errorf("accounts: %s, want %s", got, want)
	}
	if l.Sources.Contracts != nil || len(l.Sources.Events) != 1 || l.Of != "Orders" {
		t.Fatalf("contracts %v, events %v, of %q", l.Sources.Contracts, l.Sources.Events, l.Of)
	}
	e := l.Sources.Events[0]
	if got, want := line(e.Account, e.Time, e.Type, e.Value, e.ID), "CustomerId OrderedAt Channel Total OrderId"; got != want {
		t.Errorf("orders: %s, want %s", got, want)
	}
	late := map[string]bool{}
	for _, c := range l.LeftOut {
		late[c.Table+"."+c.Column] = c.Hindsight
	}
	if diff := cmp.Diff(map[string]bool{"accounts.Email": false, "accounts.LastOrderDate": true, "accounts.Churned": true,
		"Orders.DeliveredAt": true, "Orders.Status": true}, late); diff != "" {
		t.Error(diff)
	}
	for _, s := range l.Tables {
		if strings.Contains("OrderItems Products", s.Name) && !strings.Contains(s.Why, "no column refers to Id of Customers") {
			t.Errorf("%s: role %q, why %q", s.Name, s.Role, s.Why)
		}
	}
}

// terms makes monthly terms of 100 accounts, ten each; change alters the row
// of account a, term k.
func monthly(change func(a, k int) (amount float64, renewed int64)) []data.Table {
	const accounts, each = 100, 10
	n := accounts * each
	start := func(i int) int64 { return 19000 + 30*int64(i%each) }
	who := func(i int) string { return fmt.Sprintf("C%03d", i/each) }
	return []data.Table{
		tableOf("clients", accounts, data.TextOf("client_id", accounts, func(i int) string { return fmt.Sprintf("C%03d", i) })),
		tableOf("subscriptions", n,
			data.TextOf("client_id", n, who),
			data.TextOf("subscription_id", n, func(i int) string { return fmt.Sprint("S", i) }),
			ints("start_date", data.Date, n, start),
			ints("end_date", data.Date, n, func(i int) int64 { return start(i) + 30 }),
			data.FloatOf("mrr", n, func(i int) float64 { v, _ := change(i/each, i%each); return v }),
			ints("renewed_at", data.Date, n, func(i int) int64 { _, r := change(i/each, i%each); return start(i) + 30 + r }),
			data.TextOf("status", n, func(i int) string { return []string{"renewed", "lost"}[i%2] }),
			data.TextOf("note", n, func(i int) string { return []string{"", "too dear"}[i%2] })),
	}
}

// What names cannot say, rows do: whether a value is agreed at the start, and
// whether terms are rolling.
func TestTermsByTheirRows(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, c := range map[string]struct {
		change             func(a, k int) (float64, int64)
		valueKnown, rolled string
	}{
		"an agreed price, renewed on time": {func(a, k int) (float64, int64) { return float64(a), 0 }, "start", ""},
		"metered, renewed on time":         {func(a, k int) (float64, int64) { return r.Float64(), 0 }, "", ""},
		"renewals seen after the start":    {func(a, k int) (float64, int64) { return float64(a), int64(k % 5) }, "start", "renewed_at"},
	} {
		t.Run(name, func(t *testing.T) {
			l := look(t, write(t, monthly(c.change)...))
			s := l.Sources.Contracts
			if s == nil {
				t.Fatal("no contracts")
			}
			got := line(s.Key, s.Account, s.Start, s.Due, s.Value, s.Outcome, s.Churned)
			if want := "subscription_id client_id start_date end_date mrr status [lost]"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if s.ValueKnown != c.valueKnown || s.RenewedAt != c.rolled {
				t.Errorf("value known %q, renewed_at %q; want %q, %q", s.ValueKnown, s.RenewedAt, c.valueKnown, c.rolled)
			}
			if l.TermDays != 30 {
				t.Errorf("terms of %d days", l.TermDays)
			}
			// A note that only lost contracts have knows the outcome, whatever its name.
			if !slices.ContainsFunc(l.LeftOut, func(c LeftOut) bool { return c.Column == "note" && c.Hindsight }) {
				t.Errorf("left out: %v", l.LeftOut)
			}
		})
	}
}

// An end that is empty while a subscription runs is no due date.
func TestActualEndIsNoDueDate(t *testing.T) {
	tables := monthly(func(a, k int) (float64, int64) { return 1, 0 })
	end := tables[1].Columns[3]
	tables[1].Columns[3] = data.IntOf(end.Name, data.Date, len(end.Ints), func(i int) (int64, bool) { return end.Ints[i], i%3 > 0 })
	l := look(t, write(t, tables...))
	if l.Sources.Contracts != nil || !strings.Contains(l.Why["contracts"], "end_date is empty in 334 of 1000 rows") {
		t.Errorf("contracts %v, why %q", l.Sources.Contracts, l.Why["contracts"])
	}
}

func TestChurnedValues(t *testing.T) {
	for _, c := range []struct {
		name   string
		levels string
		want   string // "" where the column is no outcome
	}{
		{"outcome", "churned renewed", "churned"},
		{"renewal_status", "Renewed Lapsed Cancelled", "Cancelled Lapsed"},
		{"is_churned", "true false", "true"},
		{"renewed", "1 0", "0"},
		{"status", "active churned", ""}, // active means that nothing is decided
		{"outcome", "a b", ""},
		{"churned", "yes", ""}, // one class
	} {
		p := &data.ColumnProfile{Name: c.name}
		for _, l := range strings.Fields(c.levels) {
			p.Levels = append(p.Levels, data.Level{Text: l, Rows: 1})
		}
		got, why := churnedValues(p)
		if strings.Join(got, " ") != c.want || (why == "") != (c.want != "") {
			t.Errorf("%s of %s: %q, %s", c.name, c.levels, got, why)
		}
	}
}

// What makes a folder unfit is one sentence that satisfies ErrBadData.
func TestLookRefuses(t *testing.T) {
	s := shop()
	labelled := s[0]
	labelled.Columns = slices.Clone(s[0].Columns)
	for name, c := range map[string]struct {
		tables []data.Table
		want   string
	}{
		"nothing":                {nil, "no Parquet file in this folder or below it"},
		"events only":            {s[1:2], "CustomerId of "},
		"no account anywhere":    {[]data.Table{tableOf("x", 3, data.FloatOf("v", 3, func(int) float64 { return math.Pi }))}, "no column could be an account key"},
		"accounts with a label":  {[]data.Table{labelled}, `has a column "Churned"; learn from it as it is with holdfast train --table`},
		"accounts, undated rest": {[]data.Table{s[0], tableOf("visits", 50, ints("CustomerId", data.Int, 50, func(i int) int64 { return int64(i + 1) }))}, "it has no date"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "accounts, undated rest" {
				c.tables[0].Columns = c.tables[0].Columns[:4]
			}
			_, err := Look(context.Background(), data.Disk{}, write(t, c.tables...), Options{})
			if !errors.Is(err, data.ErrBadData) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

// A cancelled context ends it.
func TestLookStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Look(ctx, data.Disk{}, write(t, shop()...), Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
