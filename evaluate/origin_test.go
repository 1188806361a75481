// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holdfast-churn/holdfast/features"
)

func day(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A row that is not mature at T never trains, whichever its outcome, and the
// rows of an origin are exactly those of the rule. The rows include renewals
// known long before their due date.
func TestOriginsFollowTheMaturityRule(t *testing.T) {
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		embargo := rapid.IntRange(0, 20).Draw(t, "embargo")
		f := &features.Frame{}
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			snapshot := first.AddDate(0, 0, rapid.IntRange(-200, 200).Draw(t, "day")).UnixNano()
			due := snapshot + int64(rapid.IntRange(1, 90).Draw(t, "lead"))*dayNS
			r := features.Row{Snapshot: snapshot, Due: due, Weight: 1,
				Y: int8(rapid.IntRange(-1, 1).Draw(t, "y")), Mature: features.Never,
				Status: features.Status(rapid.IntRange(0, 3).Draw(t, "status"))}
			if r.Y != features.Unknown {
				r.Mature = due + int64(rapid.IntRange(-60, 60).Draw(t, "delay"))*dayNS
			}
			f.Rows = append(f.Rows, r)
		}
		origins, err := Origins(f, OriginOptions{First: first, EmbargoDays: embargo})
		var none *NoOriginsError
		if errors.As(err, &none) {
			origins = none.Origins
		} else if err != nil {
			t.Fatal(err)
		}
		for _, o := range origins {
			checkOrigin(t, f, &o, embargo)
		}
	})
}

func checkOrigin(t *rapid.T, f *features.Frame, o *Origin, embargo int) {
	purged, censored, notScored := 0, 0, 0
	for i, r := range f.Rows {
		before := r.Snapshot < o.At.UnixNano()
		inside := !before && r.Snapshot < o.End.UnixNano()
		none := r.Status == features.Decided || r.Status == features.Early
		limit := o.At.UnixNano() - int64(embargo)*dayNS
		mature := r.Mature <= limit && r.Due <= limit
		if train := before && mature && !none; train != slices.Contains(o.Train, i) {
			t.Fatalf("origin %s: row %+v trains: %v", o.Name, r, !train)
		}
		if test := inside && r.Y != features.Unknown && !none; test != slices.Contains(o.Test, i) {
			t.Fatalf("origin %s: row %+v tests: %v", o.Name, r, !test)
		}
		switch {
		case none && (before || inside):
			notScored++
		case !none && before && !mature:
			purged++
		case !none && inside && r.Y == features.Unknown:
			censored++
		}
	}
	if o.Purged != purged || o.Censored != censored || o.NotScored != notScored {
		t.Fatalf("origin %s counts %d purged, %d censored, %d not scored; there are %d, %d, %d",
			o.Name, o.Purged, o.Censored, o.NotScored, purged, censored, notScored)
	}
}

// Origins fall on the midnights of calendar months in the zone of the options.
func TestOriginsAreCalendarMonths(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zone database:", err)
	}
	f := history(300, 14, 1)
	tests := []struct {
		name    string
		options OriginOptions
		want    []string // the first origins and their instants
	}{
		{"months", OriginOptions{First: day(t, "2022-10-01")},
			[]string{"2022-10-01T00:00:00Z", "2022-11-01T00:00:00Z"}},
		{"quarters", OriginOptions{First: day(t, "2022-07-01"), Months: 3},
			[]string{"2022-07-01T00:00:00Z", "2022-10-01T00:00:00Z"}},
		// Midnight in Berlin is 22:00 UTC in summer and 23:00 in winter.
		{"summer time", OriginOptions{First: day(t, "2022-10-01"), Location: berlin},
			[]string{"2022-09-30T22:00:00Z", "2022-10-31T23:00:00Z"}},
		// The day of First counts, not its instant, which is still September in UTC.
		{"zoned first", OriginOptions{First: time.Date(2022, 10, 1, 0, 0, 0, 0, berlin), Location: time.UTC},
			[]string{"2022-10-01T00:00:00Z", "2022-11-01T00:00:00Z"}},
		// November has no 31st, and December has one again.
		{"short month", OriginOptions{First: day(t, "2022-10-31")},
			[]string{"2022-10-31T00:00:00Z", "2022-11-30T00:00:00Z", "2022-12-31T00:00:00Z"}},
		// The first outcomes are known on 2022-02-01, so the next month is the first to have any.
		{"default first", OriginOptions{}, []string{"2022-03-01T00:00:00Z", "2022-04-01T00:00:00Z"}},
	}
	for _, test := range tests {
		origins, err := Origins(f, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for i, want := range test.want {
			if got := origins[i].At.UTC().Format(time.RFC3339); got != want {
				t.Errorf("%s: origin %d at %s, want %s", test.name, i, got, want)
			}
			if i > 0 && !origins[i-1].End.Equal(origins[i].At) {
				t.Errorf("%s: window %d ends at %v, the next begins at %v", test.name, i-1,
					origins[i-1].End, origins[i].At)
			}
		}
	}
}

