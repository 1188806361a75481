// SPDX-License-Identifier: Apache-2.0

package train

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/holdfast-churn/holdfast/predict"
)

// pairCounts are the numbers of pairs that the contest tries.
var pairCounts = []int{4, 8, 14, 22}

// rankPenalty is the penalty of pairs, in renewals, under which the pairs of
// the next stage are ranked.
const rankPenalty = 10

// A contest chooses between models of one family by grouped cross-validation,
// from few columns to many: linear terms, spline terms, pairs, tables. The
// whole selection is repeated without each fold, so that its luck is paid for;
// only penalties are chosen once.
type contest struct {
	s       *sample
	workers int
	curved  []string // numbers with a curve; nil for all
	mains   *part
	base    *matrix // intercept and mains
	pairing *pairing
	sloping *sloping // nil before slopes are tried, and where there can be none
	folds   []int
	fits    []*ridge // of the mains, one a fold; set by bestMains
	groups  []int32
	mu      sync.Mutex
	bins    map[string]*binning
	tried   []*contestant
	numbers []predict.Term // without curves
	terms   []predict.Term // those of the linear model
	alike   bool           // slopes are the same in all segments
	oneSE   bool           // penalties are the largest within a standard error of the best
	// later compares two contestants on later rows, where rows have a time.
	later func(ctx context.Context, under, with *contestant) (*predict.Gain, error)
	// luck is what the choice of the numbers with a curve adds to out-of-fold
	// log-odds because each fold took part in it; nil where all have one.
	luck []float64
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
	judged float64       // of a linear model: how good its penalty is, see judge
	later  *predict.Gain // of slopes, on later rows, where that was asked
	// untouched says that numbers of a linear model are as they are, also skewed ones.
	untouched bool
}

func newContest(s *sample, terms []predict.Term, curved []string, workers int) *contest {
	c := contestOf(s, withCurves(s, terms, curved, workers), workers)
	c.curved, c.numbers, c.terms = curved, terms, terms
	return c
}

// contestOf is newContest for terms as they are, without curves.
func contestOf(s *sample, terms []predict.Term, workers int) *contest {
	c := &contest{s: s, workers: workers, bins: make(map[string]*binning)}
	c.mains = termsPart(s, terms)
	s.told.impose(s, c.mains)
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
	x.loss = c.lossOf(x.z, 0, len(x.z)) / c.s.total
}

func (c *contest) rowLoss(i int, z float64) float64 {
	return float64(c.base.w[i] * (predict.Softplus(z) - float64(c.base.y[i]*z)))
}

// gain returns the mean fall of the loss from a to b and its standard error,
// by groups: rows of one account are one draw.
func (c *contest) gain(a, b *contestant) (mean, se float64) {
	d := make([]float64, len(c.groups))
	for i := range d {
		d[i] = c.rowLoss(i, a.z[i]) - c.rowLoss(i, b.z[i])
	}
	return groupedMean(d, c.base.w, c.groups)
}

// contestRows is the number of rows, at least, on which the penalties of the
// spline model are searched; contestEvents the churned among them. A penalty is
// a prior on effects, which does not hang on the number of rows.
const (
	contestRows   = 6000
	contestEvents = 500
)

// foldFits are the fits of one matrix without each of its folds, which share a
// preconditioner as long as it serves.
func (c *contest) foldFits(m *matrix) []*ridge {
	shared := &preconditioner{common: true}
	var fits []*ridge
	for _, k := range c.folds {
		r := newRidge(m, k)
		r.pre = shared
		fits = append(fits, r)
	}
	return fits
}

// outOfFold moves the fits to their optima at some penalties, stores the log-odds
// of each fold's rows by the fit without it in z, and returns the mean loss.
func (c *contest) outOfFold(ctx context.Context, fits []*ridge, l penalties, z []float64) (float64, error) {
	m := fits[0].m
	penalty := c.mains.penalty([]float64{0}, l)
	loss := 0.0
	for k, r := range fits {
		if err := r.solve(ctx, penalty, chooseTolerance, false); err != nil {
			return 0, err
		}
		for _, part := range m.chunks {
			if part.fold == c.folds[k] {
				m.logOdds(z[part.from:], r.theta, part.from, part.to)
				loss += c.lossOf(z, part.from, part.to)
			}
		}
	}
	return loss / m.total, nil
}

// mainsAt moves the fits of the mains to some penalties and returns the spline
// model's out-of-fold view there.
func (c *contest) mainsAt(ctx context.Context, l penalties) (*contestant, error) {
	x := &contestant{name: "splines", penalties: l, curves: true, z: make([]float64, c.base.rows)}
	var err error
	x.loss, err = c.outOfFold(ctx, c.fits, l, x.z)
	return x, err
}

