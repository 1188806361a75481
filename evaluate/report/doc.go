// SPDX-License-Identifier: Apache-2.0

// Package report turns an evaluate.Report into pages and tables.
//
// WriteHTML (html.go, page.html, page.css) makes one self-contained page: no
// script, no reference to anything outside, a content security policy that
// forbids both, and inline SVG for the plots. Each plot (reliability.go,
// overorigins.go) stands on a scale, an axis and a handful of shapes (svg.go),
// and has its figures in a table below it. WriteCSV (csv.go) writes the same
// tables as files.
//
// WriteCheckHTML (check.go, check.html) and WriteCheckCSV do the same for an
// evaluate.DataCheck, with small multiples, stacked bars (checkplots.go) and a
// heat map (heatmap.go) under the same style sheet.
//
// The package computes nothing but positions on paper: every figure and every
// sentence comes from the report. Names, notes and messages in it may hold
// anything and are escaped.
//
//	err := report.WriteHTML(w, result.Report)
package report
