// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
	"github.com/holdfast-churn/holdfast/predict"
)

// drawn makes a frame of monthly renewals that churn more the higher x is.
func drawn(accounts, months int) *features.Frame {
	random := rand.New(rand.NewPCG(1, 0))
	start := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	f := &features.Frame{SpecDigest: "0123456789abcdef"}
	x := features.Column{Feature: features.Feature{Name: "x", Kind: features.NumberKind}}
	for a := range accounts {
		for m := range months {
			due := start.AddDate(0, m+1, a%28)
			v := random.NormFloat64()
			var y int8
			if random.Float64() < 1/(1+math.Exp(2-v)) {
				y = 1
			}
			x.Num = append(x.Num, v)
			f.Rows = append(f.Rows, features.Row{
				Account: fmt.Sprint("a", a), Segment: "<script>alert(1)</script>", Y: y, Weight: 1,
				Snapshot: due.AddDate(0, 0, -30).UnixNano(), Due: due.UnixNano(), Mature: due.UnixNano(),
			})
		}
	}
	f.Columns = []features.Column{x}
	return f
}

// A line predicts σ(intercept + slope x).
type line struct{ intercept, slope float64 }

func (l line) Prob(_ []float64, f *features.Frame) ([]float64, error) {
	p := make([]float64, len(f.Rows))
	for i := range p {
		p[i] = 1 / (1 + math.Exp(-l.intercept-l.slope*f.Columns[0].Num[i]))
	}
	return p, nil
}

func candidate(name, note string, l line) evaluate.Candidate {
	return evaluate.Candidate{Name: name, Note: note,
		Fit: func(context.Context, *features.Frame) (evaluate.Predictor, error) { return l, nil }}
}

func failing(message string) evaluate.Candidate {
	fit := func(context.Context, *features.Frame) (evaluate.Predictor, error) { return nil, errors.New(message) }
	return evaluate.Candidate{Name: "fails", Fit: fit}
}

func options() evaluate.Options {
	return evaluate.Options{Bootstrap: 50, Project: "acme",
		Origins: evaluate.OriginOptions{First: time.Date(2023, 2, 1, 0, 0, 0, 0, time.UTC)}}
}

func backtest(t *testing.T, f *features.Frame, o evaluate.Options,
	candidates ...evaluate.Candidate) *evaluate.Report {
	t.Helper()
	result, err := evaluate.Backtest(context.Background(), f, candidates, o)
	if err != nil {
		t.Fatal(err)
	}
	return result.Report
}

