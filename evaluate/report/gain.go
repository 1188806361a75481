// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"

	"github.com/holdfast-churn/holdfast/evaluate"
)

// gainFigure draws, for every candidate, the share of churn found among the rows
// with the highest p.
func gainFigure(r *evaluate.Report, s *evaluate.Scores) *figure {
	f := &figure{Title: "Gain: churn found by working on the top of the list", File: "gain",
		Note: fmt.Sprintf("Above the dotted line is better than chance; the upright line is your capacity of %s.", r.Design.Capacity.Percent())}
	const foot = plotTop + 250
	x := scale{0, 1, plotLeft, plotWidth - plotRight}
	y := scale{0, 1, foot, plotTop}
	c := newCanvas(plotWidth, foot+plotBottom, "")
	quarter := []float64{0, 0.25, 0.5, 0.75, 1}
	c.yAxis(x, y, quarter, share(1), "share of churn found")
	for _, v := range quarter {
		c.text("middle", x.at(v), foot+16, share(1)(v))
	}
	c.line("guide", x.at(0), y.at(0), x.at(1), y.at(1))
	c.line("axis", x.at(float64(r.Design.Capacity)), y.at(0), x.at(float64(r.Design.Capacity)), y.at(1))
	var names []string
	var shares, found []evaluate.Number
	others := 0
	var lines []func()
	for i := range r.Candidates {
		k := &r.Candidates[i]
		if k.Pooled == nil || k.Name == evaluate.BaseRateName || !k.Pooled.Rate.Defined() || k.Pooled.Rate == 0 {
			continue
		}
		sign := series{Name: k.Name, Class: fmt.Sprintf("s%d", others%7), Marker: []int{0, 2, 3}[others%3]}
		others++
		rows, total := 0, 0
		for _, d := range k.Deciles {
			total += d.Rows
		}
		xs, ys := []float64{x.at(0)}, []float64{y.at(0)}
		for _, d := range k.Deciles {
			rows += d.Rows
			at := float64(rows) / float64(total)
			xs, ys = append(xs, x.at(at)), append(ys, y.at(float64(d.Captured)))
			names, shares, found = append(names, k.Name), append(shares, evaluate.Number(at)), append(found, d.Captured)
		}
		f.Signs = append(f.Signs, sign)
		lines = append(lines, func() {
			c.path("curve "+sign.Class, xs, ys)
			for p := 1; p < len(xs)-1; p++ {
				c.marker("mark "+sign.Class, sign.Marker, xs[p], ys[p])
			}
		})
	}
	for k := len(lines) - 1; k >= 0; k-- { // the subject lies on top
		lines[k]()
	}
	c.xLabel(x, foot+31, "share of rows, highest p first")
	f.Picture = c.describe(fmt.Sprintf("%s. %s finds %s of all churn in the top %s.", f.Title, s.Name, s.Pooled.Recall.Percent(), r.Design.Capacity.Percent()))
	f.Columns = []figureColumn{texts("candidate", names), numbers("share_of_rows", inPercent, shares), numbers("share_of_churn", inPercent, found)}
	return f
}

