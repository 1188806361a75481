// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/evaluate"
	"github.com/holdfast-churn/holdfast/features"
)

// suspectFindings names the features of a frame that rank the outcome too well
// to be honest. One that must hold the outcome itself is fatal.
func suspectFindings(f *features.Frame) []data.Finding {
	var out []data.Finding
	for _, s := range evaluate.Suspects(f) {
		finding := data.Finding{Severity: data.Warning, Check: "leak_suspect", Subject: s.Feature, Message: fmt.Sprintf(
			"alone it ranks churn with an AUC of %.3f; make sure that it was known before the outcome", s.AUC)}
		if s.Copies {
			finding.Severity = data.Fatal
			finding.Message = fmt.Sprintf("alone it ranks churn with an AUC of %.3f, so it must hold the outcome itself; leave it out "+
				"(of attributes or features, or with --drop)", s.AUC)
		}
		out = append(out, finding)
	}
	return out
}

// refuseLeaks warns of suspects, and returns them, and refuses what must hold
// the outcome.
func (a *app) refuseLeaks(f *features.Frame) ([]data.Finding, error) {
	findings := suspectFindings(f)
	for _, s := range findings {
		if s.Severity == data.Fatal {
			return nil, dataError("feature %q: %s", s.Subject, s.Message)
		}
		a.warn("feature %q: %s", s.Subject, s.Message)
	}
	return findings, nil
}
