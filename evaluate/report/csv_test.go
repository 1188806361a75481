// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

// The files hold the report's figures, one row per candidate and line.
func TestWriteCSV(t *testing.T) {
	r := backtest(t, drawn(300, 8), options(), candidate("ours", "", line{-2, 1}), failing("no model"))
	dir := t.TempDir()
	if err := WriteCSV(data.Disk{}, dir, r); err != nil {
		t.Fatal(err)
	}
	metrics := readCSV(t, dir, "metrics.csv")
	if len(metrics) != 2 || metrics[0]["candidate"] != "ours" || metrics[1]["candidate"] != "base_rate" {
		t.Fatalf("metrics of %v", metrics)
	}
	if got, err := strconv.ParseFloat(metrics[0]["log_loss"], 64); err != nil ||
		got != float64(r.Candidates[0].Pooled.LogLoss) {
		t.Errorf("log loss %q, want %v", metrics[0]["log_loss"], r.Candidates[0].Pooled.LogLoss)
	}
	if metrics[0]["log_loss_difference_low"] == "" || metrics[1]["log_loss_difference_low"] != "" {
		t.Errorf("intervals %q and %q: the base rate has none", metrics[0]["log_loss_difference_low"],
			metrics[1]["log_loss_difference_low"])
	}
	deciles := readCSV(t, dir, "deciles.csv")
	if deciles[0]["decile"] != "1" || deciles[9]["captured"] != "1" {
		t.Errorf("deciles begin with %v and end with %v", deciles[0], deciles[9])
	}
	if origins := readCSV(t, dir, "origins.csv"); len(origins) != 2*r.Design.Tested ||
		origins[0]["origin"] != r.Candidates[0].Origins[0].Origin {
		t.Errorf("%d origins of 2 candidates, %d were tested", len(origins), r.Design.Tested)
	}
}

// readCSV returns the rows of a file by column name.
func readCSV(t *testing.T, dir, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, header := range lines[0] {
			row[header] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}
