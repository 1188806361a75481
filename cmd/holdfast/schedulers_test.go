// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The README's examples for schedulers call holdfast with flags that it knows.
// The YAML one can be read; the units pass systemd-analyze verify and the DAG
// compiles, which this test cannot see everywhere.
func TestReadmeSchedulers(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, appendix, ok := strings.Cut(string(text), "## Appendix: schedulers")
	if !ok {
		t.Fatal("the README has no appendix on schedulers")
	}
	calls := regexp.MustCompile(`holdfast (-C .* run .*)`).FindAllStringSubmatch(appendix, -1)
	if len(calls) != 4 {
		t.Fatalf("found %d calls, want one each of cron, systemd, Kubernetes and Airflow", len(calls))
	}
	for _, c := range calls {
		line := regexp.MustCompile(`"\$+\(date [^)]*\)"|\{\{.*?\}\}`).ReplaceAllString(c[1], "2026-01-31")
		line, _, _ = strings.Cut(line, " >>")
		line = strings.TrimRight(line, `'",]`)
		var out, errs bytes.Buffer
		if code := run(context.Background(), append(strings.Fields(line), "--help"), &out, &errs); code != 0 {
			t.Errorf("%s: exit %d: %s", line, code, &errs)
		}
	}
	_, block, _ := strings.Cut(appendix, "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	var job struct {
		Kind string `yaml:"kind"`
		Spec struct {
			Schedule          string `yaml:"schedule"`
			ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal([]byte(block), &job); err != nil || job.Kind != "CronJob" || job.Spec.Schedule == "" || job.Spec.ConcurrencyPolicy != "Forbid" {
		t.Errorf("%+v, %v", job, err)
	}
}