// bestMains searches the penalties of the spline model: one for all along a
// path, for each scale; then that of the curves, then that of the rest, alone.
// It leaves the fits from which pairs and tables go on.
func (c *contest) bestMains(ctx context.Context) (*contestant, error) {
	w := c.walker(c.base.sampled(c.s.searchRows()))
	both := func(l *penalties, f float64) { l.plain, l.curve = l.plain*f, l.curve*f }
	curve := func(l *penalties, f float64) { l.curve *= f }
	plain := func(l *penalties, f float64) { l.plain *= f }
	// rescaled changes the power: columns of standard deviation 1/halfDecade, as
	// levels and splines often have, keep their penalty.
	rescaled := func(power float64) func(*penalties, float64) {
		return func(l *penalties, f float64) {
			both(l, f)
			l.power = power
		}
	}
	const step, decades = halfDecade, 10
	if _, err := w.try(ctx, penalties{plain: 1000, curve: 1000, power: 1, worth: c.s.told.worth}); err != nil {
		return nil, err
	}
	for _, turn := range []struct { // from stiff to loose, since stiff fits are quick
		factor float64
		most   int
		change func(*penalties, float64)
	}{
		{1 / step, decades, both}, {step, decades, both},
		{1 / step, 1, rescaled(0.5)}, {1 / step, 1, rescaled(0)},
		{step, decades, both}, {1 / step, decades, both},
		{10, 3, curve}, {3, 1, curve}, {1. / 3, 2, plain}, {3, 2, plain},
	} {
		if err := w.walk(ctx, turn.factor, turn.most, turn.change); err != nil {
			return nil, err
		}
	}
	if err := w.holdBack(ctx); err != nil {
		return nil, err
	}
	c.fits = c.foldFits(c.base)
	for k, r := range c.fits { // from where the sample's fits are
		copy(r.theta, w.judge.fits[k].theta)
	}
	mains, err := c.mainsAt(ctx, w.best)
	if err != nil || !c.oneSE {
		return mains, err
	}
	return c.stiffer(ctx, mains, c.fits)
}

// halfDecade is √10.
const halfDecade = 3.1622776601683795

// everyFold calls work for every fold side by side and returns their errors.
func (c *contest) everyFold(work func(k int) error) error {
	errs := make([]error, len(c.folds))
	parallel(c.workers, len(c.folds), func(k int) { errs[k] = work(k) })
	return errors.Join(errs...)
}

// heldOut stores the log-odds of fold k's rows by the fit without it in x.
func (c *contest) heldOut(x *contestant, k int, r *ridge) {
	from, to := c.s.starts[c.folds[k]], c.s.starts[c.folds[k]+1]
	r.m.logOdds(x.z[from:], r.theta, from, to)
	if c.luck != nil {
		for i := from; i < to; i++ {
			x.z[i] -= c.luck[i]
		}
	}
}

// rechoose chooses the numbers with a curve again without each fold, and sets the
// out-of-fold view of the spline model to that. Among a hundred numbers and a
// hundred churned rows, 30 curves that fit them all predict a fold that helped to
// choose them far too well. What that was is taken off all that is put on top of
// the spline model too.
func (c *contest) rechoose(ctx context.Context, linear, mains *contestant) error {
	if c.curved == nil {
		return nil
	}
	c.luck = slices.Clone(mains.z)
	chooser := newCurveChooser(c.s, c.numbers, linear, c.workers)
	for _, k := range c.folds {
		curved, err := chooser.choose(ctx, k)
		if err != nil {
			return err
		}
		on := contestOf(c.s, withCurves(c.s, c.numbers, curved, c.workers), c.workers)
		fit := newRidge(on.base, k)
		if err := fit.solve(ctx, on.mains.penalty([]float64{0}, mains.penalties), chooseTolerance, false); err != nil {
			return err
		}
		from, to := c.s.starts[k], c.s.starts[k+1]
		fit.m.logOdds(mains.z[from:], fit.theta, from, to)
	}
	for i, z := range mains.z {
		c.luck[i] -= z
	}
	c.score(mains)
	return nil
}

// repenalise sets a contestant's out-of-fold view: that of the stages, one a
// fold, at its penalties.
func (c *contest) repenalise(ctx context.Context, stages []*stage, x *contestant) error {
	x.z = make([]float64, c.base.rows)
	err := c.everyFold(func(k int) error {
		trial := stages[k].repenalised(x.penalties)
		err := trial.fit.solve(ctx, trial.penalty(c.mains), chooseTolerance, false)
		c.heldOut(x, k, trial.fit)
		return err
	})
	c.score(x)
	return err
}

