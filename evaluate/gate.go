// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holdfast-churn/holdfast/predict"
)

// A Gate is one condition of a promotion (METHODS.md section 7). Figures and
// reasons are in words, for a table.
type Gate struct {
	Name string `json:"name"`
	Pass bool   `json:"pass"`
	// Advice marks a condition that refuses nothing: the model is provisional.
	Advice bool   `json:"advice,omitempty"`
	Figure string `json:"figure"` // what was found
	Need   string `json:"need"`   // what was asked for
	Reason string `json:"reason"` // a sentence for people
}

// The names of the gates.
const (
	GateLeaks       = "no leak from the future"
	GateBase        = "better than the base rate"
	GateRanking     = "tells accounts apart"
	GateScorecard   = "better than the scorecard"
	GateChampion    = "not worse than the champion"
	GateRecipe      = "better than the champion's recipe"
	GateCalibration = "calibrated"
	GateSegments    = "calibrated in every segment"
	GateSize        = "enough outcomes"
)

// The bounds of the gates.
const (
	surely      = 0.95 // P(lower log loss) that a new recipe must reach
	likely      = 0.90 // P(not worse) that the same recipe on newer data must reach
	worseShare  = 0.01 // of the champion's gain over the base rate, which counts as not worse
	gateEvents  = 30   // churned rows from which a segment is judged
	segmentSize = 0.10 // familywise level of the segments' tests
)

// The names of candidates that gates look for.
const (
	ScorecardName      = "scorecard"
	ChampionRecipeName = "champion_recipe"
)

// gates judges the subject. The report is complete but for them.
func (r *Report) gates() []Gate {
	s := r.subject()
	gates := []Gate{r.leakGate()}
	if s.Failure != "" || s.VersusBase == nil {
		reason := "the report compares no model with the base rate"
		if s.Failure != "" {
			reason = "the backtest failed: " + s.Failure
		}
		return append(gates, Gate{Name: GateBase, Figure: dash, Need: fmt.Sprintf("P ≥ %.2f", surely), Reason: reason})
	}
	gates = append(gates,
		Gate{Name: GateBase, Pass: s.VersusBase.PBetter >= surely && s.VersusBase.Finding == Better, Figure: "P = " + s.VersusBase.PBetter.Fixed(3),
			Need: fmt.Sprintf("P(lower log loss) ≥ %.2f, interval below 0", surely), Reason: s.VersusBase.Words},
		Gate{Name: GateRanking, Pass: s.VersusOwnMean.Finding == Better, Figure: s.VersusOwnMean.LogLoss.Estimate.Signed(),
			Need: "interval below 0", Reason: s.VersusOwnMean.Words})
	for i := range r.Candidates {
		gates = append(gates, r.rivalGates(&r.Candidates[i])...)
	}
	if s.Excess != nil {
		gates = append(gates, r.calibrationGate(s))
	}
	if g, ok := r.segmentGate(); ok {
		gates = append(gates, g)
	}
	return append(gates, r.sizeGate())
}

func (r *Report) leakGate() Gate {
	g := Gate{Name: GateLeaks, Pass: true, Need: "no proof fails", Figure: "held"}
	switch {
	case r.Leaks != nil && r.Leaks.Failure() != "":
		g.Pass, g.Figure, g.Reason = false, "failed", r.Leaks.Failure()
	case r.Leaks == nil || r.Leaks.Features == nil || r.Leaks.Features.Empty():
		g.Figure, g.Reason = "not tried", "that nothing leaks from the future was not proved"
	default:
		g.Reason = r.Leaks.Proved()
	}
	return g
}

// rivalGates compares the subject with the candidate, if that is one that it
// must stand up to.
func (r *Report) rivalGates(c *Scores) []Gate {
	v := c.VersusSubject
	if v == nil || !v.PBetter.Defined() {
		return nil
	}
	p := 1 - v.PBetter // that the subject has the lower log loss
	switch c.Name {
	case ScorecardName, ChampionRecipeName:
		name := map[string]string{ScorecardName: GateScorecard, ChampionRecipeName: GateRecipe}[c.Name]
		return []Gate{{Name: name, Pass: p >= surely, Figure: "P = " + p.Fixed(3),
			Need: fmt.Sprintf("P(lower log loss) ≥ %.2f", surely), Reason: v.Words}}
	case ChampionName:
		return []Gate{{Name: GateChampion, Pass: v.PNotWorse >= likely, Figure: "P = " + v.PNotWorse.Fixed(3),
			Need:   fmt.Sprintf("P(worse by at most %.0f %% of the champion's gain) ≥ %.2f", 100*worseShare, likely),
			Reason: v.Words}}
	}
	return nil
}

