// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/predict"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// The decisions of a retraining.
const (
	retrainKept     = "kept"     // the champion still holds, or is of this date already
	retrainPromoted = "promoted" // a challenger passed the gates
	retrainRefused  = "refused"  // it did not: the champion stays
)

// A retraining is what run --retrain decided, and why. A challenger that the
// gates refuse is no failure of the run: accounts are scored by the champion.
type retraining struct {
	Key        string          `json:"key"` // of the inputs it was decided on
	Decision   string          `json:"decision"`
	Was        string          `json:"was,omitempty"` // champion before
	Now        string          `json:"now"`           // and after
	Challenger string          `json:"challenger,omitempty"`
	Reason     string          `json:"reason"`
	Update     *predict.Update `json:"update,omitempty"` // the closed test of the champion
	Gates      []evaluate.Gate `json:"gates,omitempty"`
}

// retrain brings the champion up to date at t, and promotes what comes of it if
// the gates let it. The project is loaded for its own features and the
// champion's, nil where there is none.
func (a *app) retrain(ctx context.Context, l *loaded, t time.Time, champion *predict.Model, id string) (*retraining, error) {
	r := &retraining{Was: id, Now: id, Decision: retrainKept}
	if champion != nil && champion.Provenance.AsOf >= t.Format(time.DateOnly) { // dates as text compare as dates
		r.Reason = fmt.Sprintf("the champion was trained as of %s", champion.Provenance.AsOf)
		return r, nil
	}
	made, err := a.challenger(ctx, l, t, champion, id)
	if err != nil {
		return nil, err
	}
	if r.Update = made.update; made.ID == id {
		r.Reason = "the same fit again"
		if made.update != nil {
			r.Reason = made.update.Reason
		}
		return r, nil
	}
	r.Challenger = made.ID
	quiet := *a
	quiet.json, quiet.stdout = false, io.Discard
	tested, err := quiet.evaluate(ctx, l, "")
	if err != nil {
		return nil, fmt.Errorf("testing the new model %s: %w", made.ID, err)
	}
	r.Gates = tested.Report.Gates
	v, err := a.verdict(l.project, made.ID)
	if err != nil {
		return nil, err
	}
	v = ifSigned(&l.registry, made.ID, v)
	r.Decision, r.Reason = retrainRefused, v.Reason
	if !v.Pass {
		if id == "" {
			return nil, fmt.Errorf("%w: %s; nothing is champion yet", registry.ErrRefused, v.Reason)
		}
		return r, nil
	}
	if err := ctx.Err(); err != nil { // after a signal nothing is promoted
		return nil, err
	}
	r.Decision, r.Now = retrainPromoted, made.ID
	return r, a.changing(ctx, l.project, func(reg *registry.Registry) error { return reg.Promote(made.ID, v) })
}

// ifSigned refuses a model that must be signed and is not: no machine that
// trains at night holds the key, so somebody has to look at it first.
func ifSigned(r *registry.Registry, id string, v predict.Verdict) predict.Verdict {
	if !v.Pass || r.Signers == nil {
		return v
	}
	if _, _, err := r.Load(id); err != nil {
		return predict.Verdict{Reason: fmt.Sprintf("it passes the gates (%s), but cannot be used: %v; then promote it by holdfast models promote %s", v.Reason, err, id)}
	}
	return v
}

// challenger returns the champion where it holds, a minor version of it, or a
// new fit: where there is no champion, or the project's features or rules are
// no longer the champion's, nothing is there to be tested.
func (a *app) challenger(ctx context.Context, l *loaded, t time.Time, champion *predict.Model, id string) (*trained, error) {
	if champion != nil && champion.Spec.Digest() == l.spec.Digest() {
		return a.updated(ctx, l, t, champion, id)
	}
	g, err := l.lineageOf()
	if err != nil {
		return nil, err
	}
	return a.train(ctx, l, t, g)
}

// championOf returns the champion, or nil where there is none.
func (a *app) championOf(p *project) (*predict.Model, string, error) {
	m, id, err := p.registry.Load(registry.Champion)
	if errors.Is(err, registry.ErrNotFound) {
		aliases, aliasErr := p.registry.Aliases()
		if aliasErr == nil && aliases[registry.Champion].ID == "" {
			return nil, "", nil
		}
	}
	return m, id, err
}

// page is the reason on one page.
func (r *retraining) page(asOf string, models [2]*predict.Model) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Retraining as of %s: %s\n\n", asOf, r.Decision)
	switch r.Decision {
	case retrainPromoted:
		fmt.Fprintf(&b, "%s is champion now", r.Now)
		if r.Was != "" {
			fmt.Fprintf(&b, " in place of %s", r.Was)
		}
		b.WriteString(".")
	case retrainRefused:
		fmt.Fprintf(&b, "%s stays champion; the gates refused %s.", r.Was, r.Challenger)
	default:
		fmt.Fprintf(&b, "%s stays champion.", r.Was)
	}
	fmt.Fprintf(&b, " %s\n", sentence(r.Reason))
	if u := r.Update; u != nil {
		fmt.Fprintf(&b, "\n## The champion on what matured since %s\n\n%d renewals, %d churned. Outcome of the test: %s. %s\n",
			u.Since, u.Renewals, u.Churned, u.Kind, sentence(u.Reason))
		for i, t := range u.Tests {
			if i == 0 {
				b.WriteString("\n| a revision against | chi-squared | degrees of freedom | p |\n|---|---|---|---|\n")
			}
			fmt.Fprintf(&b, "| %s | %.2f | %d | %.3g |\n", t.Against, t.Statistic, t.Freedom, t.P)
		}
	}
	for i, g := range r.Gates {
		if i == 0 {
			b.WriteString("\n## The gates\n\n| gate | | found | needed |\n|---|---|---|---|\n")
		}
		result := "passed"
		switch {
		case !g.Pass && g.Advice:
			result = "advice"
		case !g.Pass:
			result = "refused"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.Name, result, g.Figure, g.Need)
	}
	if models[0] != nil && models[1] != nil {
		b.WriteString(changesPage(models[0], models[1]))
	}
	return b.String()
}

// changesShown is how many features a retraining's page shows.
const changesShown = 8

// changesPage says what moved from the champion to the challenger.
func changesPage(from, to *predict.Model) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## What changed\n\n| | champion | challenger |\n|---|---|---|\n")
	fmt.Fprintf(&b, "| trained as of | %s | %s |\n", from.Provenance.AsOf, to.Provenance.AsOf)
	fmt.Fprintf(&b, "| renewals, churned | %d, %d | %d, %d |\n", from.Provenance.Renewals, from.Provenance.Churned, to.Provenance.Renewals, to.Provenance.Churned)
	fmt.Fprintf(&b, "| out-of-fold log loss | %.4f | %.4f |\n", from.OutOfFold.LogLoss, to.OutOfFold.LogLoss)
	fmt.Fprintf(&b, "| out-of-fold AUC | %.3f | %.3f |\n", from.OutOfFold.AUC, to.OutOfFold.AUC)
	d := predict.Diff(from, to)
	for i, c := range d.Terms[:min(changesShown, len(d.Terms))] {
		if c.Moved == 0 {
			break
		}
		if i == 0 {
			b.WriteString("\nFeatures whose curve moved most, in log-odds:\n\n")
		}
		fmt.Fprintf(&b, "- %+.3f at %s: %s\n", c.Moved, c.At, orDefault(c.Label, c.Feature))
	}
	return b.String()
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}
