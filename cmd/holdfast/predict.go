// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func predictCommand(a *app) *cobra.Command {
	var asOf, maxAge, ref, output, format, list string
	var summary bool
	var table tableFlags
	var engine engineFlags
	c := &cobra.Command{
		Use:   "predict",
		Short: "score every account at risk at a date",
		Long: `Scores every account and term at risk at the as-of date: probability of
churn, health score from 0 to 100, tier and reasons.

With --summary it prints the portfolio at a glance: tiers, segments, what is due
and at risk by month, how much of it is likely to be kept (with intervals that
hold 90 % of simulated futures), and whom to talk to first; and writes it as a
page beside the scores. With --list it writes the accounts to act on only:
support (who may leave), loyalty (whom to ask for a review or a referral) or
upsell (who may grow), in the order to act in.

With --table it scores a ready table of any size in the same memory, some rows
at a time and with one goroutine unless --workers asks for more. With --engine
spark a cluster scores a project, to the same bytes; see cmd/holdfast/SPARK.md.

Reads    the project's tables and a model; or one ready table (--table)
Writes   the scores, as Parquet, CSV, JSON lines or Arrow by extension; with
         --summary also NAME-summary.html
Exits    0 ok; 2 configuration; 4 bad data; 10 no such model, or none promoted
         yet; 12 a damaged model`,
		Example: `  holdfast predict --as-of 2026-01-01 -o scores.parquet
  holdfast predict --model latest -o scores.csv
  holdfast predict --as-of 2026-01-01 -o scores.parquet --summary
  holdfast predict --as-of 2026-01-01 --list loyalty -o reviews.csv
  holdfast predict --table new.parquet --model model.json --id customer -o scores.parquet`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(checkOutput(output, format, a.json), engine.check(a, output)); err != nil {
				return err
			}
			if list != "" && !slices.Contains(predict.Lists, predict.List(list)) {
				return usageError("--list %q: expected one of support, loyalty and upsell", list)
			}
			if table.path != "" {
				if summary || list != "" {
					return usageError("--summary and --list go with a project, not with --table")
				}
				if asOf != "" || a.dir != "" || engine.engine != engineLocal {
					return usageError("--as-of, --engine and -C go with a project, not with --table")
				}
				return a.predictTable(table, ref, output, format)
			}
			if err := table.refuseAlone(); err != nil {
				return err
			}
			o := scoreOutput{output, format, predict.List(list), summary}
			if engine.engine == engineSpark {
				return a.sparkPredict(cmd.Context(), &engine, asOf, maxAge, ref, o)
			}
			return a.predictProject(cmd.Context(), asOf, maxAge, ref, o)
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "date whose midnight counts as now (default: midnight after the newest event)")
	c.Flags().StringVar(&maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVar(&ref, "model", "", "model id, its beginning, champion, latest, or a file (default: champion)")
	c.Flags().StringVarP(&output, "output", "o", "", "file to write, or - for standard output")
	c.Flags().BoolVar(&summary, "summary", false, "print the portfolio at a glance, and write it as a page beside the scores")
	c.Flags().StringVar(&list, "list", "", "write only the accounts to act on: support, loyalty or upsell")
	c.Flags().StringVar(&format, "format", "", "with -o -: arrow, csv or jsonl")
	table.register(c, false)
	engine.register(c)
	return c
}

// A scoreOutput is what the scores of a project are written as.
type scoreOutput struct {
	path, format string
	list         predict.List // only its rows, in its order; empty for all
	summary      bool
}

// predictProject scores a project's accounts, each by its own profile.
func (a *app) predictProject(ctx context.Context, asOf, maxAge, ref string, o scoreOutput) error {
	p, err := a.findProject()
	if err != nil {
		return err
	}
	scorers, err := a.scorers(p, orDefault(ref, registry.Champion))
	if err != nil {
		return err
	}
	l, t, err := a.loadAt(ctx, asOf, maxAge, modelsOf(scorers)...)
	if err != nil {
		return err
	}
	s, err := a.scoreAll(ctx, l, t, scorers)
	if err != nil {
		return err
	}
	return a.finishScores(l, t, scorers[0].id, s, o)
}

// finishScores sums up and writes scores at t, by a model of that id.
func (a *app) finishScores(l *loaded, t time.Time, id string, s *scored, o scoreOutput) (err error) {
	if o.summary {
		if s.Summary, err = a.summarise(l, t, id, s.table); err != nil {
			return err
		}
	}
	if o.list != "" {
		if err := s.only(o.list); err != nil {
			return err
		}
	}
	if err := a.writeScores(s, o.path, o.format); err != nil {
		return err
	}
	if o.summary && o.path != "-" {
		if err := a.summaryPage(summaryName(o.path), l, s.Summary); err != nil {
			return err
		}
	}
	return a.showScores(s)
}

