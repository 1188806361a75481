// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-churn/holdfast/data"
)

const lastSuccess = "holdfast_run_last_success_timestamp_seconds"

// writeMetrics writes what a run did, nil if it failed, for Prometheus's
// textfile collector. A failed run keeps the time of the last success.
func (a *app) writeMetrics(name string, r *runDone, code int, now time.Time) error {
	var b strings.Builder
	gauge := func(name, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name) }
	gauge("holdfast_run_exit_code", "exit code of the last run; 0 is success")
	fmt.Fprintf(&b, "holdfast_run_exit_code %d\n", code)
	success := a.oldSuccess(name)
	if r != nil && code == exitOK {
		success = fmt.Sprintf("%s %d", lastSuccess, now.Unix())
	}
	if success != "" {
		gauge(lastSuccess, "when a run last ended well")
		b.WriteString(success + "\n")
	}
	if r != nil {
		gauge("holdfast_run_as_of_timestamp_seconds", "date of the run, in UTC")
		day, err := time.Parse(time.DateOnly, r.AsOf)
		if err != nil {
			return fmt.Errorf("writing metrics: %w", err)
		}
		fmt.Fprintf(&b, "holdfast_run_as_of_timestamp_seconds %d\n", day.Unix())
		gauge("holdfast_run_duration_seconds", "wall time of the run that made the scores")
		fmt.Fprintf(&b, "holdfast_run_duration_seconds %g\n", r.Timings.Total)
		gauge("holdfast_scores", "rows of scores.parquet by status")
		for _, k := range slices.Sorted(maps.Keys(r.Counts.Status)) {
			fmt.Fprintf(&b, "holdfast_scores{status=%q} %d\n", k, r.Counts.Status[k])
		}
		gauge("holdfast_tier_accounts", "scored rows by tier")
		for _, k := range slices.Sorted(maps.Keys(r.Counts.Tiers)) {
			fmt.Fprintf(&b, "holdfast_tier_accounts{tier=%q} %d\n", k, r.Counts.Tiers[k])
		}
		gauge("holdfast_value_at_risk", "sum of value times probability of churn")
		for _, k := range r.Counts.Money {
			fmt.Fprintf(&b, "holdfast_value_at_risk{currency=%q} %g\n", k.Currency, k.AtRisk)
		}
		gauge("holdfast_changes", "accounts newly below 40 or newly at risk")
		fmt.Fprintf(&b, "holdfast_changes %d\n", r.Counts.Changes)
		if r.Monitor != nil {
			gauge("holdfast_run_alarms", "alarms of the monitor: the model no longer fits what it sees")
			fmt.Fprintf(&b, "holdfast_run_alarms %d\n", len(r.Monitor.Alarms))
		}
		if r.Retrain != nil {
			gauge("holdfast_retrain", "what the retraining decided")
			fmt.Fprintf(&b, "holdfast_retrain{decision=%q} 1\n", r.Retrain.Decision)
		}
		gauge("holdfast_model_info", "the model that scored")
		fmt.Fprintf(&b, "holdfast_model_info{model_id=%q} 1\n", r.ModelID)
	}
	return data.WriteBytes(a.fsys, name, []byte(b.String()))
}

// oldSuccess returns the line of the last success in a metrics file, if any.
func (a *app) oldSuccess(name string) string {
	f, err := a.fsys.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, lastSuccess+" ") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// exitCodeOf is the exit code that an error will have, signals included.
func exitCodeOf(ctx context.Context, err error) int {
	var stopped *interruptError
	if err != nil && errors.As(context.Cause(ctx), &stopped) {
		err = stopped
	}
	return exitCode(err)
}