// An origin with too little is listed with the reason.
func TestOriginsWithTooLittleAreSkipped(t *testing.T) {
	f := history(60, 12, 2)
	origins, err := Origins(f, OriginOptions{First: day(t, "2022-02-15")})
	if err != nil {
		t.Fatal(err)
	}
	if got := origins[0].Skipped; got != "fewer than 200 training rows" {
		t.Errorf("first origin: %q", got)
	}
	last := origins[len(origins)-1]
	if last.Skipped != "" && last.Skipped != "fewer than 30 test rows" {
		t.Errorf("last origin: %q", last.Skipped)
	}
	churn := func(y int8) func(i int) int8 { return func(int) int8 { return y } }
	for _, test := range []struct {
		y    func(i int) int8
		want string
	}{
		{churn(0), "fewer than 20 churned training rows"},
		{churn(1), "every training row churned"},
		{func(i int) int8 { return int8(min(1, max(0, 10-i))) }, "fewer than 20 churned training rows"},
	} {
		for i := range f.Rows {
			f.Rows[i].Y = test.y(i)
		}
		_, err := Origins(f, OriginOptions{First: day(t, "2022-10-01")})
		var none *NoOriginsError
		if !errors.As(err, &none) || none.Origins[0].Skipped != test.want {
			t.Errorf("got %v, want every origin skipped with %q", err, test.want)
		}
	}
}

// No usable origin is an error that counts by reason.
func TestNoOrigins(t *testing.T) {
	unknown := history(10, 5, 3)
	for i := range unknown.Rows {
		unknown.Rows[i].Y, unknown.Rows[i].Mature = features.Unknown, features.Never
	}
	tests := []struct {
		name  string
		frame *features.Frame
		first string
		want  []string
	}{
		{"no rows", &features.Frame{}, "2022-01-01", []string{"the frame has no rows"}},
		{"nothing known", unknown, "2022-01-01", []string{"0 of 50 snapshots have a known outcome"}},
		{"too late", history(10, 5, 3), "2030-01-01",
			[]string{"2030-01-01 lies after 2022-05", "50 snapshots with a known outcome"}},
		{"too few", history(30, 8, 3), "2022-02-01",
			[]string{"0 of 7 origins from 2022-02-01", "7 with fewer than 200 training rows",
				"not mature", "of 240 snapshots"}},
	}
	for _, test := range tests {
		_, err := Origins(test.frame, OriginOptions{First: day(t, test.first)})
		var none *NoOriginsError
		if !errors.As(err, &none) {
			t.Errorf("%s: %v is no NoOriginsError", test.name, err)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", test.name, err, want)
			}
		}
	}
	if _, err := Origins(unknown, OriginOptions{Months: -1}); err == nil {
		t.Error("a step of -1 months was taken")
	}
	if _, err := Origins(unknown, OriginOptions{EmbargoDays: -1}); err == nil {
		t.Error("an embargo of -1 days was taken")
	}
}

// Renewals that are known long before their due date may not train before churns
// of the same date could; the report states the training rate with and without
// them, and the mistake lowers it.
func TestReportShowsTheRateBeforeAndAfterThePurge(t *testing.T) {
	f := history(400, 12, 1)
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Due += 60 * dayNS // terms that end two months later
		r.Mature = r.Due
		if r.Y == 0 {
			r.Mature = r.Snapshot + dayNS // signed the day after
		}
	}
	r := backtest(t, f, Options{}, byLevel()).Report
	tested := 0
	for _, o := range r.Origins {
		if o.Skipped != "" {
			continue
		}
		tested++
		if o.Purged == 0 || !(o.TrainRate > 0.17) || !(o.RateUnpurged < 0.85*o.TrainRate) {
			t.Errorf("%s: %d purged, rate %v, unpurged %v", o.Name, o.Purged, o.TrainRate, o.RateUnpurged)
		}
	}
	if m := r.Candidates[0].Pooled; tested == 0 || math.Abs(float64(m.MeanP/m.Rate-1)) > 0.05 {
		t.Errorf("%d origins; predicted %v, observed %v", tested, m.MeanP, m.Rate)
	}
}
