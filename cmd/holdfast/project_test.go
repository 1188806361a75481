// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/train"
)

// example uses every key of DESIGN.md section 3.
const example = `
version: 1
project: acme
timezone: Europe/London
data:
  accounts:  {path: data/accounts.parquet, key: account_id, created: created_at, segment: segment, phase: lifecycle_phase, group: parent_id, attributes: [country, plan], show: [name, owner]}
  contracts: {path: data/contracts/*.parquet, key: contract_id, account: account_id, start: start_date, due: renewal_date, value: amount, value_known: start, currency: currency,
              outcome: outcome, churned: [churned], known_at: label_mature_at, notice: notice_at, signed: signed_at, renewed_at: renewed_on, attributes: [seq, term_days]}
  events:
    - {name: usage, path: data/usage/**/*.parquet, account: account_id, time: ts, known_at: loaded_at, lag: 1d, type: event_type, value: value, id: event_id, columns: [feature, seats]}
outcome:
  mode: renewal
  leads: [90d, 60d, 30d]
  grace: 30d
features:
  windows: [30d, 7d, 12w]
  auto: true
  set:
    - {name: logins_30d, from: usage, where: "type == 'login'", agg: count, window: 30d, pillar: product_utilization, direction: healthy, actionable: true, unit: logins, label: logins in 30 days}
    - {name: login_trend, from: usage, agg: trend, window: 7d}
model:    {pairs: auto, segments: pooled, calibration: platt, scorecard: scorecard.yaml, scorecard_worth: 200}
backtest: {every: 3mo, first: 2025-01-01, embargo: 5d, capacity: 10%}
health:   {at_risk_p: 0.4, tiers: {at_risk: 30, watch: 55, healthy: 85}}
models: models/
`

func TestParseProject(t *testing.T) {
	p, err := parseProject([]byte(example), "acme")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.sources.Contracts.Path; got != filepath.Join("acme", "data", "contracts", "*.parquet") {
		t.Errorf("contracts at %q", got)
	}
	if e := p.sources.Events[0]; e.Lag != 24*time.Hour || e.ID != "event_id" || len(e.Columns) != 2 {
		t.Errorf("usage %+v", e)
	}
	if diff := cmp.Diff(features.Outcome{Mode: "renewal", LeadDays: []int{90, 60, 30}, GraceDays: 30, Declared: true, Rolling: true}, p.outcome); diff != "" {
		t.Error(diff)
	}
	if p.sources.Contracts.GraceDays != 30 {
		t.Errorf("terms are linked with a grace of %d days, outcomes go by 30", p.sources.Contracts.GraceDays)
	}
	if diff := cmp.Diff([]int{7, 30, 84}, p.autoOpt.WindowDays); diff != "" || !p.autoOpt.ValueKnown {
		t.Errorf("windows %s, value known %v", diff, p.autoOpt.ValueKnown)
	}
	if diff := cmp.Diff([]features.Feature{
		{Name: "logins_30d", From: "usage", Type: "login", Agg: "count", WindowDays: 30, Kind: "number", Pillar: "product_utilization",
			Direction: "healthy", Actionable: true, Unit: "logins", Label: "logins in 30 days"},
		{Name: "login_trend", From: "usage", Agg: "trend", WindowDays: 7, LongDays: 84, Kind: "number", Pillar: "product_utilization", Direction: "free", Label: "login trend"},
	}, p.set); diff != "" {
		t.Error(diff)
	}
	if p.origins.Months != 3 || p.origins.EmbargoDays != 5 || p.origins.First.Format(time.RFC3339) != "2025-01-01T00:00:00Z" {
		t.Errorf("origins %+v", p.origins)
	}
	if p.score.AtRiskP != 0.4 || p.score.Healthy != 85 || p.fit.Calibration != "platt" {
		t.Errorf("score %+v, calibration %q", p.score, p.fit.Calibration)
	}
	if p.capacity != 0.1 || p.fit.Stages != "auto" {
		t.Errorf("capacity %v, stages %q", p.capacity, p.fit.Stages)
	}
}

