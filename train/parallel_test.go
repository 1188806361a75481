// SPDX-License-Identifier: Apache-2.0

package train

import (
	"sync/atomic"
	"testing"

	"github.com/holdfast-churn/holdfast/data"
)

// Every index is worked on once, and a panic comes out where it can be
// recovered.
func TestParallel(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		var sum atomic.Int64
		parallel(workers, 100, func(i int) { sum.Add(int64(i)) })
		if sum.Load() != 4950 {
			t.Errorf("%d workers: sum %d", workers, sum.Load())
		}
		func() {
			defer func() {
				p := recover()
				if raised, ok := p.(*data.PanicError); ok {
					p = raised.Value
				}
				if p != "at 42" {
					t.Errorf("%d workers: recovered %v", workers, p)
				}
			}()
			parallel(workers, 100, func(i int) {
				if i == 42 {
					panic("at 42")
				}
			})
		}()
	}
}