// liftFigure draws the lift of each decile of the subject.
func liftFigure(s *evaluate.Scores) *figure {
	if len(s.Deciles) == 0 || !s.Deciles[0].Lift.Defined() {
		return nil
	}
	f := &figure{Title: "Lift: the top deciles churn more than average, the last ones less", File: "lift",
		Note: fmt.Sprintf("%s; the dotted line is the average.", s.Name)}
	const foot = plotTop + 180
	x := scale{0, float64(len(s.Deciles)), plotLeft, plotWidth - plotRight}
	y := scale{from: 0, to: 1, low: foot, high: plotTop}
	var names []string
	var lifts, rates []evaluate.Number
	for _, d := range s.Deciles {
		y.to = max(y.to, float64(d.Lift))
		names = append(names, fmt.Sprint(d.Decile))
		lifts, rates = append(lifts, d.Lift), append(rates, d.Rate)
	}
	ticks := y.round(4)
	c := newCanvas(plotWidth, foot+plotBottom, "")
	c.yAxis(x, y, ticks, func(v float64) string { return fmt.Sprintf("%.3g", v) }, "times the average")
	for k, v := range lifts {
		left, right := x.at(float64(k)), x.at(float64(k+1))
		c.rect("bar s0", left+2, y.at(float64(v)), right-left-4, y.low-y.at(float64(v)))
		c.text("middle", (left+right)/2, foot+16, names[k])
	}
	c.line("guide", x.low, y.at(1), x.high, y.at(1))
	c.line("axis", x.low, foot, x.high, foot)
	c.xLabel(x, foot+31, "decile, 1 holds the highest p")
	f.Picture = c.describe(fmt.Sprintf("%s. The first decile has %s, the last %s.", f.Title, lifts[0].Fixed(2), lifts[len(lifts)-1].Fixed(2)))
	f.Columns = []figureColumn{texts("decile", names), numbers("lift", twoDigits, lifts), numbers("observed", inPercent, rates)}
	return f
}

// outcomeFigure draws where churned and other rows lie on the scale of p, each as
// shares of their own number: churned ones upwards, the others downwards.
func outcomeFigure(r *evaluate.Report, s *evaluate.Scores) *figure {
	b, h := r.ByOutcome, s.Histogram
	if b == nil || h == nil {
		return nil
	}
	f := &figure{Title: "The further apart both shapes, the better accounts are told apart", File: "scores_by_outcome",
		Note:  "Upwards rows that churned, downwards rows that stayed, each as shares of their own number.",
		Signs: []series{{Name: "churned", Class: "s1", Marker: 1}, {Name: "stayed", Class: "s0", Marker: 1}}}
	const middle, tall, height = plotTop + 120, 110, plotTop + 270
	to := float64(h.Width) * float64(len(h.Rows))
	x := scale{0, to, plotLeft, plotWidth - plotRight}
	shares := func(n []int) (out []evaluate.Number) {
		total := 0
		for _, v := range n {
			total += v
		}
		for _, v := range n {
			out = append(out, evaluate.Number(float64(v)/float64(max(total, 1))))
		}
		return out
	}
	churned, stayed := shares(b.Churned), shares(b.Stayed)
	most := evaluate.Number(0.01)
	for k := range churned {
		most = max(most, churned[k], stayed[k])
	}
	c := newCanvas(plotWidth, height, "")
	var names []string
	for k := range churned {
		if k == len(h.Rows) {
			names = append(names, "from "+evaluate.Number(to).Percent())
			break
		}
		names = append(names, "from "+(h.Width*evaluate.Number(k)).Percent())
		left, right := x.at(float64(h.Width)*float64(k)), x.at(float64(h.Width)*float64(k+1))
		up, down := tall*float64(churned[k]/most), tall*float64(stayed[k]/most)
		c.rect("bar s1", left+0.5, middle-up, right-left-1, up)
		c.rect("bar s0", left+0.5, middle, right-left-1, down)
	}
	c.line("axis", x.low, middle, x.high, middle)
	c.text("start", 2, plotTop-12, fmt.Sprintf("the longest bar is %s", most.Percent()))
	for _, v := range []float64{0, to / 4, to / 2, 3 * to / 4, to} {
		c.text("middle", min(x.at(v), plotWidth-20), middle+tall+18, share(to)(v))
	}
	c.xLabel(x, middle+tall+34, "predicted probability of churn")
	f.Picture = c.describe(f.Title + ". The table below has every value.")
	f.Columns = []figureColumn{texts("p", names), numbers("share_of_churned", inPercent, churned), numbers("share_of_stayed", inPercent, stayed)}
	return f
}

