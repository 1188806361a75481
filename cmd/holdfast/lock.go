// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/holdfast-churn/holdfast/data"
	"github.com/holdfast-churn/holdfast/predict/registry"
)

// lockWait is how long a change of the registry waits for another one: changes
// take milliseconds, but what is to be published may have taken minutes.
const lockWait = 10 * time.Second

// holder says who this process is, for those whom its locks keep waiting.
func holder(command string) data.Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return data.Holder{PID: os.Getpid(), Host: host, Command: command, Since: time.Now().UTC().Truncate(time.Second)}
}

// changing calls change with a project's registry until no other writer is in
// the way, or it has taken too long.
func (a *app) changing(ctx context.Context, p *project, change func(r *registry.Registry) error) error {
	r := p.registry
	r.Writer = func() data.Holder { return holder(a.command) }
	r.BreakLock = a.breakLock
	for start := time.Now(); ; {
		err := change(&r)
		var locked *data.LockedError
		if !errors.As(err, &locked) || locked.Left || time.Since(start) > lockWait {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