// pairsOn returns the contestants with pairs on top of the spline model: more
// and more of them, as long as that helps, each count at a few penalties.
func (c *contest) pairsOn(ctx context.Context, mains *contestant) ([]*contestant, error) {
	if _, err := c.mainsAt(ctx, mains.penalties); err != nil { // one step nearer their optima
		return nil, err
	}
	c.pairing = newPairing(c.s, c.mains.terms)
	stages := make([]*stage, len(c.folds))
	err := c.everyFold(func(k int) (err error) {
		if stages[k], err = c.stageOf(ctx, c.fits[k].alone(), mains); err == nil {
			stages[k].sought.pair = rankPenalty
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*contestant
	low := mains.loss
	for _, count := range pairCounts {
		err := c.everyFold(func(k int) (err error) {
			stages[k], err = c.morePairs(ctx, stages[k], count)
			return err
		})
		if err != nil || slices.Contains(stages, nil) {
			return out, err
		}
		at := func(lambda float64) (float64, error) {
			x := &contestant{name: "pairs", penalties: mains.penalties, curves: true, pairs: count}
			x.pair = lambda
			err := c.repenalise(ctx, stages, x)
			out = append(out, x)
			return x.loss, err
		}
		middle, err := at(rankPenalty)
		if err != nil {
			return nil, err
		}
		wide, err := at(3 * rankPenalty)
		if err != nil {
			return nil, err
		}
		beyond := 0.3 * rankPenalty
		if wide < middle {
			beyond = 10 * rankPenalty
		}
		last, err := at(beyond)
		if err != nil {
			return nil, err
		}
		best := min(middle, wide, last)
		if best >= low {
			break
		}
		low = best
	}
	sortContestants(out)
	return out, nil
}

// lossOf returns the summed loss of some rows at log-odds z.
func (c *contest) lossOf(z []float64, from, to int) float64 {
	loss := 0.0
	for i := from; i < to; i++ {
		loss += c.rowLoss(i, z[i])
	}
	return loss
}

// sortContestants orders them from few columns to many, larger penalties first.
func sortContestants(list []*contestant) {
	slices.SortFunc(list, func(a, b *contestant) int {
		return cmp.Or(cmp.Compare(a.pairs, b.pairs), cmp.Compare(a.rules, b.rules),
			cmp.Compare(b.slope, a.slope), cmp.Compare(b.pair, a.pair))
	})
}

// tableCounts are the numbers of rules at which the contest looks.
var tableCounts = []int{8, 15, 30, 45, 60, 90, 120, 150, 180, 240, 300}

// idleCounts ends the growth of tables: so many looks without a gain.
const idleCounts = 2

// tablesOn returns the contestants with tables on top of another one: of either
// shape, more and more rules as long as that helps.
func (c *contest) tablesOn(ctx context.Context, under *contestant) ([]*contestant, error) {
	if _, err := c.mainsAt(ctx, under.penalties); err != nil {
		return nil, err
	}
	var out []*contestant
	for s := range treeShapes {
		shape := &treeShapes[s]
		folds := make([]*tabling, len(c.folds))
		err := c.everyFold(func(k int) error {
			st, err := c.stageOf(ctx, c.fits[k].alone(), under)
			if err == nil {
				folds[k] = c.newTabling(st, shape)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		low, idle := under.loss, 0
		for _, count := range tableCounts {
			x := &contestant{name: "tables", penalties: under.penalties, curves: true, pairs: under.pairs,
				shape: shape, rules: count, z: make([]float64, c.base.rows)}
			reached := make([]bool, len(c.folds))
			err := c.everyFold(func(k int) (err error) {
				reached[k], err = folds[k].reach(ctx, count)
				c.heldOut(x, k, folds[k].stage.fit)
				return err
			})
			if err != nil {
				return nil, err
			}
			if slices.Contains(reached, false) {
				break
			}
			c.score(x)
			out = append(out, x)
			if x.loss < low {
				low, idle = x.loss, 0
			} else if idle++; idle == idleCounts {
				break
			}
		}
	}
	return out, nil
}

// stageOf repeats a contestant's selection of slopes and pairs from a fit of the
// mains.
func (c *contest) stageOf(ctx context.Context, mains *ridge, x *contestant) (*stage, error) {
	st := &stage{fit: mains, sought: x.penalties}
	if x.slope > 0 && c.sloping != nil {
		var err error
		if st, err = c.withSlopes(ctx, st); err != nil {
			return nil, err
		}
	}
	if x.pairs == 0 {
		return st, nil
	}
	st.sought.pair = rankPenalty
	for _, count := range upTo(pairCounts, x.pairs) {
		next, err := c.morePairs(ctx, st, count)
		if err != nil {
			return nil, err
		}
		if next == nil {
			break
		}
		st = next
	}
	st = st.repenalised(x.penalties)
	return st, st.fit.solve(ctx, st.penalty(c.mains), chooseTolerance, false)
}

func upTo(counts []int, most int) []int {
	n, _ := slices.BinarySearch(counts, most+1)
	return counts[:n]
}

// bestOfMany is the number of standard errors by which pairs and tables must be
// better. Many are tried, and that one is the best of them is in part luck, for
// which one standard error does not pay: with 100 to 200 churned it let in pairs
// and tables that lost up to .04 on other rows.
const bestOfMany = 2

// choose returns the smallest model that is as good as the best: each kind of
// column must lower the out-of-fold loss by more than one standard error of
// the difference, pairs and tables by more than bestOfMany of them, and fewer
// columns of that kind win where they are within half of one. linear is the
// linear model.
//
// What the rows can hardly show is not tried: pairs and tables from 100 churned
// and renewed on, and where there are more numbers than curves only one after
// the other, each if the one before was better.
func (c *contest) choose(ctx context.Context, linear *contestant, stages string) (*contestant, error) {
	c.score(linear)
	mains, err := c.bestMains(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.rechoose(ctx, linear, mains); err != nil {
		return nil, err
	}
	c.tried = append(c.tried, linear, mains)
	chosen := c.better(linear, []*contestant{mains})
	if chosen, err = c.pooled(ctx, chosen); err != nil {
		return nil, err
	}
	if chosen.curves {
		mains = chosen // with slopes or without
	}
	under := []*contestant{mains}
	few := min(c.s.churn, c.s.total-c.s.churn) < firmChurned
	if few || c.curved != nil && !chosen.curves {
		return chosen, nil
	}
	if stages != StagesSplines {
		pairs, err := c.pairsOn(ctx, mains)
		if err != nil {
			return nil, err
		}
		c.tried = append(c.tried, pairs...)
		if chosen = c.better(chosen, pairs); chosen.pairs > 0 {
			under = append(under, chosen)
		}
	}
	if stages == StagesAuto && (chosen.pairs > 0 || c.curved == nil) {
		var tables []*contestant
		for _, u := range under {
			list, err := c.tablesOn(ctx, u)
			if err != nil {
				return nil, err
			}
			tables = append(tables, list...)
		}
		c.tried = append(c.tried, tables...)
		chosen = c.better(chosen, tables)
	}
	return chosen, nil
}

// better returns the best of a list of one kind, or one within half a standard
// error of it with fewer columns, where it is better than the one chosen before
// by as much as choose says; else that one. The list is in the order of
// sortContestants.
func (c *contest) better(chosen *contestant, list []*contestant) *contestant {
	if len(list) == 0 {
		return chosen
	}
	best := list[0]
	for _, x := range list {
		if round7(x.loss) < round7(best.loss) {
			best = x
		}
	}
	need := 1.0
	if best.pairs > 0 || best.rules > 0 {
		need = bestOfMany
	}
	if mean, se := c.gain(chosen, best); mean <= need*se {
		return chosen
	}
	for _, x := range list {
		if x.pairs > best.pairs || x.rules > best.rules || x.shape != best.shape {
			continue
		}
		if mean, se := c.gain(x, best); mean < se/2 {
			return x
		}
	}
	return best
}

// results lists what was tried, the best of each kind, for the provenance.
func (c *contest) results(chosen *contestant) []predict.Contestant {
	var out []predict.Contestant
	for _, name := range []string{"linear", "splines", "slopes", "pairs", "tables"} {
		var best *contestant
		for _, x := range c.tried {
			kept := best != nil && (best == chosen || best.later != nil) // slopes that went to the second test
			if x.name == name && !kept && (best == nil || x.loss < best.loss || x == chosen || x.later != nil) {
				best = x
			}
		}
		if best == nil {
			continue
		}
		gain, se := c.gain(c.tried[0], best)
		out = append(out, predict.Contestant{Stage: name, Pairs: best.pairs, Rules: best.rules, LogLoss: best.loss,
			Gain: gain, SE: se, Chosen: best == chosen, Later: best.later})
	}
	return out
}
