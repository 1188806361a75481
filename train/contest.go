// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/holdfast-churn/holdfast/predict"
)

// The counts and penalties that the contest tries.
var (
	pairCounts    = []int{4, 8, 14, 22}
	pairPenalties = []float64{100, 30, 3, 10} // the last one ranks the next stage's pairs
)

// A contest chooses between models of one family by grouped cross-validation,
// from few columns to many: linear terms, spline terms, pairs, tables. The
// whole selection is repeated without each fold, so that its luck is paid for.
type contest struct {
	s       *sample
	workers int
	mains   *part
	base    *matrix // intercept and mains
	pairing *pairing
	folds   []int
	fits    []*ridge // of the mains, one a fold
	groups  []int32
	mu      sync.Mutex
	bins    map[string]*binning
}

// A contestant is a model with its out-of-fold log-odds.
type contestant struct {
	name string
	penalties
	curves bool
	pairs  int
	shape  *treeShape
	rules  int
	z      []float64
	loss   float64
}

func newContest(s *sample, terms []predict.Term, workers int) *contest {
	c := &contest{s: s, workers: workers, bins: make(map[string]*binning)}
	c.mains = termsPart(s, withCurves(s, terms, workers))
	c.base = newMatrix(s, workers).with(c.mains.block)
	c.groups, _ = groupsOf(s.frame.Rows)
	for k := range s.folds() {
		if s.starts[k] < s.starts[k+1] {
			c.folds = append(c.folds, k)
		}
	}
	return c
}

func (c *contest) binning(shape *treeShape) *binning {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bins[shape.name]
	if b == nil {
		b = newBinning(c.s, c.mains.terms, shape.width)
		c.bins[shape.name] = b
	}
	return b
}

// score sets the contestant's loss from its out-of-fold log-odds.
func (c *contest) score(x *contestant) {
	x.loss = 0
	for i, z := range x.z {
		x.loss += c.rowLoss(i, z)
	}
	x.loss /= c.s.total
}

func (c *contest) rowLoss(i int, z float64) float64 {
	return float64(c.base.w[i] * (predict.Softplus(z) - float64(c.base.y[i]*z)))
}

// gain returns the mean fall of the loss from a to b and its standard error,
// by groups: rows of one account are one draw.
func (c *contest) gain(a, b *contestant) (mean, se float64) {
	n := 0
	for _, g := range c.groups {
		n = max(n, int(g)+1)
	}
	sums, weights := make([]float64, n), make([]float64, n)
	for i, g := range c.groups {
		sums[g] += c.rowLoss(i, a.z[i]) - c.rowLoss(i, b.z[i])
		weights[g] += c.base.w[i]
	}
	for _, s := range sums {
		mean += s
	}
	mean /= c.s.total
	for g := range sums {
		d := sums[g] - float64(mean*weights[g])
		se += float64(d * d)
	}
	return mean, math.Sqrt(se) / c.s.total
}

