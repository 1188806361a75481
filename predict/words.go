// SPDX-License-Identifier: Apache-2.0

package predict

import (
	"fmt"
	"strconv"
	"strings"
)

// Words says what a rule asks for, as in "logins at most 4 or missing, and
// plan is basic". Label gives what a feature is called.
func (r *Rule) Words(label func(feature string) string) string {
	parts := make([]string, len(r.Conditions))
	for i := range r.Conditions {
		c := &r.Conditions[i]
		parts[i] = label(c.Feature) + " " + c.words()
	}
	return strings.Join(parts, ", and ")
}

// words says what a condition asks of its feature.
func (c *Condition) words() string {
	texts := make([]string, len(c.Levels))
	for i, level := range c.Levels {
		texts[i] = levelText(level)
	}
	levels := strings.Join(texts, " or ")
	switch {
	case c.ofLevels() && c.Not:
		return "is not " + levels
	case c.ofLevels():
		return "is " + levels
	}
	var known string
	switch {
	case c.Above == nil && c.AtMost == nil:
		return "is known"
	case c.Above != nil && c.AtMost != nil && *c.Above >= *c.AtMost:
		return "is missing" // Validate lets no other such condition pass
	case c.AtMost == nil:
		known = "above " + numberText(*c.Above)
	case c.Above == nil:
		known = "at most " + numberText(*c.AtMost)
	default:
		known = "above " + numberText(*c.Above) + " to " + numberText(*c.AtMost)
	}
	if c.Missing {
		known += " or missing"
	}
	return known
}

// OfSlopes reports whether a pair gives segments slopes of their own on a number:
// a level beside a straight line.
func (p *Pair) OfSlopes() bool { return p.Sides[0].Kind == Level && p.Sides[1].Kind == Linear }

// Effect returns what a rule contributes against the table's mean over the
// training rows, in uncalibrated log-odds.
func (t *Table) Effect(rule int) float64 {
	return t.at(rule) - t.RefMean
}

// Label returns what a feature is called, its name where the model has no term
// of it.
func (l *Logit) Label(feature string) string {
	for j := range l.Terms {
		if t := &l.Terms[j]; t.Feature == feature && t.Label != "" {
			return t.Label
		}
	}
	return feature
}

// levelText writes a level as a reader wants it.
func levelText(level string) string {
	if level == MissingLevel {
		return "missing"
	}
	return level
}

// numberText writes a number as a reader wants it: up to four digits.
func numberText(x float64) string {
	switch {
	case x != x:
		return "none"
	case x == float64(int64(x)) && x < 1e9 && x > -1e9:
		return strconv.FormatInt(int64(x), 10)
	}
	return fmt.Sprintf("%.4g", x)
}
