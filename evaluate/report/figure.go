// SPDX-License-Identifier: Apache-2.0

package report

import (
	"html/template"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
)

// A figure is a drawing with the table of its values, which is also a CSV file.
type figure struct {
	Title, Note string
	Picture     template.HTML
	Signs       []series // legend; their values are not looked at
	File        string   // of the CSV file, without its extension
	Columns     []figureColumn
}

// A figureColumn holds texts, or numbers with the form in which the page shows
// them.
type figureColumn struct {
	Name    string
	texts   []string
	numbers []evaluate.Number
	format  func(evaluate.Number) string
	inFile  bool // in the CSV file only
}

func texts(name string, values []string) figureColumn {
	return figureColumn{Name: name, texts: values}
}

func numbers(name string, format func(evaluate.Number) string, values []evaluate.Number) figureColumn {
	return figureColumn{Name: name, numbers: values, format: format}
}

// onlyInFile keeps columns that the page shows elsewhere out of its table.
func onlyInFile(columns ...figureColumn) []figureColumn {
	for k := range columns {
		columns[k].inFile = true
	}
	return columns
}

// The forms of numbers in tables.
func inPercent(x evaluate.Number) string { return x.Percent() }
func twoDigits(x evaluate.Number) string { return x.Fixed(2) }
func inFull(x evaluate.Number) string    { return x.Fixed(3) }
func whole(x evaluate.Number) string     { return evaluate.Count(int(x)) }

func (c *figureColumn) text(i int) string {
	if c.numbers == nil {
		return c.texts[i]
	}
	return c.format(c.numbers[i])
}

func (f *figure) rows() int {
	if len(f.Columns) == 0 {
		return 0
	}
	return max(len(f.Columns[0].texts), len(f.Columns[0].numbers))
}

// Head returns the names of the columns of the table.
func (f *figure) Head() (names []string) {
	for _, c := range f.Columns {
		if !c.inFile {
			names = append(names, c.Name)
		}
	}
	return names
}

// Rows returns the cells of the table.
func (f *figure) Rows() [][]string {
	rows := make([][]string, f.rows())
	for i := range rows {
		for k := range f.Columns {
			if !f.Columns[k].inFile {
				rows[i] = append(rows[i], f.Columns[k].text(i))
			}
		}
	}
	return rows
}

// table returns the values as they stand in the CSV file.
func (f *figure) table() *data.Table {
	t := &data.Table{Name: f.File, Rows: f.rows()}
	for _, c := range f.Columns {
		if c.numbers == nil {
			t.Columns = append(t.Columns, data.TextOf(c.Name, t.Rows, func(i int) string { return c.texts[i] }))
		} else {
			t.Columns = append(t.Columns, data.FloatOf(c.Name, t.Rows, func(i int) float64 { return float64(c.numbers[i]) }))
		}
	}
	return t
}

// figures returns the figures of a report that has a subject to show.
func figures(r *evaluate.Report, s *evaluate.Scores) []*figure {
	var all []*figure
	if s == nil {
		return all
	}
	add := func(f *figure) {
		if f != nil && f.rows() > 0 {
			all = append(all, f)
		}
	}
	add(gainFigure(r, s))
	add(liftFigure(s))
	add(outcomeFigure(r, s))
	add(sliceFigure(r, s))
	add(revenueFigure(r))
	add(forecastFigure(r))
	add(curveFigure(r))
	return all
}
