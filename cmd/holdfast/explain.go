// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

func explainCommand(a *app) *cobra.Command {
	var asOf, maxAge, ref, output string
	c := &cobra.Command{
		Use:   "explain ACCOUNT",
		Short: "explain the score of one account at a date: what was seen, what changed, how its labels came about",
		Long: `Prints what is known of one account as of a date: its terms and which of them
is at risk, how each label came about, the rows that were seen in each source
and those that were not yet known, the features of the snapshot, and with a
champion the score: its trend over 90 days, the steps from the base rate to it by
pillar and feature, what changed in 30 days (by data, and against the champion
before by model), and what it would be with other values of the features that
your team can change, which is an association and not an effect.

Reads    the project's tables, and the champion (or the model of the account's
         profile) if there is one
Writes   with -o a file: .txt, .json (one object) or .svg (trend and steps)
Exits    0 ok; 2 configuration; 4 bad data; 10 no such account or model, or
         nothing to draw`,
		Example: `  holdfast explain acct-00042 --as-of 2026-01-01
  holdfast explain acct-00042 --as-of 2026-01-01 -o acct-00042.svg
  holdfast explain acct-00042 --as-of 2026-01-01 --json`,
		Args: oneArgument("the key of an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if kind := ext(output); output != "" && !slices.Contains([]string{".txt", ".json", ".svg"}, kind) {
				return usageError("-o %s: expected a name that ends in .txt, .json or .svg", output)
			}
			p, err := a.findProject()
			if err != nil {
				return err
			}
			by, err := a.explainers(p, ref)
			if err != nil {
				return err
			}
			l, t, err := a.loadAt(cmd.Context(), asOf, maxAge, modelsOf(by.scorers)...)
			if err != nil {
				return err
			}
			e, err := a.explain(cmd.Context(), l, args[0], t, by)
			if err != nil {
				return err
			}
			a.progress.end()
			return a.giveExplained(e, output)
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "date whose midnight counts as now (default: midnight after the newest event)")
	c.Flags().StringVar(&maxAge, "max-age", "7d", "how long after the newest event --as-of may lie")
	c.Flags().StringVar(&ref, "model", "", "model id, its beginning, latest, or a file (default: champion, if there is one)")
	c.Flags().StringVarP(&output, "output", "o", "", "file to write, .txt, .json or .svg (default: text on standard output)")
	return c
}

