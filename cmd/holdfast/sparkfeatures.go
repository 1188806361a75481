// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/features"
)

// A frameRequest is what features is asked for.
type frameRequest struct {
	asOf, maxAge   string
	output, format string
}

// sparkFeatures writes the frame as features does, but for who works on it.
func (a *app) sparkFeatures(ctx context.Context, e *engineFlags, r frameRequest) (err error) {
	j, err := a.openSpark(ctx, e, r.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	var t time.Time
	if r.asOf != "" {
		if t, err = j.asOf(r.asOf, r.maxAge); err != nil {
			return err
		}
	}
	empty, err := j.without(nil)
	if err != nil {
		return err
	}
	none, err := features.Build(ctx, empty, &j.spec, features.Options{AsOf: t})
	if err != nil {
		return j.placed(err)
	}
	shape := none.Frame.Table(j.sources.Location)
	folder, err := j.write(ctx, "features", j.task(t), shape)
	if err != nil {
		return err
	}
	var sum trailer
	merge := func(atATime int, each func(*data.Table) error) (err error) {
		a.progress.begin("writing " + r.output)
		if sum, err = mergeParts(a.fsys, folder, shape, j.records, atATime, each); err == nil && sum.Rows == 0 && t.IsZero() {
			err = dataError("%s", j.built(&sum).Explain())
		}
		return err
	}
	if r.output == "-" || ext(r.output) == ".arrow" { // where pieces would show
		err = merge(allRows, func(whole *data.Table) error { return a.writeTable(r.output, r.format, whole) })
	} else {
		err = a.writePieces(r.output, r.format, func(w data.TableWriter) error { return merge(pieceRows, w.Append) })
	}
	if err != nil {
		return err
	}
	if sum.Rows == 0 {
		a.warn("no account is at risk at %s; %s is empty", r.asOf, r.output)
	}
	return a.showFeatures(r.output, sum.Rows, len(j.spec.Features), j.built(&sum).Left)
}

// built returns what a build would say of the snapshots that workers looked at.
func (j *sparkJob) built(sum *trailer) *features.Built {
	b := &features.Built{Terms: len(j.history.Contracts), Left: features.Counts(sum.Left, sum.Rows)}
	if j.spec.Outcome.Mode == features.Activity {
		b.Terms = len(j.history.Accounts)
	}
	return b
}
