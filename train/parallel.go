// SPDX-License-Identifier: Apache-2.0

package train

import (
	"sync"
	"sync/atomic"
)

// parallel calls work(0) … work(n−1) from up to workers goroutines and returns
// when all have ended. Which goroutine takes which index is left open, so work
// may write only to places of its index; callers then reduce in index order,
// and the result does not depend on the number of workers. A panic in work is
// raised in the caller, who may recover it.
func parallel(workers, n int, work func(i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	var once sync.Once
	var panicked any
	for range workers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					once.Do(func() { panicked = p })
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wg.Wait()
	if panicked != nil {
		panic(panicked)
	}
}
