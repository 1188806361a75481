// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"math"
	"strings"
)

// The bounds from which figures are called doubtful.
const (
	fewChurned = 100 // churned test rows below which every figure is called uncertain
	fewGroups  = 50  // groups below which a cluster bootstrap's interval is too narrow
	// muchCensored is the share of rows in the test windows without a known
	// outcome from which the report warns.
	muchCensored = 0.05
)

// conclude writes what the figures say: verdict, origins that are off, and
// warnings.
func (r *Report) conclude() {
	subject := r.subject()
	r.Subject = subject.Name
	r.Warnings = append(r.Warnings, r.doubts()...)
	if subject.Failure != "" {
		r.Verdict = []string{fmt.Sprintf("%s cannot be judged: it %s.", subject.Name, subject.Failure)}
		return
	}
	for _, o := range subject.Origins {
		if o.Off {
			r.OffOrigins = append(r.OffOrigins, offWords(&o))
		}
	}
	if subject.VersusBase != nil {
		r.Verdict = append(r.Verdict, subject.VersusBase.Words)
		if subject.VersusBase.Finding != NoSkill && subject.VersusOwnMean.Finding != Better {
			r.Verdict = append(r.Verdict, subject.VersusOwnMean.Words)
		}
	}
	r.Verdict = append(r.Verdict, meanWords(subject, r.noun()), rankWords(subject))
}

