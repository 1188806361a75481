// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-churn/holdfast/data"
)

// checkGolden is what testdata/check_golden.py counted of one history.
type checkGolden struct {
	Events   map[string]map[string]int // by type and month
	Findings map[string]any
	Labels   map[string]map[string]int // by month due and kind
	Coverage map[string]map[string]int // by feature and month of the snapshot, where not 0
}

// Events, contradictions, labels and coverage of the real histories are those
// that pandas counts from the same files.
func TestCheckCountsOfHistories(t *testing.T) {
	text, err := os.ReadFile("testdata/check_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var goldens map[string]json.RawMessage
	if err := json.Unmarshal(text, &goldens); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"oulad", "online_retail", "ravenstack"} {
		t.Run(name, func(t *testing.T) {
			l := history(t, name)
			var want checkGolden
			if err := json.Unmarshal(goldens[name], &want); err != nil {
				t.Fatal(err)
			}
			a := &app{fsys: data.Disk{}, progress: new(progress)}
			r, err := a.check(context.Background(), l, 0)
			if err != nil {
				t.Fatal(err)
			}
			events := map[string]map[string]int{}
			for _, k := range r.Survey.Types {
				events[k.Type] = sparse(r.Survey.Months, k.ByMonth)
			}
			if diff := cmp.Diff(want.Events, events); diff != "" {
				t.Error(diff)
			}
			coverage := map[string]map[string]int{"snapshots": sparse(r.Coverage.Months, r.Coverage.Snapshots)}
			for _, f := range r.Coverage.Features {
				if _, ok := want.Coverage[f.Feature]; ok {
					coverage[f.Feature] = sparse(r.Coverage.Months, f.ByMonth)
				}
			}
			if diff := cmp.Diff(want.Coverage, coverage); diff != "" {
				t.Error(diff)
			}
			labels := map[string]map[string]int{}
			for _, m := range r.Labels {
				kinds := sparse([]string{"churned", "renewed", "not_mature", "censored"}, []int{m.Churned, m.Renewed, m.NotMature, m.Censored})
				if len(kinds) > 0 {
					labels[m.Month] = kinds
				}
			}
			if diff := cmp.Diff(want.Labels, labels); diff != "" {
				t.Error(diff)
			}
			compareFindings(t, want.Findings, r.Findings)
		})
	}
}

// sparse maps names to counts that are not 0.
func sparse(names []string, counts []int) map[string]int {
	out := map[string]int{}
	for i, n := range counts {
		if n > 0 {
			out[names[i]] = n
		}
	}
	return out
}

// compareFindings compares the rows of each finding that the golden counts
// know; the one about creation dates by event type.
func compareFindings(t *testing.T, want map[string]any, findings []data.Finding) {
	t.Helper()
	got := map[string]any{"before_created": map[string]any{}}
	for check := range want {
		if check != "before_created" {
			got[check] = float64(0)
		}
	}
	for _, f := range findings {
		if f.Check == "before_created" {
			_, kind, _ := strings.Cut(f.Subject, ".")
			got[f.Check].(map[string]any)[kind] = float64(f.Rows)
		} else if _, ok := want[f.Check]; ok {
			got[f.Check] = float64(f.Rows)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 11 {
		t.Errorf("%d checks: %s", len(want), diff)
	}
}

// One or eight workers, the check is the same.
func TestCheckDoesNotDependOnWorkers(t *testing.T) {
	l := history(t, "ravenstack")
	var texts []string
	for _, workers := range []int{1, 8} {
		a := &app{fsys: data.Disk{}, progress: new(progress), workers: workers}
		r, err := a.check(context.Background(), l, 0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Error("checks differ")
	}
}

// A lockless disk has no locks.
type lockless struct{ data.Disk }

func (lockless) Lock(string) (data.LockFile, error) { return nil, errors.ErrUnsupported }

// FAULTS.md row 37: check says before anything is trained that nothing can be
// published where the project lies.
func TestCheckLocks(t *testing.T) {
	dir := smallProject(t, 120)
	for name, c := range map[string]struct {
		fsys data.FS
		said bool
	}{"a disk": {data.Disk{}, false}, "one without locks": {lockless{}, true}} {
		var out, errs bytes.Buffer
		code := runOn(context.Background(), c.fsys, []string{"-C", dir, "check"}, &out, &errs)
		if said := strings.Contains(out.String(), "this file system has no locks"); code != exitOK || said != c.said {
			t.Errorf("%s: exit %d, said %v\n%s%s", name, code, said, &out, &errs)
		}
	}
	var out, errs bytes.Buffer
	if code := runOn(context.Background(), lockless{}, []string{"-C", dir, "train"}, &out, &errs); code != exitFailure || !strings.Contains(errs.String(), "this file system has no locks") {
		t.Errorf("train: exit %d, %s", code, &errs)
	}
}
