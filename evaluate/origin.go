// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"math"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// The least that a fit and a figure can be made from; an origin with less is
// skipped and listed with the reason.
const (
	minTrain   = 200 // training rows
	minChurned = 20  // churned training rows
	minTest    = 30  // test rows
)

// OriginOptions chooses the origins of a backtest. The zero value takes
// monthly origins in UTC from the first possible month on.
type OriginOptions struct {
	// First is the day of the first origin. Its year, month and day are read as
	// they stand, whatever its zone; the origin is the midnight that begins
	// that day in Location. Zero: the first day of the first month that begins
	// after an outcome was known.
	First time.Time
	// Months is the step from one origin to the next, in calendar months ≥ 1.
	// Zero means 1. A day that a month lacks becomes its last day.
	Months int
	// Dates are the days of the origins, ascending, in place of First and Months.
	// The test window of the last is as long as the one before it, or a month.
	Dates []time.Time
	// Window is how many calendar months ≥ 1 before the origin a training row's
	// snapshot may lie: a sliding window. Zero takes all that came before.
	Window int
	// EmbargoDays ≥ 0 keeps rows out of training whose outcome was known less
	// than so many calendar days before the origin. It holds between training
	// and test; a candidate's own calibration blocks know nothing of it.
	EmbargoDays int
	// Location is the zone whose days and months count. Nil means UTC.
	Location *time.Location
}

// An Origin is one split of a backtest: what may be trained on, and what is
// then predicted. The folds of a cross-validation are Origins without a time.
type Origin struct {
	Name  string    // "2011-06-01", or "fold 1"
	At    time.Time // T: the model is fitted at this instant, on what was known
	End   time.Time // T + step: test snapshots lie in [At, End)
	Train []int     // row numbers of the frame, ascending
	Test  []int
	// Purged counts the rows before T that may not train: their outcome was
	// not known at T minus the embargo.
	Purged int
	// Censored counts the rows in [At, End) that cannot be tested: their
	// outcome is not known to this day.
	Censored int
	// NotScored counts the rows before End that get no probability (status
	// decided or early) and therefore neither train nor test.
	NotScored int
	// TooOld counts the rows that could train but lie before the window.
	TooOld int
	// unpurged is the weighted churn rate among all rows before T whose outcome
	// was known at T, due or not.
	unpurged float64
	// Skipped says why the origin is not tested; empty where it is.
	Skipped string
}

// Origins returns the rolling origins of the options up to the last snapshot
// with a known outcome, those with too little to fit or to test included (see
// Origin.Skipped). With T the origin and E the embargo, a row
//
//	trains at T  if  snapshot < T  and  matured ≤ T - E,  for both outcomes alike,
//	tests at T   if  T ≤ snapshot < T + step  and its outcome is known today,
//
// where matured is the later of the instant at which the outcome was known and
// the due date: a renewal that was signed early may not train before a churn
// of the same due date could, or predictions come out far too low (METHODS.md,
// section 1).
//
// The error is a *NoOriginsError if not one origin can be tested.
func Origins(f *features.Frame, o OriginOptions) ([]Origin, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	last, firstMature, known := knownSpan(f)
	none := &NoOriginsError{Rows: len(f.Rows), Known: known}
	if known == 0 {
		return nil, none
	}
	var origins []Origin
	first := time.Time{}
	for k := 0; ; k++ {
		at, end, ok := o.window(k, firstMature)
		if k == 0 {
			first = at
		}
		if !ok || at.UnixNano() > last {
			break
		}
		s := splitter{at: at, end: end, mature: at.AddDate(0, 0, -o.EmbargoDays)}
		if o.Window > 0 {
			s.start = monthsAfter(at.Year(), at.Month(), at.Day(), -o.Window, o.location())
		}
		origins = append(origins, s.split(f))
	}
	none.First = first.Format(time.DateOnly)
	none.Last = time.Unix(0, last).In(o.location()).Format(time.DateOnly)
	none.Origins = origins
	for i := range origins {
		if origins[i].Skipped == "" {
			return origins, nil
		}
	}
	return nil, none
}

// window returns the instant of origin k and the end of its test window; ok is
// false where there is no origin k.
func (o *OriginOptions) window(k int, firstMature int64) (at, end time.Time, ok bool) {
	if o.Dates == nil {
		year, month, day := o.firstDay(firstMature)
		return monthsAfter(year, month, day, k*o.months(), o.location()),
			monthsAfter(year, month, day, (k+1)*o.months(), o.location()), true
	}
	if k >= len(o.Dates) {
		return at, end, false
	}
	begin := func(d time.Time, months int) time.Time {
		return monthsAfter(d.Year(), d.Month(), d.Day(), months, o.location())
	}
	d := o.Dates[k]
	switch at = begin(d, 0); {
	case k+1 < len(o.Dates):
		return at, begin(o.Dates[k+1], 0), true
	case k > 0:
		days := int(math.Round(d.Sub(o.Dates[k-1]).Hours() / 24))
		return at, begin(d.AddDate(0, 0, days), 0), true
	}
	return at, begin(d, o.months()), true
}

