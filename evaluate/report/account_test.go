// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/holdfast-churn/holdfast/predict"
)

// The drawing of an account is one well-formed file, names are escaped, and bars
// follow each other from the base rate to the account.
func TestWriteAccountSVG(t *testing.T) {
	a := &Account{Title: "a<b> & co as of 2026-07-01", Lead: "health 31", Trend: []TrendPoint{{"2026-06-01", 30, 55}, {"2026-06-24", 7, math.NaN()}, {"2026-07-01", 0, 31}},
		Waterfall: predict.Waterfall{Base: -2, Average: -.1, Z: -.9, Map: .2, Pillars: []predict.WaterfallPillar{
			{Name: "sentiment", Effect: 1.4, Features: []predict.WaterfallStep{{Label: "tickets", Value: "9", Effect: 1.5}, {Label: "nps", Value: "not known", Effect: -.1}}},
			{Name: "roi", Effect: -.4, Features: []predict.WaterfallStep{{Label: "value", Value: "2", Effect: -.4}}}}}}
	steps := accountSteps(&a.Waterfall)
	at := a.Waterfall.Base
	for _, s := range steps {
		if s.part {
			continue
		}
		if math.Abs(s.from-at) > 1e-12 {
			t.Errorf("%s begins at %v, the one before ended at %v", s.label, s.from, at)
		}
		at = s.to
	}
	if math.Abs(at-a.Waterfall.Z) > 1e-12 || len(steps) != 7 {
		t.Errorf("%d steps end at %v", len(steps), at)
	}
	var b bytes.Buffer
	if err := WriteAccountSVG(&b, a); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.HasPrefix(text, `<svg xmlns="http://www.w3.org/2000/svg" viewBox=`) || strings.Contains(text, "<b>") || strings.Contains(text, "NaN") ||
		strings.Count(text, `class="risk`) != 3 || strings.Count(text, `class="helps`) != 4 || strings.Count(text, `class="dot"`) != 2 {
		t.Errorf("%s", text)
	}
	for d := xml.NewDecoder(&b); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
