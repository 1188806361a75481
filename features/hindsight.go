// SPDX-License-Identifier: Apache-2.0

package features

import (
	"context"

	"github.com/holdfast-churn/holdfast/data"
)

// BuildHindsight makes the frame that a join with the latest values would make:
// the rows are those of Build, but the features of each are looked at from a
// later instant than its snapshot. It breaks the point-in-time rule on purpose,
// to show by how much that flatters a model (METHODS.md section 8). Nothing
// may be trained on it for use.
func BuildHindsight(ctx context.Context, h *data.History, spec *Spec, o Options, from func(*Row) int64) (*Frame, error) {
	o.lookFrom = from
	b, err := Build(ctx, h, spec, o)
	if err != nil {
		return nil, err
	}
	return b.Frame, nil
}

// lookFrom moves the instants that features are looked at from, but not the
// rows; nil leaves them where they are: at the snapshots.
func (l *listing) lookFrom(from func(*Row) int64) {
	if from == nil {
		return
	}
	for i := range l.rows {
		l.snaps[i].t = max(l.snaps[i].t, from(&l.rows[i]))
	}
}
