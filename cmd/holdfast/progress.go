// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows one line on a terminal while something takes long. Without a
// writer it does nothing.
type progress struct {
	mu      sync.Mutex
	w       io.Writer
	what    string
	started time.Time
	shown   time.Time
}

// quietFor is how long a step may run before it says so.
const quietFor = 500 * time.Millisecond

// begin names the step that starts now.
func (p *progress) begin(what string, total int) { p.step(what, 0, total) }

// step says how far the current step is; total 0 means nobody knows.
func (p *progress) step(what string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w == nil {
		return
	}
	now := time.Now()
	if what != p.what {
		p.what, p.started = what, now
	}
	if now.Sub(p.started) < quietFor || now.Sub(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = now
	if total > 0 {
		fmt.Fprintf(p.w, "\r\x1b[K%s: %d of %d, %.0f s", what, done, total, now.Sub(p.started).Seconds())
	} else {
		fmt.Fprintf(p.w, "\r\x1b[K%s ...", what)
	}
}

// end clears the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w != nil && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.what, p.shown = "", time.Time{}
}
