// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/predict"
)

// A profile is a way of scoring for some segments and lifecycle phases, as the
// project file declares it: a model of its own, or other bounds of tiers.
type profile struct {
	name           string
	segment, phase []string // either may be empty: then any
	model          string   // reference; empty for the one of the command
	atRiskP        float64  // 0 for the model's own
	atRisk, watch  float64
	healthy        float64
}

// defaultProfile is the name of what scores accounts that no profile is for.
const defaultProfile = "default"

type profileYAML struct {
	Name  string `yaml:"name"`
	Where struct {
		Segment []string `yaml:"segment"`
		Phase   []string `yaml:"phase"`
	} `yaml:"where"`
	Model  string     `yaml:"model"`
	Health healthYAML `yaml:"health"`
}

// profiles reads the profiles of a project file.
func (c *converter) profiles(y *projectYAML, p *project) {
	seen := map[string]bool{defaultProfile: true}
	for _, v := range y.Profiles {
		key := fmt.Sprintf("profiles: %s", v.Name)
		c.check(v.Name != "" && !seen[v.Name], "profiles", "name %q: expected a name of its own, and not %s", v.Name, defaultProfile)
		seen[v.Name] = true
		c.check(len(v.Where.Segment)+len(v.Where.Phase) > 0, key, "where: expected segment or phase with a list of values")
		c.check(len(v.Where.Segment) == 0 || y.Data.Accounts.Segment != "", key, "where.segment: data.accounts names no segment")
		c.check(len(v.Where.Phase) == 0 || y.Data.Accounts.Phase != "", key, "where.phase: data.accounts names no phase")
		c.check(v.Model != "" || v.Health != healthYAML{}, key, "found neither model nor health; nothing would be scored otherwise")
		h := v.Health
		c.check(h.AtRiskP >= 0 && h.AtRiskP <= 1, key, "health.at_risk_p: found %v; expected a probability above 0", h.AtRiskP)
		bounds := predict.Score{AtRisk: orDefault(h.Tiers.AtRisk, p.score.AtRisk), Watch: orDefault(h.Tiers.Watch, p.score.Watch),
			Healthy: orDefault(h.Tiers.Healthy, p.score.Healthy)}
		c.check(bounds.AtRisk <= bounds.Watch && bounds.Watch <= bounds.Healthy, key, "health.tiers: upper bounds must increase from at_risk to watch to healthy")
		ref := v.Model
		if namesFile(ref) {
			ref = c.path(ref)
			if !strings.ContainsAny(ref, `/\`) {
				ref = "." + string(filepath.Separator) + ref
			}
		}
		p.profiles = append(p.profiles, profile{name: v.Name, segment: v.Where.Segment, phase: v.Where.Phase, model: ref,
			atRiskP: h.AtRiskP, atRisk: h.Tiers.AtRisk, watch: h.Tiers.Watch, healthy: h.Tiers.Healthy})
	}
}

// rule says which accounts a profile is for.
func (f *profile) rule() string {
	var parts []string
	for _, w := range []struct {
		what   string
		values []string
	}{{"segment", f.segment}, {"phase", f.phase}} {
		if len(w.values) > 0 {
			parts = append(parts, w.what+" in "+strings.Join(w.values, ", "))
		}
	}
	if parts == nil {
		return "no other profile"
	}
	return strings.Join(parts, " and ")
}

func (f *profile) takes(segment, phase string) bool {
	return (len(f.segment) == 0 || slices.Contains(f.segment, segment)) && (len(f.phase) == 0 || slices.Contains(f.phase, phase))
}

// A scorer is a model as a profile uses it. The first of a list is the default,
// which takes what none of the others does; else the first that takes a row has
// it.
type scorer struct {
	profile
	m  *predict.Model
	id string
}

// scorers returns what a project scores with: the model that ref names, and
// those of its profiles.
func (a *app) scorers(p *project, ref string) ([]scorer, error) {
	m, id, err := a.findModel(p, ref)
	if err != nil {
		return nil, err
	}
	out := []scorer{{profile{name: defaultProfile}, m, id}}
	for _, f := range p.profiles {
		s := scorer{f, m, id}
		if f.model != "" {
			if s.m, s.id, err = a.findModel(p, f.model); err != nil {
				return nil, fmt.Errorf("profile %s: %w", f.name, err)
			}
		}
		with := *s.m
		for _, bound := range []struct{ of, to *float64 }{{&with.Score.AtRiskP, &f.atRiskP}, {&with.Score.AtRisk, &f.atRisk},
			{&with.Score.Watch, &f.watch}, {&with.Score.Healthy, &f.healthy}} {
			if *bound.to != 0 {
				*bound.of = *bound.to
			}
		}
		if err := with.Validate(); err != nil {
			return nil, usageError("%s: profile %s with the tiers of model %s: %v", p.file, f.name, s.id, err)
		}
		s.m = &with
		out = append(out, s)
	}
	return out, nil
}

// modelsOf returns the models of scorers, for whom a project is loaded.
func modelsOf(scorers []scorer) []*predict.Model {
	var out []*predict.Model
	for i := range scorers {
		out = append(out, scorers[i].m)
	}
	return out
}

// takenBy returns the scorer of a row.
func takenBy(scorers []scorer, segment, phase string) int {
	for k := 1; k < len(scorers); k++ {
		if scorers[k].takes(segment, phase) {
			return k
		}
	}
	return 0
}

// scoreAll scores a project's accounts at asOf, each by its own profile.
func (a *app) scoreAll(ctx context.Context, l *loaded, asOf time.Time, scorers []scorer) (*scored, error) {
	s, err := a.score(ctx, l, asOf, scorers[0].m, scorers[0].id)
	if err != nil || len(scorers) == 1 {
		return s, err
	}
	of := make([]int, s.Rows)
	own := make([][]int, len(scorers))
	for i := range s.frame.Rows {
		of[i] = takenBy(scorers, s.frame.Rows[i].Segment, s.frame.Rows[i].Phase)
		own[of[i]] = append(own[of[i]], i)
	}
	s.Unseen = 0
	var tables []predict.ProfiledScores
	for k := range scorers {
		t := s
		if k > 0 {
			if t, err = a.score(ctx, l, asOf, scorers[k].m, scorers[k].id); err != nil {
				return nil, fmt.Errorf("profile %s: %w", scorers[k].name, err)
			}
			s.grow = append(s.grow, t.grow[0])
		}
		n, err := unseen(scorers[k].m, t.frame.Select(own[k]))
		if err != nil {
			return nil, err
		}
		s.Unseen += n
		tables = append(tables, predict.ProfiledScores{Name: scorers[k].name, Rule: scorers[k].rule(), Table: t.table})
		s.Profiles = append(s.Profiles, scoredProfile{Name: scorers[k].name, Rule: scorers[k].rule(), ModelID: scorers[k].id, Rows: len(own[k])})
	}
	s.table = predict.MergeProfiles(tables, of)
	s.Status, s.Tiers, s.worst = counts(s.table, "status"), counts(s.table, "tier"), worstRows(s.table, 5)
	return s, nil
}

// A scoredProfile counts the rows that a profile scored.
type scoredProfile struct {
	Name    string `json:"name"`
	Rule    string `json:"rule"`
	ModelID string `json:"model_id"`
	Rows    int    `json:"rows"`
}

// showProfiles prints which profile scored how many rows.
func (a *app) showProfiles(profiles []scoredProfile) {
	for _, p := range profiles {
		a.printf("  profile %-16s %7d rows, model %s: %s\n", p.Name, p.Rows, p.ModelID, p.Rule)
	}
}
