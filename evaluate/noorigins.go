// SPDX-License-Identifier: Apache-2.0

package evaluate

import (
	"fmt"
	"strings"
)

// A NoOriginsError says that nothing could be tested, and counts why.
type NoOriginsError struct {
	Rows        int      // of the frame
	Known       int      // rows with a known outcome
	First, Last string   // days of the first origin and of the last snapshot with a known outcome; empty for folds
	Origins     []Origin // those that were tried, each with the reason in Skipped
}

func (e *NoOriginsError) Error() string {
	switch {
	case e.Rows == 0:
		return "nothing to test: the frame has no rows"
	case e.Known == 0:
		return fmt.Sprintf("nothing to test: 0 of %s snapshots have a known outcome", Count(e.Rows))
	case len(e.Origins) == 0:
		return fmt.Sprintf("nothing to test: the first origin %s lies after %s, the last of %s snapshots with "+
			"a known outcome: choose an earlier first origin", e.First, e.Last, Count(e.Known))
	}
	reasons, last := strings.Join(e.reasons(), ", "), &e.Origins[len(e.Origins)-1]
	if last.At.IsZero() {
		return fmt.Sprintf("nothing to test: 0 of %d folds can be used: %s; %s of %s rows have a known outcome",
			len(e.Origins), reasons, Count(e.Known), Count(e.Rows))
	}
	return fmt.Sprintf("nothing to test: 0 of %d origins from %s to %s can be used: %s; "+
		"the last origin has %s training rows, %s not mature and %s censored, of %s snapshots with a known outcome",
		len(e.Origins), e.First, e.Last, reasons,
		Count(len(last.Train)), Count(last.Purged), Count(last.Censored), Count(e.Known))
}

// reasons counts the origins by the reason for which they were skipped, in
// order of first appearance.
func (e *NoOriginsError) reasons() []string {
	var order []string
	n := map[string]int{}
	for i := range e.Origins {
		reason := e.Origins[i].Skipped
		if n[reason]++; n[reason] == 1 {
			order = append(order, reason)
		}
	}
	for i, reason := range order {
		order[i] = fmt.Sprintf("%d with %s", n[reason], reason)
	}
	return order
}
