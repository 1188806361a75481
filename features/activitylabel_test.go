// SPDX-License-Identifier: Apache-2.0

package features

import (
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

// The horizon is [t, end): an event at t itself keeps an account, one at end
// does not, and one before t has nothing to do with it.
func TestActivityLabelAtItsEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		at   int64
		want label
	}{
		{"before", 99, label{1, 207}},
		{"at the snapshot", 100, label{0, 207}},
		{"the last instant", 199, label{0, 207}},
		{"at the end", 200, label{1, 207}},
	} {
		events := []data.Event{{Time: c.at, Known: c.at}}
		if got := activityLabel(events, 100, 200, 7, 300); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := activityLabel([]data.Event{{Time: 150, Known: 400}}, 100, 200, 7, 300); got != (label{0, 400}) {
		t.Errorf("an event that was known late: %+v", got)
	}
	if got := activityLabel(nil, 100, 200, 7, 199); got != (label{Unknown, Never}) {
		t.Errorf("before the data reach the end: %+v", got)
	}
}
