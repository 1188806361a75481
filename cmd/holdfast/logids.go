// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"

	"github.com/holdfast-churn/holdfast/data"
)

// What standard error says of the ids of customers. It is often a log, which
// many can read and nobody erases.
const (
	hideIDs = "hide"
	hashIDs = "hash"
	showIDs = "show"
)

// checkLogIDs settles --log-ids: without it ids are shown to a person at a
// terminal and to nobody else.
func (a *app) checkLogIDs() error {
	if a.logIDs == "" {
		a.logIDs = hideIDs
		if f, ok := a.stderr.(*os.File); ok && isTerminal(f) {
			a.logIDs = showIDs
		}
	}
	if !slices.Contains([]string{hideIDs, hashIDs, showIDs}, a.logIDs) {
		given := a.logIDs
		a.logIDs = hideIDs
		return usageError("--log-ids %q: expected hide, hash or show", given)
	}
	return nil
}

// logged returns a message as it may stand on standard error: its marked ids
// hidden, hashed to the first 12 digits of data.HashID, or shown.
func (a *app) logged(message string) string {
	text, n := data.ShowIDs(message, func(id string) string {
		switch a.logIDs {
		case showIDs:
			return quoted(id)
		case hashIDs:
			return "id-" + data.HashID(id)[:12]
		}
		return "(id hidden)"
	})
	if n > 0 && a.logIDs != showIDs && a.logIDs != hashIDs {
		text += "; --log-ids=show tells the ids, --log-ids=hash their digests"
	}
	return text
}
