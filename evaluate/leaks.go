// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"

	"github.com/holdfast-churn/holdfast/features"
)

// Leaks is what came of trying to show that features or fits know something of
// the future (METHODS.md section 8). A part that is nil was not tried.
type Leaks struct {
	Features  *features.Proof `json:"features"`
	Shuffled  *Shuffled       `json:"labels_shuffled,omitempty"`
	Hindsight *Hindsight      `json:"hindsight,omitempty"`
}

// Failure says which proof failed, and where; it is empty where all that were
// tried hold. Hindsight proves nothing and cannot fail: it shows what a leak
// would have looked like.
func (l *Leaks) Failure() string {
	if l.Features != nil {
		if t := l.Features.Leaked(); t != nil {
			return fmt.Sprintf("features know something of the future: %s of %s values differ when it is %s; the first: %s",
				Count(t.Leaks), Count(t.Values), t.Name, t.First)
		}
	}
	if s := l.Shuffled; s != nil && s.AUC.Low > 0.5 {
		return fmt.Sprintf("the recipe ranks outcomes that were shuffled: %s; rows that are tested must have had a part in the fit", s.figures())
	}
	return ""
}

// Proved says in a sentence what was shown, where nothing failed.
func (l *Leaks) Proved() string {
	switch {
	case l.Features == nil || l.Features.Empty():
		return "Nothing was proved: there was no snapshot to look at."
	case l.Shuffled != nil && l.Shuffled.AUC.Low.Defined():
		return "Nothing leaks from the future, neither into features nor into fits."
	}
	return "No feature shows anything of what came after its snapshot. Whether fits do is tried by holdfast check --leaks."
}

// Title says what was found in a few words.
func (l *Leaks) Title() string {
	switch {
	case l.Failure() != "":
		return "Something leaks from the future"
	case l.Features == nil || l.Features.Empty():
		return "Leaks from the future: nothing was proved"
	}
	return "Nothing leaks from the future"
}

// A LeakLine is one line of the table of proofs.
type LeakLine struct {
	Name   string
	Did    string // what was done
	Result string
	Failed bool
}

// trialWords says what each trial did, given the rows and snapshots.
var trialWords = map[string]string{
	features.Truncated: "%s rows and values that were not visible yet taken out, %s snapshots rebuilt",
	features.Perturbed: "%s rows and values of the future made up anew or added, %s snapshots rebuilt",
	features.Canary:    "%s events from the future planted, %s snapshots rebuilt",
}

// Lines tells all that was tried.
func (l *Leaks) Lines() []LeakLine {
	lines := []LeakLine{}
	if l.Features != nil {
		for i := range l.Features.Trials {
			t := &l.Features.Trials[i]
			line := LeakLine{Name: t.Name, Did: fmt.Sprintf(trialWords[t.Name], Count(t.Rows), Count(l.Features.Snapshots)),
				Result: fmt.Sprintf("all %s values are the same to the last bit", Count(t.Values))}
			switch {
			case t.Values == 0:
				line.Result = "nothing to compare"
			case t.Leaks > 0:
				line.Failed, line.Result = true, fmt.Sprintf("%s of %s values differ; the first: %s", Count(t.Leaks), Count(t.Values), t.First)
			}
			lines = append(lines, line)
		}
	}
	if s := l.Shuffled; s != nil {
		lines = append(lines, s.line())
	}
	if h := l.Hindsight; h != nil {
		lines = append(lines, h.lines()...)
	}
	return lines
}