func render(t *testing.T, r *evaluate.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var madePages map[string]string // by the first that asked

// pages returns one page of every kind there is.
func pages(t *testing.T) map[string]string {
	t.Helper()
	if madePages == nil {
		madePages = makePages(t)
	}
	return madePages
}

func makePages(t *testing.T) map[string]string {
	t.Helper()
	f := drawn(300, 8)
	leaky := options()
	leaky.Leaks = proofs(&features.Leak{Feature: "logins_30d", Was: "3", Got: "4"})
	sound := options()
	sound.Leaks = proofs(nil, "accounts.country")
	folds, err := evaluate.CrossValidate(context.Background(), f,
		[]evaluate.Candidate{candidate("ours", "", line{-2, 1})}, options())
	if err != nil {
		t.Fatal(err)
	}
	many := []evaluate.Candidate{failing("no")}
	for i := range 9 {
		many = append(many, candidate(fmt.Sprint("c", i), "a note", line{-2, float64(i) / 5}))
	}
	calm := drawn(300, 8)
	for i := range calm.Rows { // nobody churns in May, so that an AUC is missing there
		if month := time.Unix(0, calm.Rows[i].Snapshot).UTC().Month(); month == time.May {
			calm.Rows[i].Y = 0
		}
	}
	quarter := options()
	quarter.Origins.First, quarter.Origins.Months = time.Date(2023, 4, 1, 0, 0, 0, 0, time.UTC), 12
	empty := &evaluate.Report{Subject: "ours",
		Candidates: []evaluate.Scores{{Name: "ours", Failure: "failed at 0 of 0 origins"}}}
	all := checkPages(t)
	maps.Copy(all, map[string]string{
		"skill":       render(t, backtest(t, f, options(), candidate("ours", "", line{-2, 1}))),
		"worse":       render(t, backtest(t, f, options(), candidate("ours", "", line{2, 1}))),
		"constant":    render(t, backtest(t, f, options(), candidate("ours", "", line{-1.7, 0}))),
		"calm":        render(t, backtest(t, calm, options(), candidate("ours", "", line{-2, 1}))),
		"certain":     render(t, backtest(t, f, options(), candidate("ours", "", line{-2, 1e6}))),
		"failed":      render(t, backtest(t, f, options(), failing("no"))),
		"base alone":  render(t, backtest(t, f, options())),
		"ten":         render(t, backtest(t, f, options(), many...)),
		"one origin":  render(t, backtest(t, f, quarter, candidate("ours", "", line{-2, 1}))),
		"folds":       render(t, folds.Report),
		"leaky":       render(t, backtest(t, f, leaky, candidate("ours", "", line{-2, 1}))),
		"sound":       render(t, backtest(t, f, sound, candidate("ours", "", line{-2, 1}))),
		"nothing yet": render(t, empty),
		"rich":        render(t, rich(t)),
		"monitor":     monitorPageOf(t),
		"summary":     summaryPageOf(t),
	})
	return all
}

// rich is a report with everything that a page can show.
func rich(t *testing.T) *evaluate.Report {
	t.Helper()
	f := drawn(300, 8)
	for i := range f.Rows {
		r := &f.Rows[i]
		r.Segment, r.Contract, r.LeadDays, r.TermDays = fmt.Sprint("segment ", i%3), fmt.Sprint("c", i), int32(30+30*(i%2)), int32(365*(1+i%2))
		r.Value, r.Currency, r.Kept, r.AutoRenew = 100, "EUR", 1, int8(i%2)
		r.Involuntary = r.Y == 1 && i%5 == 0
	}
	o := options()
	effect := func(e float64) predict.Interval { return predict.Interval{Estimate: e, Low: e - .2, High: e + .3} }
	o.Curves = []evaluate.Curve{{Feature: "x", Label: "x", Unit: "logins", Log: true, Points: []predict.CurvePoint{{At: 1, Effect: effect(.4), Share: .6},
		{At: 2, Effect: effect(-.1), Share: .2}, {At: 9, Effect: effect(-.5), Share: .1}, {Missing: true, Effect: effect(.1), Share: .1}}},
		{Feature: "plan", Level: true, Points: []predict.CurvePoint{{Level: "<script>", Effect: effect(.1), Share: .3}, {Level: "b", Effect: effect(0), Share: .7}}}}
	champion := candidate(evaluate.ChampionName, "", line{-2.1, 0.9})
	champion.From = time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC)
	return backtest(t, f, o, candidate("ours", "", line{-2, 1}), champion, evaluate.SegmentBaseRate(), evaluate.OneFeature())
}

var writePages = flag.String("pages", "", "folder to write one page of every kind to, for testdata/pages.py")

