// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// scoreColumns are the names that every score table may have; no pass-through
// column may have one of them, or begin with health_.
var scoreColumns = []string{"account_id", "contract_id", "as_of", "due", "lead_days", "status", "p_churn", "p_renew", "p_grow", "p_low", "p_high",
	"health", "tier", "segment", "phase", "reason_1", "reason_2", "reason_3", "reason_1_effect", "reason_2_effect", "reason_3_effect",
	"main_pillar", "stability", "helps_1", "helps_2", "value", "currency", "value_at_risk", "upsell", "features_as_of", "missing_inputs", "days_since_event", "profile", "profile_rule", "model_id"}

// IsScoreColumn reports whether a score table has the name for itself.
func IsScoreColumn(name string) bool {
	return slices.Contains(scoreColumns, name) || strings.HasPrefix(name, "health_")
}

// Numbers of reasons in a score file.
const (
	reasonCount = 3
	helpsCount  = 2
)

// ScoreOptions says what a score table carries beside the scores.
type ScoreOptions struct {
	ModelID  string
	AsOf     int64          // nanoseconds since the epoch
	Location *time.Location // of calendar days
	Show     []data.Column  // pass-through columns, aligned with the rows
	Before   []*Earlier     // what health is compared with: columns health_change_<days>d
}

// Scores returns the score table of a frame built as of one instant: a row
// for each row of the frame, in its order. Rows that are early or decided
// have a status and no probability. DESIGN.md section 5 fixes the names.
func (m *Model) Scores(f *features.Frame, o ScoreOptions) (*data.Table, error) {
	b, err := m.newScoreBuilder(f)
	if err != nil {
		return nil, err
	}
	loc, rows := o.Location, f.Rows
	upsell := b.upsell()
	day := func(t int64) int64 { return int64(data.DayOf(t, loc)) }
	asOf := day(o.AsOf)
	missing := m.missingInputs(f)
	t := &data.Table{Name: "scores", Rows: len(rows)}
	add := func(c ...data.Column) { t.Columns = append(t.Columns, c...) }
	add(b.text("account_id", func(i int) string { return rows[i].Account }),
		b.text("contract_id", func(i int) string { return rows[i].Contract }),
		b.whole("as_of", data.Date, func(int) int64 { return asOf }),
		b.whole("due", data.Date, func(i int) int64 { return day(rows[i].Due) }),
		b.whole("lead_days", data.Int, func(i int) int64 { return int64(rows[i].LeadDays) }),
		b.text("status", func(i int) string { return rows[i].Status.String() }),
		b.number("p_churn", func(i int) float64 { return b.p[i] }),
		b.number("p_renew", func(i int) float64 { return 1 - b.p[i] }),
		b.number("p_grow", b.grow),
		b.number("p_low", func(i int) float64 { return b.low[i] }),
		b.number("p_high", func(i int) float64 { return b.high[i] }),
		b.number("health", func(i int) float64 { return b.health(i) }),
		b.text("tier", b.tier))
	for _, e := range o.Before {
		add(b.number(fmt.Sprintf("health_change_%dd", e.Days), func(i int) float64 { return e.change(&rows[i], b.health(i)) }))
	}
	add(b.text("segment", func(i int) string { return rows[i].Segment }),
		b.text("phase", func(i int) string { return rows[i].Phase }))
	for _, c := range o.Show {
		if IsScoreColumn(c.Name) {
			return nil, fmt.Errorf("scores: a pass-through column named %q would stand beside the score of that name; leave it out of show", c.Name)
		}
		add(c)
	}
	for k, name := range b.pillars {
		add(b.number("health_"+name, func(i int) float64 { return b.pillarHealth[k][i] }))
	}
	add(b.reasonColumns("reason", b.reasons, reasonCount, true)...)
	add(b.text("main_pillar", func(i int) string { return b.mainPillar[i] }),
		b.number("stability", func(i int) float64 { return b.stability[i] }))
	add(b.reasonColumns("helps", b.helps, helpsCount, false)...)
	add(b.number("value", func(i int) float64 { return rows[i].Value }),
		b.text("currency", func(i int) string { return rows[i].Currency }),
		b.number("value_at_risk", func(i int) float64 { return rows[i].Value * b.p[i] }),
		data.IntOf("upsell", data.Bool, len(rows), func(i int) (int64, bool) { return upsell[i], b.outlooks != nil && b.p[i] == b.p[i] }),
		b.whole("features_as_of", data.Date, func(i int) int64 { return day(rows[i].Snapshot) }),
		b.whole("missing_inputs", data.Int, func(i int) int64 { return int64(missing[i]) }),
		data.IntOf("days_since_event", data.Int, len(rows), func(i int) (int64, bool) {
			if rows[i].LastEvent == data.NoTime {
				return 0, false
			}
			return asOf - day(rows[i].LastEvent), true
		}),
		b.text("model_id", func(int) string { return o.ModelID }))
	return t, nil
}

