// SPDX-License-Identifier: Apache-2.0

package train

import (
	"sync/atomic"

	"github.com/holdfast-churn/holdfast/data"
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
	data.Together(workers, func(int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			work(i)
		}
	})
}