// Not a test: make test-pages looks at these pages in a browser.
func TestWritePages(t *testing.T) {
	if *writePages == "" {
		t.Skip("for make test-pages")
	}
	for name, page := range pages(t) {
		if err := os.WriteFile(filepath.Join(*writePages, strings.ReplaceAll(name, " ", "-")+".html"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	tag  = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*?)(/?)>`)
	void = []string{"meta", "br", "wbr"}
)

// Every tag is closed in order, and no "<" stands outside one.
func TestPagesAreWellFormed(t *testing.T) {
	for name, page := range pages(t) {
		body := strings.TrimPrefix(page, "<!DOCTYPE html>")
		if rest := tag.ReplaceAllString(body, ""); strings.ContainsAny(rest, "<>") {
			t.Errorf("%s: a stray angle bracket", name)
		}
		var open []string
		for _, m := range tag.FindAllStringSubmatch(body, -1) {
			switch closing, element, alone := m[1] != "", m[2], m[4] != ""; {
			case alone || slices.Contains(void, element):
			case !closing:
				open = append(open, element)
			case len(open) == 0 || open[len(open)-1] != element:
				t.Fatalf("%s: </%s> closes %v", name, element, open)
			default:
				open = open[:len(open)-1]
			}
		}
		if len(open) > 0 {
			t.Errorf("%s: %v is not closed", name, open)
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[m[1]] {
				t.Errorf("%s: two elements have the id %q", name, m[1])
			}
			ids[m[1]] = true
		}
		reference := regexp.MustCompile(` (?:href="#|aria-labelledby=")([^"]*)"`)
		for _, m := range reference.FindAllStringSubmatch(page, -1) {
			if !ids[m[1]] {
				t.Errorf("%s: no element has the id %q", name, m[1])
			}
		}
	}
}

// A page loads nothing, runs nothing and draws nothing at NaN.
func TestPagesStandAlone(t *testing.T) {
	for name, page := range pages(t) {
		// The base64 digest of the style sheet may hold a double slash.
		body := regexp.MustCompile(`sha256-[^']*'`).ReplaceAllString(page, "")
		for _, never := range []string{"<script", "<link", "<iframe", "http:", "https:", "//",
			"javascript:", "style=", "src=", "url(", "@import"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: contains %q", name, never)
			}
		}
		if handler := regexp.MustCompile(` on[a-z]+=`).FindString(body); handler != "" {
			t.Errorf("%s: an event handler%s", name, handler)
		}
		for _, broken := range []string{"NaN", "Inf", "ZgotmplZ", "%!"} {
			if strings.Contains(page, broken) {
				at := strings.Index(page, broken)
				t.Errorf("%s: contains %s: …%s…", name, broken, page[max(0, at-60):at+20])
			}
		}
		// The policy lets exactly this style sheet through.
		sheet := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
		sum := sha256.Sum256([]byte(sheet[1]))
		policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
		digest := strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;")
		if !strings.Contains(policy[1], "default-src &#39;none&#39;") ||
			!strings.Contains(policy[1], digest) {
			t.Errorf("%s: policy %q does not name the style sheet sha256-%s", name, policy[1], digest)
		}
	}
}

// Names, notes and messages may hold anything.
func TestPagesEscapeEverything(t *testing.T) {
	const evil = `<script>alert("1")</script>&'`
	o := options()
	o.Project, o.Data, o.Version = evil, evil, evil
	f := drawn(200, 6)
	f.SpecDigest = evil
	c := failing(evil)
	c.Name, c.Note = "b "+evil, evil
	r := backtest(t, f, o, candidate("a "+evil, evil, line{-2, 1}), c)
	r.Warnings = append(r.Warnings, evil)
	r.DataFindings = []data.Finding{{Subject: evil, Message: evil}}
	r.Leaks = proofs(&features.Leak{Feature: evil, Was: evil, Got: evil}, evil)
	page := render(t, r)
	if strings.Contains(page, "<script") {
		t.Error("markup of a name came through")
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 12 {
		t.Errorf("%d escaped names, want all of them", n)
	}
}

// So may those of the card, which is Markdown.
func TestCardEscapesEverything(t *testing.T) {
	const evil = "<script>a|b`c\n# d"
	o := options()
	o.Project, o.Data, o.Version = evil, evil, evil
	c := failing(evil)
	c.Name, c.Note = "b "+evil, evil
	r := backtest(t, drawn(200, 6), o, candidate("a "+evil, evil, line{-2, 1}), c)
	r.Warnings = append(r.Warnings, evil)
	var b bytes.Buffer
	if err := WriteCard(&b, r); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, "<script") || strings.Contains(text, "\n# d") || strings.Contains(text, "a|b") && strings.Contains(text, "| a|b") {
		t.Errorf("markup of a name came through:\n%s", text)
	}
	if !strings.Contains(b.String(), r.Candidates[0].Pooled.LogLoss.Fixed(4)) {
		t.Error("the card lacks the log loss")
	}
}

// The page of a monitor is well-formed as all pages are; it says what was found.
func TestMonitorPage(t *testing.T) {
	page := monitorPageOf(t)
	for _, want := range []string{"1 alarm", "train again", "a word", "2026-05", "0.300"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "NaN") {
		t.Error("markup or a NaN came through")
	}
}

func monitorPageOf(t *testing.T) string {
	t.Helper()
	nan := evaluate.Number(math.NaN())
	m := &evaluate.Monitor{Project: "<script>", Model: "0123456789ab", AsOf: "2026-07-01", Alarms: []string{"train again"}, Words: []string{"a word"},
		Features: []evaluate.Shift{{Name: "<script>", PSI: 0.3, Chance: nan}}, Months: []evaluate.RealisedMonth{{Month: "2026-05", LogLoss: 0.4, Expected: 0.3}}}
	var b bytes.Buffer
	if err := WriteMonitorHTML(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// So may the texts of a plot.
func TestCanvasEscapes(t *testing.T) {
	c := newCanvas(10, 10, `a "b" <c>`)
	c.text("end", 1, 2, "<d> & e")
	if got := string(c.done()); !strings.Contains(got, "a &#34;b&#34; &lt;c&gt;") ||
		!strings.Contains(got, "&lt;d&gt; &amp; e") {
		t.Error(got)
	}
}

// The page says what the report says.
func TestPageShowsTheReport(t *testing.T) {
	r := backtest(t, drawn(300, 8), options(), candidate("ours", "a note", line{-2, 1}), failing("no model"))
	r.DataFindings = []data.Finding{{Subject: "usage", Message: "9 of 90 rows are left out"}}
	page := render(t, r)
	ours := &r.Candidates[0]
	for _, want := range []string{
		"ours: better than the base rate", "may", "a note", "no model", "skipped: fewer than 200 training rows",
		ours.Pooled.LogLoss.Fixed(4), ours.VersusBase.LogLoss.Low.Signed(),
		ours.VersusOwnMean.LogLoss.High.Signed(), "usage: 9 of 90 rows are left out", ours.Pooled.AUC.Fixed(3),
		ours.Deciles[0].Rate.Percent(), evaluate.Binning,
		evaluate.Count(r.Origins[2].Purged), "Reliability diagram of ours with 10 points",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if n := strings.Count(page, `role="img" aria-label="`); n != 7 {
		t.Errorf("%d plots with alternative text, want 7", n)
	}
}

// proofs returns what came of proofs of which the canary failed, if there is a
// leak.
func proofs(leak *features.Leak, assumed ...string) *evaluate.Leaks {
	p := &features.Proof{Snapshots: 200, Of: 2000, Features: 50, Assumed: assumed, Trials: []features.Trial{
		{Name: features.Truncated, Snapshots: 200, Rows: 3823, Values: 13800},
		{Name: features.Perturbed, Snapshots: 200, Rows: 10438, Values: 13800},
		{Name: features.Canary, Snapshots: 200, Rows: 1000, Values: 20600}}}
	if leak != nil {
		p.Trials[2].Leaks, p.Trials[2].First = 7, leak
	}
	return &evaluate.Leaks{Features: p}
}

// The section on leaks says what was tried and what came of it.
func TestPageShowsLeaks(t *testing.T) {
	r := backtest(t, drawn(300, 8), options(), candidate("ours", "a note", line{-2, 1}))
	for name, test := range map[string]struct {
		leaks  *evaluate.Leaks
		want   []string
		unsaid string
	}{
		"not tried": {nil, []string{"Leaks from the future: not looked for"}, "Nothing leaks"},
		"proved": {proofs(nil, "accounts.country", "contracts.seq"), []string{`<h2 id="leaks">Nothing leaks from the future</h2>`,
			"3,823 rows and values that were not visible yet taken out, 200 snapshots rebuilt", "all 13,800 values are the same",
			"1,000 events from the future planted", "assumed constant: accounts.country, contracts.seq."}, "Something leaks"},
		"failed": {proofs(&features.Leak{Feature: "logins_30d", Snapshot: "2026-01-31", Was: "3", Got: "4"}), []string{
			`<h2 id="leaks">Something leaks from the future</h2>`, `<td class="off">7 of 20,600 values differ`, "logins_30d", "No fact is exempt."}, "Nothing leaks"},
	} {
		r.Leaks = test.leaks
		page := render(t, r)
		for _, want := range test.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not on the page", name, want)
			}
		}
		if strings.Contains(page, test.unsaid) {
			t.Errorf("%s: the page says %q", name, test.unsaid)
		}
	}
}

// The size does not depend on rows: 80,000 make the page of 1,600.
func TestPageSize(t *testing.T) {
	small := render(t, backtest(t, drawn(200, 8), options(), candidate("ours", "", line{-2, 1})))
	large := render(t, backtest(t, drawn(10_000, 8), options(), candidate("ours", "", line{-2, 1})))
	if len(large) > 1_000_000 || len(large) > len(small)+5000 {
		t.Errorf("%d bytes for 80,000 rows, %d for 1,600", len(large), len(small))
	}
}

// Ticks are round numbers that enclose the range.
func TestScale(t *testing.T) {
	for _, test := range []struct {
		from, to float64
		want     []float64
	}{
		{0, 1, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{0.13, 0.27, []float64{0.1, 0.15, 0.2, 0.25, 0.3}},
		{0, 0.0784, []float64{0, 0.02, 0.04, 0.06, 0.08}},
		{0.5, 0.5, []float64{0.44, 0.46, 0.48, 0.5, 0.52, 0.54, 0.56}},
	} {
		s := scale{from: test.from, to: test.to, low: 0, high: 100}
		ticks := s.round(5)
		if len(ticks) != len(test.want) {
			t.Errorf("%v to %v: %v, want %v", test.from, test.to, ticks, test.want)
			continue
		}
		for i := range ticks {
			if math.Abs(ticks[i]-test.want[i]) > 1e-12 {
				t.Errorf("%v to %v: %v, want %v", test.from, test.to, ticks, test.want)
			}
		}
		if s.at(ticks[0]) != 0 || math.Abs(s.at(ticks[len(ticks)-1])-100) > 1e-9 {
			t.Errorf("%v to %v: ends at %v and %v", test.from, test.to, s.at(ticks[0]),
				s.at(ticks[len(ticks)-1]))
		}
	}
}
