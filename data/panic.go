// SPDX-License-Identifier: Apache-2.0

package data

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// A PanicError is a panic of this program as an error: a mistake in it, and not
// in the data.
type PanicError struct {
	Value any
	Place string // file and line of the panic, then of its callers, as far as they are the program's own
}

func (e *PanicError) Error() string {
	return strings.Join(strings.Fields(fmt.Sprint(e.Value)), " ") + " at " + e.Place
}

// Caught calls f and returns its error, or its panic as a *PanicError. A
// goroutine calls through it whatever reads data: a panic there ends the whole
// process, which whoever waits for the goroutine cannot prevent.
func Caught(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = panicError(r)
		}
	}()
	return f()
}

// Together calls work(0) … work(n−1) side by side, the first in the caller's
// goroutine, and returns when all have ended. A panic of any is raised in the
// caller, as a *PanicError with its own place.
func Together(n int, work func(worker int)) {
	var wg sync.WaitGroup
	var panicked atomic.Pointer[PanicError]
	guarded := func(i int) {
		defer func() {
			if r := recover(); r != nil {
				panicked.CompareAndSwap(nil, panicError(r))
			}
		}()
		work(i)
	}
	for i := 1; i < n; i++ {
		wg.Go(func() { guarded(i) })
	}
	guarded(0)
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(p)
	}
}

// panicError returns a recovered panic with its place. One that was caught and
// raised again keeps the place where it happened.
func panicError(recovered any) *PanicError {
	if p, ok := recovered.(*PanicError); ok {
		return p
	}
	var places []string
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, module) && filepath.Base(f.File) != "panic.go" {
			places = append(places, fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line))
		}
		if !more {
			return &PanicError{Value: recovered, Place: strings.Join(places, ", ")}
		}
	}
}

// module begins the names of the program's own functions.
const module = "github.com/holdfast-churn/holdfast"