func (o *OriginOptions) validate() error {
	if o.Months < 0 {
		return fmt.Errorf("step of %d months between origins: must be 1 or more", o.Months)
	}
	if o.EmbargoDays < 0 {
		return fmt.Errorf("embargo of %d days: must be 0 or more", o.EmbargoDays)
	}
	if o.Window < 0 {
		return fmt.Errorf("window of %d months: must be 1 or more", o.Window)
	}
	for k, d := range o.Dates {
		if d.Year() < 1678 || d.Year() > 2261 {
			return fmt.Errorf("origin %s: must lie in the years 1678 to 2261", d.Format(time.DateOnly))
		}
		if k > 0 && !d.After(o.Dates[k-1]) {
			return fmt.Errorf("origin %s: must come after %s", d.Format(time.DateOnly), o.Dates[k-1].Format(time.DateOnly))
		}
	}
	if y := o.First.Year(); !o.First.IsZero() && (y < 1678 || y > 2261) {
		return fmt.Errorf("first origin %s: must lie in the years 1678 to 2261", o.First.Format(time.DateOnly))
	}
	return nil
}

func (o *OriginOptions) months() int { return max(o.Months, 1) }

func (o *OriginOptions) location() *time.Location {
	if o.Location == nil {
		return time.UTC
	}
	return o.Location
}

// firstDay returns the day of the first origin, given the instant at which the
// first outcome was known.
func (o *OriginOptions) firstDay(firstMature int64) (int, time.Month, int) {
	if !o.First.IsZero() {
		return o.First.Date()
	}
	t := time.Unix(0, firstMature).In(o.location())
	return t.Year(), t.Month() + 1, 1
}

// monthsAfter returns the midnight in loc that begins the given day, months
// later, or the last day of that month if it is shorter. Months of 13 and more
// run on into the next year.
func monthsAfter(year int, month time.Month, day, months int, loc *time.Location) time.Time {
	firstOf := time.Date(year, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	daysIn := firstOf.AddDate(0, 1, -1).Day()
	return data.Midnight(firstOf.AddDate(0, 0, min(day, daysIn)-1), loc)
}

// knownSpan returns the last snapshot and the first maturity among the rows
// with a known outcome, and their number.
func knownSpan(f *features.Frame) (lastSnapshot, firstMature int64, known int) {
	firstMature = features.Never
	for i := range f.Rows {
		r := &f.Rows[i]
		if r.Y == features.Unknown || !hasProbability(r) {
			continue
		}
		if known == 0 || r.Snapshot > lastSnapshot {
			lastSnapshot = r.Snapshot
		}
		firstMature = min(firstMature, r.Matured())
		known++
	}
	return lastSnapshot, firstMature, known
}

// hasProbability reports whether a row of this status is scored at all.
func hasProbability(r *features.Row) bool {
	return r.Status != features.Decided && r.Status != features.Early
}

// A splitter deals out the rows for the origin at, whose outcomes must have been
// known at the instant mature.
type splitter struct {
	at, end, mature time.Time
	start           time.Time // of a sliding window; zero for none
}

func (s *splitter) split(f *features.Frame) Origin {
	origin := Origin{Name: s.at.Format(time.DateOnly), At: s.at, End: s.end}
	t, stop, limit := s.at.UnixNano(), s.end.UnixNano(), s.mature.UnixNano()
	var churned, known float64 // of all that was known at T
	for i := range f.Rows {
		r := &f.Rows[i]
		if r.Snapshot < t && hasProbability(r) && r.Y != features.Unknown && r.Mature <= t {
			churned += float64(r.Weight * float64(r.Y))
			known += r.Weight
		}
		switch {
		case r.Snapshot >= stop:
		case !hasProbability(r):
			origin.NotScored++
		case r.Snapshot >= t && r.Y == features.Unknown:
			origin.Censored++
		case r.Snapshot >= t:
			origin.Test = append(origin.Test, i)
		case r.Y == features.Unknown || r.Matured() > limit:
			origin.Purged++
		case !s.start.IsZero() && r.Snapshot < s.start.UnixNano():
			origin.TooOld++
		default:
			origin.Train = append(origin.Train, i)
		}
	}
	origin.unpurged = churned / known
	origin.Skipped = tooLittle(f, &origin)
	return origin
}

// tooLittle says why an origin cannot be tested, or nothing.
func tooLittle(f *features.Frame, o *Origin) string {
	churned := countChurned(f, o.Train)
	switch {
	case len(o.Train) < minTrain:
		return fmt.Sprintf("fewer than %d training rows", minTrain)
	case churned < minChurned:
		return fmt.Sprintf("fewer than %d churned training rows", minChurned)
	case churned == len(o.Train):
		return "every training row churned"
	case len(o.Test) < minTest:
		return fmt.Sprintf("fewer than %d test rows", minTest)
	}
	return ""
}

// countChurned returns how many of the given rows churned.
func countChurned(f *features.Frame, rows []int) int {
	n := 0
	for _, i := range rows {
		if f.Rows[i].Y == 1 {
			n++
		}
	}
	return n
}