// mainsAt returns the spline model's out-of-fold view at some penalties.
func (c *contest) mainsAt(ctx context.Context, l penalties) (*contestant, error) {
	x := &contestant{name: "splines", penalties: l, curves: true, z: make([]float64, c.base.rows)}
	penalty := c.mains.penalty([]float64{0}, l)
	if c.fits == nil {
		serial := *c.base
		serial.workers = 1
		for _, k := range c.folds {
			c.fits = append(c.fits, newRidge(&serial, k))
		}
	}
	errs := make([]error, len(c.folds))
	parallel(c.workers, len(c.folds), func(k int) {
		errs[k] = c.fits[k].solve(ctx, penalty, chooseTolerance, false)
		c.base.logOdds(x.z, c.fits[k].theta, c.s.starts[c.folds[k]], c.s.starts[c.folds[k]+1])
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	c.score(x)
	return x, nil
}

// bestMains searches the penalties of the spline model: one for all along a
// path, for both scales; then that of the curves, then that of the rest, alone.
func (c *contest) bestMains(ctx context.Context) (*contestant, error) {
	var best *contestant
	try := func(l penalties) (float64, error) {
		if l.plain > 1e5 || l.curve > 1e6 || l.plain < 1e-3 {
			return math.Inf(1), nil
		}
		x, err := c.mainsAt(ctx, l)
		if err != nil {
			return 0, err
		}
		if best == nil || round7(x.loss) < round7(best.loss) {
			best = x
		}
		return x.loss, nil
	}
	const worse = 3e-4 // a path that has risen by so much has passed its minimum
	for _, power := range []float64{1, 0.5} {
		at, low := 10.0, math.Inf(1)
		if best != nil {
			at = best.plain
		}
		for _, factor := range []float64{math.Sqrt(10), 1 / math.Sqrt(10)} {
			from := at
			if factor < 1 && low < math.Inf(1) {
				from *= factor
			}
			for l := from; ; l *= factor {
				v, err := try(penalties{plain: l, curve: l, power: power})
				if err != nil {
					return nil, err
				}
				if v > low+worse || math.IsInf(v, 1) || v > low && power < 1 {
					break
				}
				low = min(low, v)
			}
		}
	}
	for _, f := range []float64{3, 10, 100, 1000} {
		l := best.penalties
		l.curve *= f
		if _, err := try(l); err != nil {
			return nil, err
		}
	}
	for _, f := range []float64{0.1, 1. / 3, 3, 10} {
		l := best.penalties
		l.plain *= f
		if _, err := try(l); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// pairsOn returns the contestants with pairs, one for each count and penalty
// that every fold reached.
func (c *contest) pairsOn(ctx context.Context, mains *contestant) ([]*contestant, error) {
	if _, err := c.mainsAt(ctx, mains.penalties); err != nil { // the fits as they were
		return nil, err
	}
	c.pairing = newPairing(c.s, c.mains.terms)
	table := make(map[string]*contestant)
	reached := make(map[string]int)
	var keys []string
	var mu sync.Mutex
	errs := make([]error, len(c.folds))
	parallel(c.workers, len(c.folds), func(k int) {
		st := &stage{fit: c.fits[k], sought: mains.penalties}
		st.sought.pair = pairPenalties[len(pairPenalties)-1]
		errs[k] = c.addPairs(ctx, st, pairCounts, func(count int, st *stage) error {
			for _, lambda := range pairPenalties {
				st.sought.pair = lambda
				if err := st.fit.solve(ctx, st.penalty(c.mains), chooseTolerance, false); err != nil {
					return err
				}
				key := fmt.Sprint(count, lambda)
				mu.Lock()
				x := table[key]
				if x == nil {
					x = &contestant{name: "pairs", penalties: st.sought, curves: true, pairs: count, z: make([]float64, c.base.rows)}
					table[key] = x
					keys = append(keys, key)
				}
				reached[key]++
				mu.Unlock()
				hold := st.fit.hold
				st.fit.m.logOdds(x.z, st.fit.theta, c.s.starts[hold], c.s.starts[hold+1])
			}
			return nil
		})
	})
	return c.finished(table, keys, reached, errs)
}

// finished returns the contestants that all folds reached, scored, in a fixed order.
func (c *contest) finished(table map[string]*contestant, keys []string, reached map[string]int, errs []error) ([]*contestant, error) {
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	var out []*contestant
	for _, key := range keys {
		if x := table[key]; reached[key] == len(c.folds) {
			c.score(x)
			out = append(out, x)
		}
	}
	sortContestants(out)
	return out, nil
}

// sortContestants orders them from few columns to many, larger penalties first.
func sortContestants(list []*contestant) {
	slices.SortFunc(list, func(a, b *contestant) int {
		return cmp.Or(cmp.Compare(a.pairs, b.pairs), cmp.Compare(a.rules, b.rules), cmp.Compare(b.pair, a.pair))
	})
}

// tablesOn returns the contestants with tables on top of another one: for each
// shape and number of rules that every fold reached.
func (c *contest) tablesOn(ctx context.Context, under *contestant, most int) ([]*contestant, error) {
	if _, err := c.mainsAt(ctx, under.penalties); err != nil {
		return nil, err
	}
	var out []*contestant
	for s := range treeShapes {
		shape := &treeShapes[s]
		table := make(map[string]*contestant)
		reached := make(map[string]int)
		var keys []string
		var mu sync.Mutex
		errs := make([]error, len(c.folds))
		parallel(c.workers, len(c.folds), func(k int) {
			st, err := c.stageOf(ctx, c.fits[k], under)
			if err != nil {
				errs[k] = err
				return
			}
			st.sought.rule = shape.penalty
			hold := st.fit.hold
			from, to := c.s.starts[hold], c.s.starts[hold+1]
			start, low := 0.0, math.Inf(1)
			for i := from; i < to; i++ {
				start += c.rowLoss(i, under.z[i])
			}
			errs[k] = c.addTables(ctx, st, shape, most, func(count int, st *stage) bool {
				key := fmt.Sprint(count)
				mu.Lock()
				x := table[key]
				if x == nil {
					x = &contestant{name: "tables", penalties: st.sought, curves: true, pairs: under.pairs,
						shape: shape, rules: count, z: make([]float64, c.base.rows)}
					table[key] = x
					keys = append(keys, key)
				}
				reached[key]++
				mu.Unlock()
				st.fit.m.logOdds(x.z, st.fit.theta, from, to)
				loss := 0.0
				for i := from; i < to; i++ {
					loss += c.rowLoss(i, x.z[i])
				}
				low = min(low, loss)
				return !(count >= 15 && low > start || count >= 60 && loss > low*1.02)
			})
		})
		list, err := c.finished(table, keys, reached, errs)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// stageOf repeats a contestant's selection of pairs from a fit of the mains.
func (c *contest) stageOf(ctx context.Context, mains *ridge, x *contestant) (*stage, error) {
	st := &stage{fit: mains, sought: x.penalties}
	if x.pairs == 0 {
		return st, nil
	}
	st.sought.pair = pairPenalties[len(pairPenalties)-1]
	var last *stage
	err := c.addPairs(ctx, st, upTo(pairCounts, x.pairs), func(_ int, st *stage) error {
		last = st
		return nil
	})
	if err != nil || last == nil {
		return st, err
	}
	last.sought.pair = x.pair
	return last, last.fit.solve(ctx, last.penalty(c.mains), chooseTolerance, false)
}

func upTo(counts []int, most int) []int {
	n, _ := slices.BinarySearch(counts, most+1)
	return counts[:n]
}

// choose returns the smallest model that is as good as the best: each kind of
// column must lower the out-of-fold loss by more than one standard error of
// the difference, and fewer columns of that kind win where they are within half
// of one. linear is the plain model.
func (c *contest) choose(ctx context.Context, linear *contestant, mostPairs, mostRules int) (*contestant, []*contestant, error) {
	c.score(linear)
	all := []*contestant{linear}
	mains, err := c.bestMains(ctx)
	if err != nil {
		return nil, nil, err
	}
	all = append(all, mains)
	chosen := linear
	take := func(list []*contestant) {
		if len(list) == 0 {
			return
		}
		best := list[0]
		for _, x := range list {
			if round7(x.loss) < round7(best.loss) {
				best = x
			}
		}
		if mean, se := c.gain(chosen, best); mean <= se {
			return
		}
		for _, x := range list {
			if x.pairs > best.pairs || x.rules > best.rules || x.shape != best.shape {
				continue
			}
			if mean, se := c.gain(x, best); mean < se/2 {
				best = x
				break
			}
		}
		chosen = best
	}
	take([]*contestant{mains})
	under := []*contestant{mains}
	if mostPairs > 0 {
		pairs, err := c.pairsOn(ctx, mains)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, pairs...)
		take(pairs)
		if chosen.pairs > 0 {
			under = append(under, chosen)
		}
	}
	if mostRules > 0 {
		var tables []*contestant
		for _, u := range under {
			list, err := c.tablesOn(ctx, u, mostRules)
			if err != nil {
				return nil, nil, err
			}
			tables = append(tables, list...)
		}
		all = append(all, tables...)
		take(tables)
	}
	return chosen, all, nil
}