func TestProjectDefaults(t *testing.T) {
	p, err := parseProject([]byte("version: 1\ndata:\n  accounts: {path: a.parquet, key: id}\n  events: [{name: orders, path: o.parquet, account: id, time: at}]\n"+
		"outcome: {mode: activity, of: orders}\n"), ".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(features.Outcome{Mode: "activity", Of: "orders", HorizonDays: 90, EveryDays: 30, ActiveWithinDays: 90}, p.outcome); diff != "" {
		t.Error(diff)
	}
	if !p.auto || p.sources.Location != time.UTC || p.score.AtRisk != 40 || p.registry.Dir != "models" {
		t.Errorf("defaults %+v", p)
	}
	// Outcome and known_at as columns are the truth: grace is 0 unless given. Else it is 30 days.
	for yaml, grace := range map[string]int{
		"outcome: o, churned: [x], known_at: k": 0,
		"outcome: o, churned: [x]":              30,
		"known_at: k":                           30,
	} {
		p, err := parseProject([]byte("version: 1\ndata:\n  accounts: {path: a, key: id}\n  contracts: {path: c, key: id, account: a, start: s, due: d, "+yaml+"}\noutcome: {mode: renewal}\n"), ".")
		if err != nil || p.outcome.GraceDays != grace {
			t.Errorf("%s: grace %d, %v; want %d", yaml, p.outcome.GraceDays, err, grace)
		}
	}
}

func TestParseProjectRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key at the top":          {"outcome:\n", "outcomes:\n", `line 11: unknown key "outcomes"; did you mean "outcome"?`},
		"unknown key inside":              {"embargo:", "embargoes:", `unknown key "embargoes"; did you mean "embargo"?`},
		"a key of another place":          {"leads: [90d", "windows: [90d", `the key "windows" does not belong here`},
		"a local zone":                    {"Europe/London", "Local", `timezone: "Local"`},
		"a kept source name":              {"name: usage, path", "name: account, path", `"account" is kept for facts`},
		"a score among show":              {"show: [name, owner]", "show: [name, health]", `"health" is the name of a score column`},
		"two features of a name":          {"name: login_trend", "name: logins_30d", "features.set: logins_30d: is defined twice"},
		"a way of pairing":                {"pairs: auto", "pairs: some", `model.pairs: found "some"`},
		"penalty":                         {"segments: pooled", "penalty: bananas", `model.penalty: found "bananas"`},
		"folds":                           {"segments: pooled", "folds: bananas", `model.folds: found "bananas"`},
		"weights":                         {"segments: pooled", "weights: bananas", `model.weights: found "bananas"`},
		"segments":                        {"segments: pooled", "segments: bananas", `model.segments: found "bananas"`},
		"a probability":                   {"at_risk_p: 0.4", "at_risk_p: 40", "health.at_risk_p: found 40"},
		"unknown key in a list":           {"agg: trend", "aggregate: trend", `unknown key "aggregate"`},
		"a text for a number":             {"version: 1", "version: one", "line 2:"},
		"another version":                 {"version: 1", "version: 2", "version: found 2; this program reads version 1"},
		"not YAML":                        {"model:    {", "model:    {{", "line "},
		"a bad zone":                      {"Europe/London", "Europe/Lundon", `timezone: "Europe/Lundon" is not a known time zone`},
		"a bad duration":                  {"lag: 1d", "lag: 1 day", `data.events[0].lag: found "1 day"; expected a duration such as 90d`},
		"days for months":                 {"every: 3mo", "every: 30d", `backtest.every: found "30d"; expected whole months`},
		"no key":                          {"key: account_id, created", "created", "data.accounts.key: is required"},
		"a mode":                          {"mode: renewal", "mode: annual", `outcome.mode: found "annual"; expected renewal or activity`},
		"an aggregate":                    {"agg: trend", "agg: median", `features.set: login_trend: agg: found "median"; expected one of count,`},
		"a filter":                        {"type == 'login'", "type = 'login'", `features.set: logins_30d: where "type = 'login'": at character 6: found =, expected ==, !=`},
		"a direction":                     {"direction: healthy", "direction: up", `direction: found "up"; expected healthy, risky or free`},
		"tiers":                           {"watch: 55", "watch: 95", "upper bounds must increase"},
		"a profile for nobody":            {"models: models/", "profiles: [{name: a, model: latest}]", "profiles: a: where: expected segment or phase"},
		"a profile for nothing":           {"models: models/", "profiles: [{name: a, where: {phase: [new]}}]", "profiles: a: found neither model nor health"},
		"a profile twice":                 {"models: models/", "profiles: [{name: a, where: {phase: [new]}, model: latest}, {name: a, where: {phase: [old]}, model: latest}]", `profiles: name "a": expected a name of its own`},
		"a profile named default":         {"models: models/", "profiles: [{name: default, where: {phase: [new]}, model: latest}]", `name "default": expected a name of its own, and not default`},
		"tiers of a profile":              {"models: models/", "profiles: [{name: a, where: {segment: [smb]}, health: {tiers: {at_risk: 90}}}]", "profiles: a: health.tiers: upper bounds must increase"},
		"a key of a profile":              {"models: models/", "profiles: [{name: a, were: {segment: [smb]}}]", `unknown key "were"; did you mean "where"?`},
		"a date":                          {"2025-01-01", "January", `backtest.first: found "January"; expected a date`},
		"what churned means":              {"churned: [churned], ", "", "data.contracts.churned: list the values"},
		"when a value is known":           {"value_known: start", "value_known: middle", `found "middle"; expected start or end`},
		"a way of calibrating":            {"calibration: platt", "calibration: beta", `found "beta"; expected auto`},
		"a reason without values":         {"known_at: label_mature_at", "known_at: label_mature_at, reason: why", "data.contracts.involuntary: reason and involuntary go together"},
		"two ways to say what was kept":   {"known_at: label_mature_at", "known_at: label_mature_at, kept: a, renewed_value: b", "kept and renewed_value exclude each other"},
		"an attribute that knows the end": {"known_at: label_mature_at", "known_at: label_mature_at, kept: seq", `"seq" is the column of kept, which tells how the term ended`},
		"a late value among attributes":   {"value: amount, value_known: start", "value: seq", `"seq" is the value, known only at the end of the term`},
		"a fact with a window":            {"from: usage, agg: trend, window: 7d", "from: contract, agg: episode, window: 7d", "window, where and value are for events"},
		"a fact that is none":             {"from: usage, agg: trend, window: 7d", "from: contract, agg: trend", `found "trend"; expected one of attribute,`},
		"a fact nobody declared":          {"from: usage, agg: trend, window: 7d", "from: contract, agg: auto_renew", "data.contracts.auto_renew names no column"},
		"no version":                      {"version: 1\n", "", "version: is required and missing; write version: 1"},
		"a text for a truth value":        {"auto: true", "auto: maybe", `line 17: found "maybe", expected true or false`},
		"a text for a list":               {"leads: [90d, 60d, 30d]", "leads: 90d", `line 13: found "90d", expected a list in brackets, such as [30d, 90d]`},
		"a number for keys":               {"agg: trend, window: 7d", "agg: weighted, weights: 3", `found "3", expected keys with values, such as {login: 1, export: 3}`},
		"a tab":                           {"models: models/", "\tmodels: models/", "line 24: begins with a tab; YAML is indented with spaces"},
		"no aggregate":                    {"agg: trend, window: 7d", "window: 7d", "features.set: login_trend: agg: is required and missing"},
		"a window of nothing":             {"window: 7d", "window: 0d", `features.set: login_trend: window: found "0d"; expected one day or more, or no window for all history`},
		"a value that is not read":        {"agg: trend", "agg: trend, value: seats", "value does not go with agg trend; it belongs to sum, mean,"},
		"a duplicate event source":        {"outcome:\n", "    - {name: usage, path: p, account: a, time: t}\noutcome:\n", `data.events[1].name: "usage" is used twice`},
		"a key of another agg":            {"agg: count, ", "agg: count, half_life: 3d, ", "features.set: logins_30d: half_life does not go with agg count; it belongs to decayed"},
		"what is added":                   {"agg: count, ", "agg: decayed, half_life: 3d, of: mean, ", `logins_30d: of: found "mean"; expected count or sum`},
		"a prior":                         {"agg: count, ", "agg: csat, prior: 110, ", "logins_30d: prior: found 110; expected a percentage"},
		"one date of two":                 {"agg: count, ", "agg: lateness, due: due_on, ", "logins_30d: lateness needs due and paid"},
		"a fact of events":                {"from: usage, where: \"type == 'login'\", agg: count", "from: account, agg: count", `agg: found "count"; expected one of attribute, segment`},
		"a window of a fact":              {"from: usage, where: \"type == 'login'\", agg: count", "from: account, agg: tenure", "window, where and value are for events"},
		"an attribute":                    {"from: usage, where: \"type == 'login'\", agg: count, window: 30d", "from: account, agg: attribute, column: plam", `logins_30d: column: "plam" is not among the attributes of data.accounts; did you mean "plan"?`},
		"a fact of no snapshot":           {"from: usage, where: \"type == 'login'\", agg: count, window: 30d", "from: snapshot, agg: attribute, column: plan", "an attribute is of account or contract, found snapshot"},
	} {
		if !strings.Contains(example, c.old) {
			t.Fatalf("%s: the example has no %q", name, c.old)
		}
		_, err := parseProject([]byte(strings.Replace(example, c.old, c.new, 1)), ".")
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// Rows weigh by value only where the value is known when a term starts.
func TestWeightsNeedAValue(t *testing.T) {
	weighted := strings.Replace(example, "pairs: auto", "weights: value, penalty: one_se, folds: time", 1)
	p, err := parseProject([]byte(weighted), ".")
	if err != nil {
		t.Fatal(err)
	}
	if o := p.trainOptions(new(app)); o.Weights != train.WeightsValue || o.Penalty != train.PenaltyOneSE || o.FoldsBy != train.FoldsByTime {
		t.Errorf("%+v", o)
	}
	_, err = parseProject([]byte(strings.Replace(weighted, "value_known: start", "value_known: end", 1)), ".")
	if want := "model.weights: value: needs data.contracts.value, with value_known: start"; !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// A filter for one type is a type; what else it asks for is kept in one form.
func TestWhere(t *testing.T) {
	for where, want := range map[string][2]string{
		"type == 'login'":                   {"login", ""},
		"type=='login' AND (  value>3 )":    {"login", "value > 3"},
		"seats in [3, 2,3]":                 {"", "seats in (2, 3)"},
		"type in ('login', 'export')":       {"", "type in ('export', 'login')"},
		"type == ''":                        {"", "type == ''"},
		"type == 'login' or feature == 'a'": {"", "type == 'login' or feature == 'a'"},
	} {
		p, err := parseProject([]byte(strings.Replace(example, "type == 'login'", where, 1)), ".")
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		if f := p.set[0]; f.Type != want[0] || f.Where != want[1] {
			t.Errorf("%s: type %q, where %q; want %q", where, f.Type, f.Where, want)
		}
	}
	_, err := parseProject([]byte(strings.Replace(strings.Replace(example, "type == 'login'", "type != 'login'", 1), "type: event_type, ", "", 1)), ".")
	if want := "events usage declare none; give them type: COLUMN"; !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
		t.Errorf("a filter over types that are not declared: %v, want %q", err, want)
	}
}

// PROJECT.md names every key, and its example is a project.
func TestProjectReference(t *testing.T) {
	text, err := os.ReadFile("PROJECT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, rest, _ := strings.Cut(block, "```\n")
	if _, err := parseProject([]byte(block), "."); err != nil {
		t.Errorf("the example: %v", err)
	}
	for _, key := range knownKeys(reflect.TypeFor[projectYAML]()) {
		if !regexp.MustCompile("`([a-z]+\\.)*" + key + "[.`]").MatchString(rest) {
			t.Errorf("the key %q is not explained", key)
		}
	}
}

// The project files of the real histories are read as they are.
func TestRealProjectFiles(t *testing.T) {
	for _, name := range []string{"oulad", "online_retail", "ravenstack"} {
		file := filepath.Join(shared, name, projectFile)
		if _, err := (data.Disk{}).Stat(file); err != nil {
			t.Skipf("the real histories are not beside the checkout: %v", err)
		}
		if _, err := readProject(data.Disk{}, file); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParseProject(f *testing.F) {
	f.Add([]byte(example))
	f.Add([]byte("version: 1\n"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = parseProject(text, ".") })
}
