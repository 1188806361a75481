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
	mu          sync.Mutex
	w           io.Writer
	what        string
	done, total int // total 0: nobody knows
	started     time.Time
	shown       bool
	stop        chan struct{} // closed to end the drawing; nil while nothing is drawn
}

// A step that takes no longer than quietFor says nothing; later the line is
// drawn anew every redraw.
const (
	quietFor = 500 * time.Millisecond
	redraw   = 200 * time.Millisecond
)

// begin names the step that starts now.
func (p *progress) begin(what string) { p.step(what, 0, 0) }

// step says how far the current step is.
func (p *progress) step(what string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w == nil {
		return
	}
	if what != p.what {
		p.what, p.started = what, time.Now()
	}
	p.done, p.total = done, total
	if p.stop == nil {
		p.stop = make(chan struct{})
		go p.draw(p.stop)
	}
}

// draw redraws the line until stop is closed.
func (p *progress) draw(stop chan struct{}) {
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			p.mu.Lock()
			if took := time.Since(p.started); p.stop == stop && took > quietFor {
				p.shown = true
				fmt.Fprintf(p.w, "\r\x1b[K%s%s, %.0f s%s", p.what, p.share(), took.Seconds(), p.left(took))
			}
			p.mu.Unlock()
		}
	}
}

func (p *progress) share() string {
	if p.total == 0 {
		return ""
	}
	return fmt.Sprintf(": %d of %d", p.done, p.total)
}

// left estimates the time that the rest of the step takes, at its pace so far.
// A little of it has to be done, and the estimate has to be worth reading.
func (p *progress) left(took time.Duration) string {
	if p.total == 0 || p.done == 0 || p.done >= p.total {
		return ""
	}
	left := time.Duration(float64(took) / float64(p.done) * float64(p.total-p.done))
	if left < 2*time.Second {
		return ""
	}
	return fmt.Sprintf(", about %v left", left.Round(time.Second))
}

// end clears the line. A later step starts a new one.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	if p.stop != nil {
		close(p.stop)
	}
	p.what, p.shown, p.stop = "", false, nil
}