// summarise answers in three sentences: may we use it, is it any good, and what
// is it worth.
func (r *Report) summarise() {
	s := r.subject()
	v := r.Promotion()
	passed, asked := 0, 0
	var refused []string
	provisional := false
	for _, g := range r.Gates {
		switch {
		case g.Advice:
			provisional = !g.Pass
		case g.Pass:
			asked++
			passed++
		default:
			asked++
			refused = append(refused, "“"+g.Name+"”")
		}
	}
	switch {
	case !v.Pass:
		r.Summary = append(r.Summary, fmt.Sprintf("%s may not be used as it is: it fails %s of %d gates (%s).",
			upperFirst(s.Name), Count(len(refused)), asked, strings.Join(refused, ", ")))
	case provisional:
		r.Summary = append(r.Summary, fmt.Sprintf("%s may be used, provisionally: all %d gates pass, on few outcomes (%s churned and %s renewed).",
			upperFirst(s.Name), passed, Count(int(r.Design.MatureChurned+0.5)), Count(int(r.Design.MatureRenewed+0.5))))
	default:
		r.Summary = append(r.Summary, fmt.Sprintf("%s may be used: all %d gates pass.", upperFirst(s.Name), passed))
	}
	if s.Pooled == nil || s.VersusBase == nil {
		return
	}
	m := s.Pooled
	skill := "It shows no skill over the base rate"
	switch s.VersusBase.Finding {
	case Better:
		for i := range r.Candidates {
			if c := &r.Candidates[i]; c.Name == BaseRateName && c.Pooled != nil {
				skill = fmt.Sprintf("Its log loss is %.1f %% below that of the base rate", -100*float64(s.VersusBase.LogLoss.Estimate/c.Pooled.LogLoss))
			}
		}
	case Worse:
		skill = "It is worse than the base rate"
	}
	ranks := "tells churned and renewed accounts apart"
	if s.VersusOwnMean.Finding != Better {
		ranks = "does not show that it tells accounts apart"
	}
	r.Summary = append(r.Summary, fmt.Sprintf("%s, it %s (AUC %s), and it predicted %s churn where %s churned.", skill, ranks,
		m.AUC.Fixed(3), m.MeanP.Percent(), m.Rate.Percent()))
	if !m.Recall.Defined() {
		return
	}
	worth := fmt.Sprintf("Working on the %.3g %% of renewals with the highest risk reaches %s of all churn", 100*float64(r.Design.Capacity), m.Recall.Percent())
	if m.Value != nil && m.Value.Recall.Defined() {
		lost := m.Value.Value * m.Value.Rate
		worth += fmt.Sprintf(" and %s of the money that left (%s of %s)", m.Value.Recall.Percent(),
			Money(m.Value.Recall*lost, r.Design.Currency), Money(lost, r.Design.Currency))
	}
	r.Summary = append(r.Summary, worth+"; chance would reach "+r.Design.Capacity.Percent()+".")
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// noun is what the test rows were split into.
func (r *Report) noun() string {
	if r.Design.Kind == CrossValidation {
		return "folds"
	}
	return "origins"
}

// subject returns the candidate the verdict is about.
func (r *Report) subject() *Scores { return &r.Candidates[r.subjectIndex()] }

func (r *Report) subjectIndex() int {
	for i := range r.Candidates {
		if r.Candidates[i].Name != BaseRateName {
			return i
		}
	}
	return 0
}

// pairWords says which of two candidates is better.
func pairWords(a, b string, c *Comparison) string {
	figures := fmt.Sprintf("difference of log loss %s (90 %% interval by account %s to %s)",
		c.LogLoss.Estimate.Signed(), c.LogLoss.Low.Signed(), c.LogLoss.High.Signed())
	switch c.Finding {
	case Better:
		return fmt.Sprintf("Decisive: %s is better than %s, %s.", a, b, figures)
	case Worse:
		return fmt.Sprintf("Decisive: %s is better than %s, %s.", b, a, figures)
	}
	return fmt.Sprintf("Not decisive between %s and %s: %s.", a, b, figures)
}

// comparisonWords says whether a candidate beats the base rate.
func comparisonWords(s, base *Scores) string {
	c := s.VersusBase
	figures := fmt.Sprintf("log loss %s against %s of the base rate, "+
		"difference %s (90 %% interval by account %s to %s)",
		s.Pooled.LogLoss.Fixed(4), base.Pooled.LogLoss.Fixed(4),
		c.LogLoss.Estimate.Signed(), c.LogLoss.Low.Signed(), c.LogLoss.High.Signed())
	switch {
	case !c.LogLoss.Low.Defined():
		return fmt.Sprintf("%s: no skill shown: all test rows belong to one account, "+
			"so that there is no interval; %s.", s.Name, figures)
	case c.Finding == NoSkill:
		return fmt.Sprintf("%s: no skill shown: %s; the interval covers 0.", s.Name, figures)
	}
	gain := 100 * math.Abs(float64(c.LogLoss.Estimate/base.Pooled.LogLoss))
	return fmt.Sprintf("%s is %s than the base rate by %.1f %%: %s.", s.Name, c.Finding, gain, figures)
}

// meanWords compares the mean prediction to the observed rate.
func meanWords(s *Scores, noun string) string {
	words := fmt.Sprintf("It predicts %s churn on average and %s churned", s.Pooled.MeanP.Percent(),
		s.Pooled.Rate.Percent())
	var off []string
	for _, o := range s.Origins {
		if o.Off {
			off = append(off, o.Origin)
		}
	}
	n := len(off)
	if n == 0 {
		return words + fmt.Sprintf("; at each of %d %s the mean prediction is within 10 %% of the observed rate.",
			len(s.Origins), noun)
	}
	if n > 3 {
		off = append(off[:3:3], "…")
	}
	return words + fmt.Sprintf("; the mean prediction is more than 10 %% off at %d of %d %s (%s).",
		n, len(s.Origins), noun, strings.Join(off, ", "))
}

// rankWords says how well churned rows are found.
func rankWords(s *Scores) string {
	m := s.Pooled
	if !m.AUC.Defined() || !m.Lift.Defined() {
		return "How well it ranks cannot be said: at no origin were there both churned and renewed rows."
	}
	words := fmt.Sprintf("The tenth of rows with the highest p churned %.1f times as often as the average; AUC %.3f.",
		float64(m.Lift), float64(m.AUC))
	return words
}

// ownMeanWords says whether a candidate tells accounts apart, or only knows
// the level of churn.
func ownMeanWords(s *Scores) string {
	c := &s.VersusOwnMean.LogLoss
	figures := fmt.Sprintf("difference of log loss %s (90 %% interval by account %s to %s)", c.Estimate.Signed(), c.Low.Signed(), c.High.Signed())
	switch s.VersusOwnMean.Finding {
	case Better:
		return "It tells accounts apart: against its own mean at each origin, " + figures + "."
	case Worse:
		return "It tells accounts apart wrongly: its own mean at each origin would do better, " + figures + "."
	}
	return "No skill shown in telling accounts apart: its own mean at each origin would do as well, " + figures +
		"; what it gains over the base rate is the level of churn."
}

// offWords describes an origin whose mean prediction is off.
func offWords(o *OriginScores) string {
	m := o.Metrics
	if m.Churned == 0 {
		return fmt.Sprintf("%s: predicted %s, but none of %s rows churned", o.Origin, m.MeanP.Percent(),
			Count(m.Rows))
	}
	ratio := float64(m.MeanP / m.Rate)
	side := "high"
	if ratio < 1 {
		side = "low"
	}
	return fmt.Sprintf("%s: predicted %s, observed %s: %.0f %% too %s (%s rows, %s churned)", o.Origin,
		m.MeanP.Percent(), m.Rate.Percent(), 100*math.Abs(ratio-1), side, Count(m.Rows), Count(m.Churned))
}

// doubts lists what makes the figures doubtful.
func (r *Report) doubts() []string {
	var doubts []string
	add := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	if r.Leaks != nil && r.Leaks.Failure() != "" {
		add("no figure here can be trusted: %s", r.Leaks.Failure())
	}
	d := &r.Design
	if d.TestChurned < fewChurned {
		add("%s churned test rows: every figure here is uncertain", Count(d.TestChurned))
	}
	if d.TestGroups < fewGroups {
		add("%s accounts (or groups) in the test rows: the intervals are too narrow", Count(d.TestGroups))
	}
	windows, censored, notScored := 0, 0, 0
	for _, o := range r.Origins {
		if o.Skipped == "" {
			windows += o.TestRows + o.Censored
			censored += o.Censored
		}
		if r.Design.Kind == CrossValidation {
			notScored += o.NotScored
		} else {
			notScored = max(notScored, o.NotScored) // an origin counts all rows before its end
		}
	}
	if float64(censored) > muchCensored*float64(windows) {
		add("%s of %s rows in the test windows (%.0f %%) are censored: "+
			"if their outcomes differ from the known ones, every figure here is off",
			Count(censored), Count(windows), 100*float64(censored)/float64(windows))
	}
	if notScored > 0 {
		add("%s rows get no probability (decided or due too late) and are left out", Count(notScored))
	}
	if d.WithoutCurrency > 0 {
		add("%s test rows have their value in another currency than %s: money is stated without them",
			Count(d.WithoutCurrency), d.Currency)
	}
	if d.Skipped > 0 {
		add("%d of %d %s could not be tested; their table says why", d.Skipped, d.Skipped+d.Tested, r.noun())
	}
	for i := range r.Candidates {
		if s := &r.Candidates[i]; s.Failure != "" {
			add("%s %s", s.Name, s.Failure)
		}
	}
	return doubts
}

// shorten keeps a message that quotes data from filling a report.
func shorten(s string) string {
	const most = 300
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return s
}