// An explained account is all that was known of it as of a date, and what
// became of its terms.
type explained struct {
	Account    string            `json:"account_id"`
	AsOf       string            `json:"as_of"`
	Created    string            `json:"created,omitempty"`
	Segment    string            `json:"segment,omitempty"`
	Phase      string            `json:"phase,omitempty"`
	Group      string            `json:"group,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Terms      []explainedTerm   `json:"terms,omitempty"`
	Activity   string            `json:"activity,omitempty"` // activity mode: how the label came about
	Sources    []explainedSource `json:"sources"`
	Rows       []explainedRow    `json:"rows"` // the account's snapshots as of the date
	ModelID    string            `json:"model_id,omitempty"`
	Profile    string            `json:"profile,omitempty"` // of the project, that scores the account
	Notes      []string          `json:"notes,omitempty"`
}

// An explainedTerm is one contract, as it stood and as it ended.
type explainedTerm struct {
	Contract   string              `json:"contract_id"`
	Start      string              `json:"start"`
	Due        string              `json:"due"`
	Value      *float64            `json:"value"`
	Currency   string              `json:"currency,omitempty"`
	Number     int                 `json:"term_number"`
	Episode    int                 `json:"episode"`
	State      string              `json:"state"`
	Eligible   bool                `json:"eligible"`
	Refused    string              `json:"refused,omitempty"`
	LeadDays   int                 `json:"lead_days"`
	Y          *int8               `json:"y"`
	Mature     string              `json:"mature,omitempty"`
	MatureThen bool                `json:"mature_as_of"` // the label could train a model as of the date
	Kept       *float64            `json:"kept"`
	Label      string              `json:"label"`
	Snapshots  []explainedSnapshot `json:"snapshots"`
}

type explainedSnapshot struct {
	Date     string  `json:"date"`
	LeadDays int     `json:"lead_days"`
	Weight   float64 `json:"weight"`
	Refused  string  `json:"refused,omitempty"`
}

// An explainedSource counts one source's rows of the account.
type explainedSource struct {
	Name    string           `json:"name"`
	Seen    int              `json:"seen"`
	First   string           `json:"first,omitempty"`
	Last    string           `json:"last,omitempty"`
	Types   map[string]int   `json:"types,omitempty"` // of the rows seen
	NotYet  []explainedEvent `json:"not_yet_known,omitempty"`
	After   int              `json:"after"`
	Dropped []explainedDrop  `json:"dropped,omitempty"`
}

type explainedEvent struct {
	Time  string   `json:"time"`
	Type  string   `json:"type,omitempty"`
	Value *float64 `json:"value"`
	Known string   `json:"known"`
}

type explainedDrop struct {
	Reason string `json:"reason"`
	Rows   int    `json:"rows"`
}

// An explainedRow is one snapshot as of the date: its features and its score.
type explainedRow struct {
	Contract string             `json:"contract_id,omitempty"`
	Due      string             `json:"due"`
	LeadDays int                `json:"lead_days"`
	Status   string             `json:"status"`
	Score    *explainedScore    `json:"score,omitempty"`
	Features []explainedFeature `json:"features"`
}

type explainedFeature struct {
	Name   string `json:"name"`
	Value  any    `json:"value"` // a number, a level, or null for missing
	Window string `json:"window,omitempty"`
}

// explain gathers what there is to say of one account as of t.
func (a *app) explain(ctx context.Context, l *loaded, account string, t time.Time, by *explainers) (*explained, error) {
	h, err := a.oneAccount(ctx, l, account)
	if err != nil {
		return nil, err
	}
	e := &explained{Account: account, AsOf: t.Format(time.DateOnly)}
	if i, ok := features.VersionAt(h, &h.Accounts[0], t.UnixNano()); ok {
		v := &h.Versions[i]
		e.Segment, e.Phase, e.Attributes = v.Segment, v.Phase, attributeTexts(h, i)
	}
	d := dater{h.Location}
	if created := h.Accounts[0].Created; created != data.NoTime {
		e.Created = d.date(created)
	}
	if group := h.Accounts[0].Group; group != account {
		e.Group = group
	}
	for i := range h.Sources {
		if h.Sources[i].Derived {
			continue
		}
		events, err := h.EventsOf(i, 0)
		if err != nil {
			return nil, err
		}
		e.Sources = append(e.Sources, d.source(h, &h.Sources[i], events, t.UnixNano()))
	}
	if l.outcome.Mode == features.Renewal {
		for _, v := range features.Terms(h, &l.outcome, 0, t.UnixNano()) {
			e.Terms = append(e.Terms, d.term(h, &v, t.UnixNano()))
		}
	} else {
		if _, _, e.Activity, err = features.ActivityView(h, &l.spec, 0, t.UnixNano()); err != nil {
			return nil, err
		}
	}
	return e, a.explainRows(ctx, l, h, t, by, e)
}

// oneAccount returns the history of one account. The end of the data stays
// that of all accounts, since outcomes are known by it.
func (a *app) oneAccount(ctx context.Context, l *loaded, account string) (*data.History, error) {
	ids := make([]string, len(l.history.Accounts))
	for i := range ids {
		ids[i] = l.history.Accounts[i].ID
	}
	if _, found := slices.BinarySearch(ids, account); !found {
		hint := ""
		if near := data.Nearest(account, ids); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", data.Marked(near))
			if a.logIDs == hideIDs {
				hint = "; one much like it is there"
			}
		}
		if t, gone := l.sources.Forgotten.Of(account); gone {
			hint = "; it was forgotten on " + t.Since
		}
		return nil, &codedError{registry.ErrNotFound, fmt.Sprintf("account %s: not among the %d accounts of %s%s",
			data.Marked(account), len(ids), l.sources.Accounts.Path, hint)}
	}
	tables, err := data.ReadTablesOf(ctx, a.fsys, l.sources, []string{account})
	if err != nil {
		return nil, err
	}
	h, err := data.NewHistory(ctx, tables, l.sources)
	if err != nil {
		return nil, err
	}
	h.Newest = l.history.Newest
	for i := range h.Sources {
		h.Sources[i].Newest = l.history.Sources[i].Newest
	}
	return h, nil
}

// explainRows adds the features of the account's snapshots as of t and, with a
// model, their scores. Without --model and a champion that fits there are none.
func (a *app) explainRows(ctx context.Context, l *loaded, h *data.History, t time.Time, by *explainers, e *explained) error {
	spec, err := &l.spec, by.err
	var s *scorer
	if err == nil {
		s = &by.scorers[takenBy(by.scorers, e.Segment, e.Phase)]
		err = sameRules(&s.m.Spec, &l.spec)
	}
	switch {
	case err == nil:
		spec, e.ModelID = &s.m.Spec, s.id
		if len(by.scorers) > 1 {
			e.Profile = s.name + ": " + s.rule()
		}
		if s.m.Provenance.AsOf > e.AsOf { // dates as text compare as dates
			e.Notes = append(e.Notes, fmt.Sprintf("the model was trained as of %s, after this date: it may have learnt from what came of this account",
				s.m.Provenance.AsOf))
		}
	case by.named:
		return err
	case errors.Is(err, registry.ErrNotFound):
		e.Notes = append(e.Notes, "no model is champion, so there is no score")
	default:
		e.Notes = append(e.Notes, "the champion gives no score: "+oneLine(err))
	}
	b, err := features.Build(ctx, h, spec, features.Options{AsOf: t, Workers: 1})
	if err != nil {
		return l.placed(err)
	}
	f := b.Frame
	if len(f.Rows) == 0 {
		note := "nothing of the account is at risk on that date, so there is no snapshot"
		for _, c := range b.Left {
			note += "; " + c.Reason
		}
		e.Notes = append(e.Notes, note)
	}
	d := dater{h.Location}
	for i := range f.Rows {
		r := &f.Rows[i]
		e.Rows = append(e.Rows, explainedRow{Contract: r.Contract, Due: d.date(r.Due), LeadDays: int(r.LeadDays),
			Status: r.Status.String(), Features: featureValues(f, i)})
	}
	if e.ModelID == "" || len(f.Rows) == 0 {
		return nil
	}
	x := &accountScorer{scorer: s, h: h, asOf: t, frame: f}
	if e.ModelID == by.scorers[0].id {
		x.before, x.beforeID = by.before, by.beforeID
	}
	return x.explain(ctx, e)
}

// textsOf returns the texts of a row that are given.
func textsOf(t *data.Table, row int, columns ...string) []string {
	out := []string{}
	for _, name := range columns {
		if c := t.Column(name); !c.Missing(row) && c.Text(row) != "" {
			out = append(out, c.Text(row))
		}
	}
	return out
}