// A scored batch, summed up.
type scored struct {
	Path    string         `json:"path"`
	ModelID string         `json:"model_id"`
	AsOf    string         `json:"as_of,omitempty"`
	Rows    int            `json:"rows"`
	Status  map[string]int `json:"status,omitempty"`
	Tiers   map[string]int `json:"tiers"`
	Unseen  int            `json:"unseen_levels"` // values scored as the level other
	Left    []data.Count   `json:"left_out,omitempty"`

	Profiles []scoredProfile `json:"profiles,omitempty"`

	List    string           `json:"list,omitempty"`
	Listed  int              `json:"listed,omitempty"` // rows written, where they are a list
	Summary *predict.Summary `json:"summary,omitempty"`

	table *data.Table
	frame *features.Frame
	grow  [][]float64 // by profile: the probability to grow of every row
	worst []worstRow  // for the terminal; the file has them all
}

// A worstRow is one of the accounts most likely to leave.
type worstRow struct {
	account, due, tier, reason string
	days                       int64 // to due
	p, health                  float64
}

// worstRows returns the n rows with the highest p, ties in order of the file.
func worstRows(t *data.Table, n int) []worstRow {
	p := t.Column("p_churn").Floats
	var rows []int
	for i := range p {
		if p[i] == p[i] {
			rows = append(rows, i)
		}
	}
	sort.SliceStable(rows, func(a, b int) bool { return p[rows[a]] > p[rows[b]] })
	return firstRows(t, rows[:min(n, len(rows))], "reason_1")
}

// firstRows returns the given rows for the terminal, with what the named column
// says of each.
func firstRows(t *data.Table, rows []int, why string) []worstRow {
	p := t.Column("p_churn").Floats
	var out []worstRow
	for _, i := range rows {
		due := time.Unix(t.Column("due").Ints[i]*24*60*60, 0).UTC().Format(time.DateOnly)
		out = append(out, worstRow{t.Column("account_id").Text(i), due, t.Column("tier").Text(i), t.Column(why).Text(i),
			t.Column("lead_days").Ints[i], p[i], t.Column("health").Floats[i]})
	}
	return out
}

// predict scores a project's accounts at asOf with a model, for which the
// project was loaded, and writes the scores.
func (a *app) predict(ctx context.Context, l *loaded, asOf time.Time, m *predict.Model, id, output, format string) (*scored, error) {
	s, err := a.score(ctx, l, asOf, m, id)
	if err != nil {
		return nil, err
	}
	return s, a.writeScores(s, output, format)
}

// writeScores writes the scores to a file or to standard output.
func (a *app) writeScores(s *scored, output, format string) error {
	s.Path = output
	if err := a.writeTable(output, format, s.table); err != nil {
		return err
	}
	if s.table.Rows == 0 {
		a.warn("no account is at risk at %s or on the list; %s is empty", s.AsOf, output)
	}
	return nil
}

// only leaves the rows of a list.
func (s *scored) only(list predict.List) error {
	if c := s.table.Column("p_grow"); list == predict.Upsell && (c == nil || s.Rows > 0 && allMissing(c)) {
		return usageError("--list upsell: the model %s gives no probability to grow", s.ModelID)
	}
	rows := predict.RowsOf(list, s.table)
	why := "helps_1" // why to talk to them
	if list == predict.Support {
		why = "reason_1"
	}
	s.worst = firstRows(s.table, rows[:min(5, len(rows))], why)
	t := &data.Table{Name: s.table.Name, Rows: len(rows)}
	for i := range s.table.Columns {
		t.Columns = append(t.Columns, s.table.Columns[i].Take(rows))
	}
	s.table, s.List, s.Listed = t, string(list), len(rows)
	return nil
}

func allMissing(c *data.Column) bool {
	for i := range c.Len() {
		if !c.Missing(i) {
			return false
		}
	}
	return true
}