// A scoreBuilder holds what the columns of a score table are read from.
type scoreBuilder struct {
	m            *Model
	p            []float64 // NaN where the status allows none
	low, high    []float64 // 90 % interval of p; NaN where the model states none
	stability    []float64 // of the pillar named first; likewise
	mainPillar   []string
	pillars      []string
	pillarHealth [][]float64 // by pillar, then row
	effect       [][]float64 // of pillars on z − z_ref, likewise
	reasons      [][]Reason
	helps        [][]Reason
	outlooks     *Outlooks // nil where the model says nothing of value
}

// newScoreBuilder scores a frame.
func (m *Model) newScoreBuilder(f *features.Frame) (*scoreBuilder, error) {
	scorer, err := m.Bind(f)
	if err != nil {
		return nil, err
	}
	raw := scorer.LogOdds(nil)
	z := slices.Clone(raw)
	m.Calibrate(z, f)
	p := make([]float64, len(z))
	for i := range p {
		p[i] = Sigmoid(z[i])
	}
	b := &scoreBuilder{m: m, p: p, reasons: make([][]Reason, len(p)), helps: make([][]Reason, len(p))}
	if b.outlooks, err = m.Outlooks(f); err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for i := range m.Terms {
		if name := m.Terms[i].Pillar; !seen[name] {
			seen[name] = true
			b.pillars = append(b.pillars, name)
		}
	}
	sort.Strings(b.pillars)
	b.pillarHealth, b.effect = make([][]float64, len(b.pillars)), make([][]float64, len(b.pillars))
	for k := range b.pillars {
		b.pillarHealth[k], b.effect[k] = make([]float64, len(p)), make([]float64, len(p))
	}
	contributions, n := scorer.Contributions(nil), len(m.Terms)
	for i := range p {
		if s := f.Rows[i].Status; s == features.Early || s == features.Decided {
			p[i] = math.NaN()
			for k := range b.pillars {
				b.pillarHealth[k][i] = math.NaN()
			}
			continue
		}
		e := m.Explain(contributions[i*n : (i+1)*n])
		for k := range e.Pillars { // both are in order of name
			b.effect[k][i] = e.Pillars[k].Effect
			b.pillarHealth[k][i] = PillarHealth(e.Pillars[k].Effect)
		}
		b.reasons[i] = m.Reasons(e, f, i, reasonCount, 1)
		b.helps[i] = m.Reasons(e, f, i, helpsCount, -1)
	}
	b.setCertainty(scorer, f, raw, z)
	return b, nil
}

// upsell returns 1 for the rows to offer more to (UpsellOf), else 0.
func (b *scoreBuilder) upsell() []int64 {
	tiers, grow, out := make([]Tier, len(b.p)), make([]float64, len(b.p)), make([]int64, len(b.p))
	for i := range b.p {
		tiers[i], grow[i] = Tier(b.tier(i)), b.grow(i)
	}
	for i, on := range UpsellOf(tiers, grow) {
		if on {
			out[i] = 1
		}
	}
	return out
}

// grow returns P(grow) = (1 − p) P(grow | renewed), which is at most p_renew to
// the bit, or NaN where it is not known.
func (b *scoreBuilder) grow(i int) float64 {
	if b.outlooks == nil {
		return math.NaN()
	}
	return float64((1 - b.p[i]) * b.outlooks.Grow[i])
}

func (b *scoreBuilder) health(i int) float64 {
	if b.p[i] != b.p[i] {
		return math.NaN()
	}
	return b.m.Score.Health(b.p[i])
}

func (b *scoreBuilder) tier(i int) string {
	if b.p[i] != b.p[i] {
		return ""
	}
	return string(b.m.Score.Tier(b.p[i], b.health(i)))
}

// reasonColumns returns name_1 .. name_n, with name_k_effect after each where
// asked for.
func (b *scoreBuilder) reasonColumns(name string, of [][]Reason, n int, effects bool) []data.Column {
	var out []data.Column
	for k := range n {
		at := func(i int) Reason {
			if k < len(of[i]) {
				return of[i][k]
			}
			return Reason{Effect: math.NaN()}
		}
		column := fmt.Sprintf("%s_%d", name, k+1)
		out = append(out, b.text(column, func(i int) string {
			if r := at(i); r.Text != "" {
				return r.Pillar + ": " + r.Text
			}
			return ""
		}))
		if effects {
			out = append(out, b.number(column+"_effect", func(i int) float64 { return at(i).Effect }))
		}
	}
	return out
}

func (b *scoreBuilder) text(name string, value func(int) string) data.Column {
	return data.TextOf(name, len(b.p), value)
}

func (b *scoreBuilder) number(name string, value func(int) float64) data.Column {
	return data.FloatOf(name, len(b.p), value)
}

func (b *scoreBuilder) whole(name string, kind data.Kind, value func(int) int64) data.Column {
	return data.IntOf(name, kind, len(b.p), func(i int) (int64, bool) { return value(i), true })
}