// sliceFigure draws observed to expected churn on every slice.
func sliceFigure(r *evaluate.Report, s *evaluate.Scores) *figure {
	f := &figure{Title: "Calibrated everywhere: each bar should cross the line at 1", File: "slices",
		Note: "By lead, segment and kind of account: observed over expected churn with its 90 % interval by account; to the right of the line more churned than predicted."}
	const label, row, right = 176, 22, plotWidth - plotRight
	type entry struct {
		kind, name string
		oe         evaluate.Interval
	}
	var entries []entry
	var kinds, names []string
	var rows, churned, rate, meanP, oe, low, high, loss, gain, auc, accuracy, majority, skill []evaluate.Number
	for i := range r.Slices {
		a := &r.Slices[i]
		for _, v := range a.Scores {
			if v.Candidate != s.Name {
				continue
			}
			kinds, names = append(kinds, a.Kind), append(names, a.Name)
			rows, churned = append(rows, evaluate.Number(a.Rows)), append(churned, evaluate.Number(a.Churned))
			rate, meanP = append(rate, a.Rate), append(meanP, v.MeanP)
			oe, low, high = append(oe, v.OE.Estimate), append(low, v.OE.Low), append(high, v.OE.High)
			loss, gain, auc = append(loss, v.LogLoss), append(gain, v.VersusBase.Estimate), append(auc, v.AUC)
			accuracy, majority, skill = append(accuracy, v.Accuracy.Accuracy), append(majority, v.Accuracy.Majority), append(skill, v.Accuracy.Skill)
			if a.Kind != evaluate.ByInvoluntary { // chosen by their outcome: not to be compared with p
				entries = append(entries, entry{a.Kind, a.Name, v.OE})
			}
		}
	}
	if len(entries) == 0 {
		return nil
	}
	x := scale{from: 0.5, to: 1.5, low: label, high: right}
	for _, e := range entries {
		if v := float64(e.oe.Low); v > 0 {
			x.from = max(0, min(x.from, v))
		}
		if v := float64(e.oe.High); v < 4 {
			x.to = max(x.to, v)
		}
	}
	ticks := x.round(4)
	lines := 0
	for k := range entries {
		if lines++; k == 0 || entries[k].kind != entries[k-1].kind {
			lines++
		}
	}
	foot := float64(10 + row*lines)
	c := newCanvas(plotWidth, foot+plotBottom, "")
	for _, v := range ticks {
		c.line("grid", x.at(v), 6, x.at(v), foot)
		c.text("middle", min(x.at(v), right-8), foot+16, fmt.Sprintf("%.3g", v))
	}
	c.line("guide", x.at(1), 6, x.at(1), foot)
	at := 10.0
	for k, e := range entries {
		if k == 0 || e.kind != entries[k-1].kind {
			at += row
			c.text("start", 2, at-6, e.kind)
		}
		at += row
		c.text("start", 14, at-6, clip(e.name, 24))
		clamp := func(v evaluate.Number) float64 { return x.at(math.Min(math.Max(float64(v), x.from), x.to)) }
		if e.oe.Low.Defined() {
			c.line("whisker s0", clamp(e.oe.Low), at-10, clamp(e.oe.High), at-10)
		}
		if e.oe.Estimate.Defined() {
			c.marker("mark s0", 0, clamp(e.oe.Estimate), at-10)
		}
	}
	c.xLabel(scale{high: right}, foot+31, "observed : expected")
	f.Picture = c.describe(f.Title + ". The table below has every value.")
	f.Columns = append([]figureColumn{texts("kind", kinds), texts("slice", names), numbers("observed", inPercent, rate),
		numbers("mean_p", inPercent, meanP), numbers("observed_to_expected", twoDigits, oe), numbers("low", twoDigits, low), numbers("high", twoDigits, high)},
		onlyInFile(numbers("rows", whole, rows), numbers("churned", whole, churned), numbers("log_loss", inFull, loss),
			numbers("to_base_rate", evaluate.Number.Signed, gain), numbers("auc", inFull, auc), numbers("accuracy", inPercent, accuracy),
			numbers("majority", inPercent, majority), numbers("skill", inPercent, skill))...)
	return f
}

// clip shortens a name that would run into the drawing.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