// calibrationGate asks that the miscalibration beyond chance be small, or not
// above the champion's. So few outcomes as leave a model provisional cannot
// show that, whatever the model; of them it asks only that it be not too large
// beyond doubt.
func (r *Report) calibrationGate(s *Scores) Gate {
	e := s.Excess
	g := Gate{Name: GateCalibration, Figure: "E = " + e.E.Fixed(4) + ", at most " + e.Upper.Fixed(4),
		Need: "at most " + e.Bound.Fixed(4), Pass: e.Upper <= e.Bound}
	g.Reason = fmt.Sprintf("ICI is %s, that of a perfect model %s: %s beyond chance, with 90 %% certainty no more than %s.",
		e.ICI.Fixed(4), e.Perfect.Fixed(4), e.E.Fixed(4), e.Upper.Fixed(4))
	if !g.Pass && !r.sizeGate().Pass {
		g.Pass, g.Need = float64(e.P) > 1-level, "not above "+e.Bound.Fixed(4)+" beyond doubt (provisional)"
		if g.Pass {
			g.Reason += " With so few outcomes it cannot be shown that it is within its bound."
		}
	}
	for i := range r.Candidates {
		c := &r.Candidates[i]
		if c.Name == ChampionName && c.Excess != nil && !g.Pass && e.E <= c.Excess.E {
			g.Pass = true
			g.Reason += fmt.Sprintf(" The champion's is no smaller (%s).", c.Excess.E.Fixed(4))
		}
	}
	return g
}

// segmentGate asks that no segment with enough events be miscalibrated beyond
// its bound: the one-sided tests of all of them, at the level .10 after Holm.
func (r *Report) segmentGate() (Gate, bool) {
	type tested struct {
		name string
		e    *Excess
	}
	var all []tested
	for i := range r.Slices {
		a := &r.Slices[i]
		for k := range a.Scores {
			if e := a.Scores[k].Excess; a.Kind == BySegment && e != nil && e.P.Defined() {
				all = append(all, tested{a.Name, e})
			}
		}
	}
	if len(all) == 0 {
		return Gate{}, false
	}
	slices.SortStableFunc(all, func(a, b tested) int { return cmp.Compare(a.e.P, b.e.P) })
	var off []string
	for k := range all {
		if float64(all[k].e.P) > segmentSize/float64(len(all)-k) {
			break
		}
		off = append(off, fmt.Sprintf("%s (E = %s, bound %s)", all[k].name, all[k].e.E.Fixed(4), all[k].e.Bound.Fixed(4)))
	}
	g := Gate{Name: GateSegments, Pass: len(off) == 0, Figure: fmt.Sprintf("%d of %d off", len(off), len(all)),
		Need: fmt.Sprintf("none, of those with %d churned rows (Holm, level %.2f)", gateEvents, segmentSize),
		Reason: fmt.Sprintf("No segment is miscalibrated beyond its bound; nearest to it is %s (E = %s, bound %s).",
			all[0].name, all[0].e.E.Fixed(4), all[0].e.Bound.Fixed(4))}
	if len(off) > 0 {
		g.Reason = "Miscalibrated beyond doubt: " + strings.Join(off, ", ") + "."
	}
	return g, true
}

// sizeGate says whether a model is provisional.
func (r *Report) sizeGate() Gate {
	d := &r.Design
	churned, renewed := int(math.Round(float64(d.MatureChurned))), int(math.Round(float64(d.MatureRenewed)))
	g := Gate{Name: GateSize, Advice: true, Pass: churned >= firmChurned && renewed >= firmRenewed,
		Figure: Count(churned) + " and " + Count(renewed), Need: fmt.Sprintf("%d churned and %d renewed", firmChurned, firmRenewed)}
	if g.Reason = "The model is not provisional."; !g.Pass {
		g.Reason = "The model is provisional until more outcomes have matured."
	}
	return g
}

// dash stands where there is no figure.
const dash = "–"

// Promotion says whether the subject of a report may be published: every gate
// that is not mere advice must pass. The reason names the first that does not,
// or what speaks for the model, and whether it is provisional.
func (r *Report) Promotion() predict.Verdict {
	if len(r.Gates) == 0 {
		return predict.Verdict{Reason: "the report has no gates; run holdfast evaluate again"}
	}
	var refused, doubts []string
	reason := ""
	for _, g := range r.Gates {
		switch {
		case !g.Pass && !g.Advice:
			refused = append(refused, g.Name)
			if len(refused) == 1 {
				reason = g.Reason
			}
		case !g.Pass:
			doubts = append(doubts, lowerFirst(g.Reason))
		case g.Name == GateLeaks && g.Figure != "held":
			doubts = append(doubts, g.Reason+".")
		case g.Name == GateBase && len(refused) == 0:
			reason = g.Reason
		}
	}
	if len(refused) > 0 {
		return predict.Verdict{Reason: fmt.Sprintf("gate \"%s\": %s", strings.Join(refused, `", "`), reason)}
	}
	for _, d := range doubts {
		reason = strings.TrimSuffix(reason, ".") + "; " + d
	}
	return predict.Verdict{Pass: true, Reason: reason}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
