// SPDX-License-Identifier: Apache-2.0

package predict

// Reference returns the calibrated log-odds that contributions are deviations
// from: that of an account each of whose parts contributes its mean over the
// training rows,
//
//	z_ref = a + s (b + Σ RefMean over terms, pairs and tables)
//
// plus the mean shift of their segments. It is the mean calibrated log-odds of
// those rows, and Score.ZRef, up to rounding. With isotonic or bends it is
// stated before it: a is 0 and s is 1.
func (m *Model) Reference() float64 {
	z := m.Intercept
	for j := range m.Terms {
		z += m.Terms[j].RefMean
	}
	for k := range m.Pairs {
		z += m.Pairs[k].RefMean
	}
	for t := range m.Tables {
		z += m.Tables[t].RefMean
	}
	if m.Scorecard != nil {
		z += m.Scorecard.RefMean()
	}
	return m.Calibration.Reference(z)
}

// Contributions stores each feature's part of z − z_ref in dst and returns it:
// row-major, rows × terms, one a feature,
//
//	dst_ij = s [ (f_j − RefMean_j) + ½ Σ_(pairs of j) (f_jk − RefMean_jk)
//	             + Σ_t (g_t − RefMean_t)/n_t ]
//
// where t runs over the tables whose rule the row is in has conditions on
// feature j, and n_t is the number of features in that rule's conditions. To
// the feature that holds the segment comes its shift less the mean shift, and to
// that of each item of a scorecard what its points add, less their mean. The
// calibrated log-odds z_i is Model.Reference() + Σ_j dst_ij up to rounding; with
// isotonic or bends the raw one is, and s is 1. If dst is nil, a new slice is
// made; it panics if dst has another length.
//
// Halves are the Shapley values of a pair of which nothing else is known:
// neither feature is the cause of what they add only together.
func (s *Scorer) Contributions(dst []float64) []float64 {
	n := len(s.inputs)
	dst = sized(dst, s.rows*n)
	if n == 0 { // a model of nothing but its intercept
		return dst
	}
	for from := 0; from < s.rows; from += rowBlock {
		s.contributions(dst[from*n:min(from+rowBlock, s.rows)*n], from)
	}
	return dst
}

// contributions stores those of a block of rows that begins at from, at most
// rowBlock.
func (s *Scorer) contributions(dst []float64, from int) {
	clear(dst)
	var of [rowBlock]float64
	block := of[:len(dst)/len(s.inputs)]
	for j, p := range s.parts[:len(s.parts)-len(s.tables)] {
		clear(block)
		p.add(block, from)
		s.spread(dst, block, j)
	}
	for k, p := range s.tables {
		s.spreadTable(dst, p, &s.model.Tables[k], from)
	}
	s.spreadCard(dst, from)
	s.spreadShifts(dst, from)
}

// spread adds the deviations of a block of rows from the mean of term or pair
// number j to its features.
func (s *Scorer) spread(dst, block []float64, j int) {
	n := len(s.inputs)
	slope := s.model.Calibration.ReasonSlope()
	if j < n {
		mean := s.model.Terms[j].RefMean
		for i, f := range block {
			dst[i*n+j] += float64(slope * (f - mean))
		}
		return
	}
	p := &s.model.Pairs[j-n]
	a, b := s.place[p.Sides[0].Feature], s.place[p.Sides[1].Feature]
	for i, f := range block {
		half := float64(slope * (f - p.RefMean) / 2)
		dst[i*n+a] += half
		dst[i*n+b] += half
	}
}

// spreadTable adds the deviations of a block of rows from the mean of a table to
// the features of the rule each row is in.
func (s *Scorer) spreadTable(dst []float64, p *tablePart, t *Table, from int) {
	n := len(s.inputs)
	places := make([][]int, len(t.Rules))
	for k := range t.Rules {
		for _, name := range t.Rules[k].Features() {
			places[k] = append(places[k], s.place[name])
		}
	}
	slope := s.model.Calibration.ReasonSlope()
	for i := range len(dst) / n {
		k := p.rule(from + i)
		part := slope * (p.f[k] - t.RefMean) / float64(len(places[k]))
		for _, j := range places[k] {
			dst[i*n+j] += part
		}
	}
}

// spreadShifts adds the shifts of segments, less their mean over the training
// rows, to the feature that holds the segment.
func (s *Scorer) spreadShifts(dst []float64, from int) {
	c := &s.model.Calibration
	if c.Segments == nil || !c.Additive() {
		return
	}
	n, j := len(s.inputs), s.place[c.Segments.Feature]
	rows := len(dst) / n
	for i := range rows {
		dst[i*n+j] -= c.Segments.Mean
	}
	c.Segments.each(s.inputs[j].column, from, rows, func(i int, shift float64) { dst[i*n+j] += shift })
}
