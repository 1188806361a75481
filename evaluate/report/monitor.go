// SPDX-License-Identifier: Apache-2.0

package report

import (
	_ "embed" // for monitor.html
	"fmt"
	"html/template"
	"io"
	"math"

	"github.com/holdfast-churn/holdfast/evaluate"
)

//go:embed monitor.html
var monitorSource string

var monitorTemplate = parsed("monitor", monitorSource, nil)

// mostWatched is how many shifts of features the page shows.
const mostWatched = 30

// WriteMonitorHTML writes a Monitor as one page that needs nothing else.
func WriteMonitorHTML(w io.Writer, m *evaluate.Monitor) error {
	p := struct {
		*evaluate.Monitor
		Policy  string
		Style   template.CSS
		Shifted []evaluate.Shift
		Hidden  int
		Picture template.HTML
		Signs   []series
	}{Monitor: m, Policy: policy(), Style: template.CSS(style)}
	p.Shifted = append([]evaluate.Shift{m.Score}, m.Features[:min(len(m.Features), mostWatched)]...)
	p.Hidden = max(0, len(m.Features)-mostWatched)
	if len(m.Months) > 0 {
		realised, expected := series{Name: "realised", Class: "s0"}, series{Name: "expected", Class: "observed", Marker: 1}
		var names []string
		for _, at := range m.Months {
			names = append(names, at.Month)
			realised.Values = append(realised.Values, float64(at.LogLoss))
			expected.Values = append(expected.Values, float64(at.Expected))
		}
		p.Signs = []series{realised, expected}
		plot := overOrigins{Label: "log loss", Origins: names, Series: p.Signs, Guide: math.NaN(), Joined: true,
			Format: func(v float64) string { return fmt.Sprintf("%.3f", v) },
			Alt:    "Log loss by due month, realised and expected. The table below has every value."}
		p.Picture = plot.draw()
	}
	return monitorTemplate.Execute(w, p)
}