// score scores a project's accounts at asOf with a model, for which the
// project was loaded.
func (a *app) score(ctx context.Context, l *loaded, asOf time.Time, m *predict.Model, id string) (*scored, error) {
	if err := sameRules(&m.Spec, &l.spec); err != nil {
		return nil, err
	}
	b, err := a.build(ctx, l, &m.Spec, asOf)
	if err != nil {
		return nil, err
	}
	before, err := a.before(ctx, l, asOf, m)
	if err != nil {
		return nil, err
	}
	t, err := m.Scores(b.Frame, predict.ScoreOptions{
		ModelID: id, AsOf: asOf.UnixNano(), Location: l.sources.Location, Show: b.Show, Before: before})
	if err != nil {
		return nil, err
	}
	s := &scored{ModelID: id, AsOf: asOf.Format(time.DateOnly), Rows: t.Rows, Left: b.Left,
		Status: counts(t, "status"), Tiers: counts(t, "tier"), table: t, frame: b.Frame,
		grow: [][]float64{t.Column("p_grow").Floats}, worst: worstRows(t, 5)}
	s.Unseen, err = unseen(m, b.Frame)
	return s, err
}

// before scores the accounts as of some days before asOf, one day boundary each.
func (a *app) before(ctx context.Context, l *loaded, asOf time.Time, m *predict.Model) ([]*predict.Earlier, error) {
	var out []*predict.Earlier
	for _, days := range predict.TrendDays {
		e := m.Earlier(days)
		then := data.Midnight(asOf.AddDate(0, 0, -days), l.sources.Location)
		o := a.buildOptions(then)
		o.OnlyScored = true
		if _, err := features.BuildParts(ctx, l.history, &m.Spec, o, e.Add); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// sameRules refuses a model whose features would not mean what they meant when
// it was trained: the project's time zone, outcome or visibility has changed.
func sameRules(model, project *features.Spec) error {
	was, is := model.Rules(), project.Rules()
	if was.Digest() == is.Digest() {
		return nil
	}
	describe := func(s *features.Spec) string {
		return fmt.Sprintf("time zone %s, outcome %+v, sources %+v", s.Timezone, s.Outcome, s.Sources)
	}
	return fmt.Errorf("%w: the model was trained under other rules than the project file holds now: "+
		"train again, or restore them (then: %s; now: %s)",
		predict.ErrIntegrity, describe(&was), describe(&is))
}

func unseen(m *predict.Model, f *features.Frame) (int, error) {
	s, err := m.Bind(f)
	if err != nil {
		return 0, err
	}
	return s.Unseen(), nil
}

// counts counts the texts of a column.
func counts(t *data.Table, name string) map[string]int {
	c := t.Column(name)
	n := make(map[string]int)
	for i := range t.Rows {
		if !c.Missing(i) {
			n[c.Text(i)]++
		}
	}
	return n
}

func (a *app) showScores(s *scored) error {
	if s.Unseen > 0 {
		a.warn("%d values were not met in training and are scored as the level other", s.Unseen)
	}
	a.progress.end()
	if s.Path == "-" {
		return nil
	}
	if a.json {
		return a.printJSON(s)
	}
	when := ""
	if s.AsOf != "" {
		when = " as of " + s.AsOf
	}
	rows := fmt.Sprintf("%d rows", s.Rows)
	if s.List != "" {
		rows = fmt.Sprintf("%d of %d rows, those to act on (%s)", s.Listed, s.Rows, s.List)
	}
	a.printf("%s: %s%s, model %s\n", s.Path, rows, when, s.ModelID)
	if s.Status != nil {
		a.printf("  status  %s\n", tallyText(s.Status))
	}
	a.printf("  tiers   %s\n", tallyText(s.Tiers))
	a.showProfiles(s.Profiles)
	for _, c := range s.Left {
		a.printf("  left out: %d, %s\n", c.Rows, c.Reason)
	}
	if s.Summary != nil {
		a.showSummary(s.Summary)
		a.printf("\npage: %s\n", summaryName(s.Path))
		return nil
	}
	if len(s.worst) > 0 {
		why := "first reason"
		if s.List != "" && s.List != string(predict.Support) {
			why = "what helps"
		}
		a.printf("\n  %-14s %-10s %5s %8s %7s  %-8s %s\n", orDefault(s.List, "most at risk"), "due", "days", "p_churn", "health", "tier", why)
	}
	for _, w := range s.worst {
		a.printf("  %-14s %-10s %5d %6.1f %% %7.0f  %-8s %s\n", w.account, w.due, w.days, 100*w.p, w.health, w.tier, w.reason)
	}
	return nil
}

// tallyText writes counts as "3 watch, 1 at_risk", most frequent first.
func tallyText(n map[string]int) string {
	names := make([]string, 0, len(n))
	for k := range n {
		names = append(names, k)
	}
	sort.Slice(names, func(i, j int) bool {
		if n[names[i]] != n[names[j]] {
			return n[names[i]] > n[names[j]]
		}
		return names[i] < names[j]
	})
	text := ""
	for i, k := range names {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", n[k], k)
	}
	return orDefault(text, "none")
}
